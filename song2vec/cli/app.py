"""What all commands stand on: the application that they join, the options that they share, and how they show answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_origin, get_type_hints

import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from song2vec import Sessions, __version__, cut_sessions, read_listens
from song2vec.core.config import Config, settings_of
from song2vec.core.errors import ArgumentError

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

EngineFolder = Annotated[Path, typer.Argument(metavar="ENGINE", help="A folder written by 'song2vec train'.")]
K = Annotated[int, typer.Option("--k", "-k", help="How many songs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Seed = Annotated[int, typer.Option(help="Of all randomness.")]
Log = Annotated[Path, typer.Argument(help="A listening log: file, folder, zip or tar archive.")]


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


@dataclass(frozen=True)
class Cutting:
    """How logs are read and cut."""

    format: Annotated[str, typer.Option(help="The log's format; 'song2vec formats' lists them.")] = "auto"
    column: Annotated[list[str] | None, typer.Option(help="Which column is which: song=track_id; may be repeated.")] = None
    gap_minutes: Annotated[float, typer.Option(help="Silence that ends a session.")] = 30
    min_song_plays: Annotated[int, typer.Option(help="Drop songs played less often.")] = 1
    min_session_length: Annotated[int, typer.Option(help="Drop shorter sessions.")] = 2

    def sessions(self, log: Path) -> Sessions:
        """The sessions of a log; what was read and kept is said on stderr."""
        columns = {name: value.split(",") for name, value in pairs("--column", self.column, "song=track_id").items()}
        listens = read_listens(log, self.format, columns or None)
        err.print(str(listens.report))
        rules = {"gap_minutes": self.gap_minutes, "min_song_plays": self.min_song_plays, "min_session_length": self.min_session_length}
        sessions = cut_sessions(listens, **rules)  # type: ignore[arg-type]
        err.print(f"{sessions!r}: {sessions.report}")
        return sessions


def with_options(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose arguments of a class with fields (a Config, a dataclass) become an option a field, but ``without`` these."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
        options = {name: [one for one in _options(kind) if one.name not in without] for name, kind in groups.items()}

        @wraps(command)
        def expanded(**given: Any) -> None:
            made = {name: kind(**{one.name: given.pop(one.name) for one in options[name]}) for name, kind in groups.items()}
            command(**given, **made)

        own = [one.replace(annotation=hints[name]) for name, one in signature(command).parameters.items() if name not in groups]
        every = [one.replace(kind=Parameter.KEYWORD_ONLY) for some in (own, *options.values()) for one in some]
        expanded.__signature__ = signature(command).replace(parameters=every)  # type: ignore[attr-defined]
        expanded.__annotations__ = {one.name: one.annotation for one in every}
        return expanded

    return decorate


def _options(kind: Any) -> Iterator[Parameter]:
    """A parameter a field, with the field's line of help."""
    hints = get_type_hints(kind, include_extras=True)
    helps = {name: f"{text[0].upper()}{text[1:]}." for name, (_, _, text) in settings_of(kind).items()} if issubclass(kind, Config) else {}
    for name, parameter in signature(kind).parameters.items():
        plain = get_origin(hints[name]) is not Annotated
        yield parameter.replace(annotation=Annotated[hints[name], typer.Option(help=helps[name])] if plain else hints[name])


def pairs(option: str, given: list[str] | None, example: str) -> dict[str, str]:
    """``["song=track_id"]`` -> ``{"song": "track_id"}``."""
    split = {text: text.partition("=") for text in given or ()}
    for text, (name, sign, value) in split.items():
        if not name or not sign or not value:
            raise ArgumentError(f"{option} {text!r}: NAME=VALUE is allowed, as {example}")
    return {name: value for name, _, value in split.values()}


def settings(given: list[str] | None, example: str) -> dict[str, Any]:
    """``["hidden=64", "loss=bpr-max"]`` -> ``{"hidden": 64, "loss": "bpr-max"}``: values as JSON where they are JSON, else text."""
    values: dict[str, Any] = dict(pairs("--set", given, example))
    for name, text in values.items():
        with suppress(ValueError):
            values[name] = json.loads(text)
    return values


def writable(path: Path) -> Path:
    """A path whose folder is there: better known before the work than after it."""
    if not path.parent.is_dir():
        raise ArgumentError(f"{path.parent}: no such folder")
    return path
