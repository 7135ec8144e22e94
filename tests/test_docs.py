"""What the documents say is so: the README's code runs and prints what stands there, every command is documented."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.lib.pretty import pretty

from song2vec.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_readme_code_prints_what_the_readme_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"```(python|text)\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 6
    printed = ""
    for kind, block in blocks:
        if kind == "python":
            printed = _run(block, names)
        else:
            _assert_alike(printed, block)


def test_every_command_is_documented():
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert commands == set(re.findall(r"^    song2vec (\w+)", README, re.MULTILINE))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_is_shipped_with_its_output(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, object] = {}
    printed, shown = [], []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            last = _run("".join(cell["source"]), names, show=pretty)
            printed.append(capsys.readouterr().out + last)
            shown.append("".join(_shown(output) for output in cell["outputs"]))
    assert [bool(text.strip()) for text in printed] == [bool(text.strip()) for text in shown]
    assert [len(text.strip().splitlines()) for text in printed] == [len(text.strip().splitlines()) for text in shown]
    ours, theirs = (set(re.sub(r"[^a-zA-Z\n]+", " ", "\n".join(texts)).splitlines()) for texts in (printed, shown))
    assert len(ours & theirs) >= 0.6 * len(theirs)  # processors differ in the last bits, and what follows from them


def _shown(output: dict[str, Any]) -> str:
    return "".join(output.get("text", "") or output["data"]["text/plain"])


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "results").glob("*.json")), ids=lambda path: path.stem)
def test_benchmark_results_say_how_they_were_measured(path):
    result = json.loads(path.read_text())
    assert {"command", "machine", "date", "rows"} <= result.keys()
    assert result["rows"]


def test_figures_and_tables_of_the_pages_are_written_from_the_results(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    tables = importlib.import_module("tables")
    pages = [page.read_text(encoding="utf-8") for page in tables.PAGES]
    assert set(tables.TABLES) == {name for page in pages for name in re.findall(r"<!-- table (\w+) -->", page)}
    assert len(re.findall(r"<!-- \w+\.\w+ --> \*\*", README)) > 5
    assert [tables.written(page) for page in pages] == pages


def _run(block: str, names: dict[str, object], show: Callable[[object], str] = repr) -> str:
    """Run a block as a notebook cell does: what its last expression is, as text."""
    tree = ast.parse(block)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "README.md", "exec"), names)
    value = None if last is None else eval(compile(ast.Expression(last.value), "README.md", "eval"), names)
    getattr(value, "_repr_html_", str)()  # as a notebook asks for it
    return "" if value is None else show(value)


def _assert_alike(printed: str, shown: str) -> None:
    """Same shape and head, and mostly the same rows: processors differ in the last bits, and so, a little, do vectors."""
    ours, theirs = (re.sub(r"\d\.\d+", "#", text).strip().splitlines() for text in (printed, shown))
    assert len(ours) == len(theirs)
    assert ours[0] == theirs[0]
    titles = [{re.sub(r"[\s│┆.…]+", " ", line) for line in lines if "┆" in line} for lines in (ours, theirs)]
    assert len(titles[0] & titles[1]) >= len(titles[1]) * 0.6
