"""Run every notebook from top to bottom and keep its output in the file: ``make notebooks``."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with fresh output, run with ``folder`` as its working directory; raises where a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata = {}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    for cell in notebook.cells:
        cell.metadata = {}  # when each cell ran is nobody's business
    return notebook


if __name__ == "__main__":
    here = Path(__file__).parent
    for path in sorted(here.glob("*.ipynb")):
        nbformat.write(execute(path, here), path)
        print(f"{path.name}: executed")
