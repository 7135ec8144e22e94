"""A progress bar that library code may show: on a terminal or in a notebook by default, never in a log file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[str], None]


@contextmanager
def progress_bar(task: str, total: int, show: bool | None) -> Iterator[Advance]:
    """A bar on stderr; call what it yields after each step, with a short status. ``show=None`` asks whether a person may watch."""
    if not (_someone_watches() if show is None else show):
        yield lambda status: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        identity = bar.add_task(task, total=total, status="")
        yield lambda status: bar.update(identity, advance=1, status=status)


def _someone_watches() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def say(text: str) -> None:
    """A line on stderr where a person is likely to watch."""
    if _someone_watches():
        Console(stderr=True).print(text, style="dim")
