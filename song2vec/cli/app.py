"""The application that commands join, and how they show answers: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from song2vec import __version__

# names of songs and folders are shown as they are: [brackets] are no markup in them, and :fire: is no emoji
out = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
err = Console(markup=False, emoji=False, highlight=False, soft_wrap=True, stderr=True)

app = typer.Typer(
    name="song2vec",
    help="Song similarity and next songs from listening logs: sessions are sentences, songs are words.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        out.print(f"song2vec {__version__}")
        raise typer.Exit


def show(frame: pl.DataFrame, title: str, as_json: bool = False) -> None:
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
