"""The command line: parses, calls, prints. Errors are one sentence and exit code 2."""

from __future__ import annotations

import io
import logging
import sys

from rich.console import Console
from rich.logging import RichHandler

from song2vec.cli import inspect, query, train
from song2vec.cli.app import app, err
from song2vec.core.errors import Song2VecError

__all__ = ["app", "inspect", "main", "query", "train"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every error becomes one sentence on stderr and exit code 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that cannot write a name shows ? for it
    handler = RichHandler(console=Console(stderr=True), show_time=False, show_path=False)  # wraps its lines, unlike ``err``
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    try:
        app(arguments)
    except (Song2VecError, OSError) as error:
        message = str(error) if isinstance(error, Song2VecError) else f"{error.filename or 'a file'}: {error.strerror or error}"
        err.print(f"error: {message}", style="red")
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)
