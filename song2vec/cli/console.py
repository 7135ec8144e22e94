"""What the command line shows: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys

import polars as pl
from rich.console import Console
from rich.table import Table

# names of songs and folders are shown as they are: [brackets] are no markup in them, and :fire: is no emoji
out = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
err = Console(markup=False, emoji=False, highlight=False, soft_wrap=True, stderr=True)


def show(frame: pl.DataFrame, title: str, as_json: bool) -> None:
    """A table for people, or JSON for programs. An id that only repeats artist and title is not shown twice."""
    if as_json:
        text = json.dumps(frame.to_dicts(), ensure_ascii=not (sys.stdout.encoding or "utf-8").lower().startswith("utf"), indent=1)
        sys.stdout.write(text + "\n")
        return
    if {"song", "artist", "title"} <= set(frame.columns):
        names = frame.select(pl.format("{} - {}", "artist", "title")).to_series()
        frame = frame.drop("song") if frame["song"].cast(pl.String).eq_missing(names).all() else frame
    table = Table(title=title or None, title_justify="left", title_style="bold")
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*("" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value) for value in row))
    out.print(table, soft_wrap=False)
