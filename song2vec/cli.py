"""The command line: parses, calls, prints. Errors are one sentence and exit code 2."""

from __future__ import annotations

import io
import json
import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table

from song2vec import Engine, __version__, classic_rock, cut_sessions, read_listens
from song2vec.demo import run_demo
from song2vec.errors import ArgumentError, Song2VecError
from song2vec.listens import READERS

app = typer.Typer(
    name="song2vec",
    help="Song similarity from listening logs: sessions are sentences, songs are words.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# names of songs and folders are shown as they are: [brackets] are no markup in them, and :fire: is no emoji
out = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
err = Console(markup=False, emoji=False, highlight=False, soft_wrap=True, stderr=True)

EngineFolder = Annotated[Path, typer.Argument(metavar="ENGINE", help="A folder written by 'song2vec train'.")]
K = Annotated[int, typer.Option("--k", "-k", help="How many songs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
NotBy = Annotated[list[str] | None, typer.Option(help="Leave out an artist; may be repeated.")]
PerArtist = Annotated[int | None, typer.Option(help="At most so many songs of an artist.")]
Index = StrEnum("Index", ["annoy", "exact", "auto"])


@app.command()
def train(
    log: Annotated[Path, typer.Argument(help="A listening log: file, folder, zip or tar archive.")],
    out_folder: Annotated[Path, typer.Option("--out", "-o", help="Where to save the engine.")] = Path("music.s2v"),
    format: Annotated[str, typer.Option(help="The log's format; 'song2vec formats' lists them.")] = "auto",
    column: Annotated[list[str] | None, typer.Option(help="Which column is which: song=track_id; may be repeated.")] = None,
    gap_minutes: Annotated[float, typer.Option(help="Silence that ends a session.")] = 30,
    min_song_plays: Annotated[int, typer.Option(help="Drop songs played less often.")] = 1,
    min_session_length: Annotated[int, typer.Option(help="Drop shorter sessions.")] = 2,
    size: Annotated[int | None, typer.Option(help="Numbers in a vector.")] = None,
    window: Annotated[int | None, typer.Option(help="Songs before and after that count as context.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the sessions.")] = None,
    index: Annotated[Index, typer.Option(help="Kind of index.")] = Index.annoy,
    workers: Annotated[int | None, typer.Option(help="Threads; one gives the same result every time.")] = None,
    seed: Annotated[int, typer.Option(help="Of all randomness.")] = 0,
) -> None:
    """Learn song vectors from a listening log and save them as an engine."""
    listens = read_listens(log, format, _columns(column))
    err.print(str(listens.report))
    sessions = cut_sessions(listens, gap_minutes=gap_minutes, min_song_plays=min_song_plays, min_session_length=min_session_length)
    err.print(f"{sessions!r}: {sessions.report}")
    given: dict[str, Any] = {"size": size, "window": window, "epochs": epochs, "workers": workers}
    engine = Engine.train(sessions, index=index.value, seed=seed, **{name: value for name, value in given.items() if value is not None})
    engine.save(out_folder)
    out.print(f"{out_folder}: {engine.info()}")


@app.command()
def similar(
    engine: EngineFolder,
    songs: Annotated[list[str], typer.Argument(help="A song, by id or name; several are averaged.")],
    k: K = 10,
    unlike: Annotated[list[str] | None, typer.Option(help="A song to move away from; may be repeated.")] = None,
    not_by: NotBy = None,
    max_per_artist: PerArtist = None,
    as_json: AsJson = False,
) -> None:
    """Songs like a song, or like several at once."""
    loaded = Engine.load(engine)
    ids = [loaded.find(song) for song in songs]
    found = loaded.similar(ids, k, unlike=unlike or (), not_by=not_by or (), max_per_artist=max_per_artist)
    _show(found, "Songs like " + ", ".join(_label(loaded, song) for song in ids), as_json)


@app.command()
def recommend(
    engine: EngineFolder,
    songs: Annotated[list[str] | None, typer.Argument(help="Songs the listener played, by id or name.")] = None,
    log: Annotated[Path | None, typer.Option(help="Their listening log, instead of songs.")] = None,
    listener: Annotated[str | None, typer.Option(help="Which listener of the log.")] = None,
    k: K = 10,
    half_life_days: Annotated[float | None, typer.Option(help="With --log: a play so many days old counts half.")] = None,
    heard: Annotated[bool, typer.Option("--heard/--not-heard", help="Also songs they have played.")] = False,
    not_by: NotBy = None,
    max_per_artist: PerArtist = None,
    as_json: AsJson = False,
) -> None:
    """Songs that suit a listener, from some songs they played or from their log."""
    loaded = Engine.load(engine)
    if (log is None) == (not songs):
        raise ArgumentError("recommend: give songs, or --log FILE, one of the two")
    if log is None and listener is not None:
        raise ArgumentError(f"--listener {listener!r}: goes with --log FILE")
    history: Any = [loaded.find(song) for song in songs or ()] if log is None else _listens_of(log, listener)
    rules: dict[str, Any] = {"exclude_heard": not heard, "not_by": not_by or (), "max_per_artist": max_per_artist}
    found = loaded.similar_to_listener(history, k, half_life_days=half_life_days, unknown="raise" if log is None else "skip", **rules)
    named = found.with_columns(because=pl.Series([_label(loaded, song) for song in found["because"].to_list()], dtype=pl.String))
    _show((found if as_json else named).drop("because_cosine"), "Songs for this listener", as_json)


@app.command("map")
def map_(
    engine: EngineFolder,
    out_file: Annotated[Path, typer.Option("--out", "-o", help="A .html, .png, .svg, .pdf, .csv or .parquet.")] = Path("map.html"),
    max_songs: Annotated[int | None, typer.Option(help="Only so many of the most played songs.")] = None,
    seed: Annotated[int, typer.Option(help="Of all randomness.")] = 0,
) -> None:
    """Draw a t-SNE map of the music."""
    drawn = Engine.load(engine).map(max_songs=max_songs, seed=seed)
    drawn.save(out_file)
    out.print(f"{out_file}: {drawn!r}")


@app.command()
def info(engine: EngineFolder, as_json: AsJson = False) -> None:
    """What an engine is made of."""
    facts = Engine.load(engine).info()
    if as_json:
        out.print_json(data=vars(facts))
        return
    table = Table("fact", "value", show_header=False)
    for name, value in vars(facts).items():
        text = f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else value
        table.add_row(name, ", ".join(f"{key}={setting}" for key, setting in value.items()) if isinstance(value, dict) else str(text))
    out.print(table, soft_wrap=False)


@app.command()
def export(
    engine: EngineFolder,
    out_path: Annotated[Path, typer.Option("--out", "-o", help="A .txt or .bin (word2vec), .npz, .parquet, or projector folder.")],
    format: Annotated[str, typer.Option(help="word2vec-text, word2vec-binary, projector, numpy or parquet; else by the ending.")] = "auto",
) -> None:
    """Write an engine's vectors for other programs."""
    vectors = Engine.load(engine).vectors
    out.print(f"{vectors.write(out_path, format)}: {vectors!r}")


@app.command()
def formats(as_json: AsJson = False) -> None:
    """The log formats that are read."""
    rows = [{"format": reader.name, "what": reader.title, "looks like": reader.looks_like} for reader in READERS.values()]
    _show(pl.DataFrame(rows), "Formats", as_json)


@app.command()
def demo(
    out_folder: Annotated[Path, typer.Option("--out", "-o", help="Where the engine and the maps go.")] = Path("demo"),
) -> None:
    """The main job on a real log that comes with the package: a week of classic-rock radio."""
    for title, table in run_demo(classic_rock(), out_folder):
        out.print(title, style="bold")
        if table is not None:
            _show(table, "", as_json=False)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every error becomes one sentence on stderr and exit code 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that cannot write a name shows ? for it
    handler = RichHandler(console=Console(stderr=True), show_time=False, show_path=False)  # wraps its lines, unlike ``err``
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    try:
        app(arguments)
    except Song2VecError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)


def _fail(message: str) -> None:
    err.print(f"error: {message}", style="red")
    sys.exit(2)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        out.print(f"song2vec {__version__}")
        raise typer.Exit


def _columns(given: list[str] | None) -> dict[str, list[str]] | None:
    """``["song=track_id", "time=date,clock"]`` -> ``{"song": ["track_id"], "time": ["date", "clock"]}``."""
    if not given:
        return None
    pairs = [text.partition("=") for text in given]
    wrong = next((text for text, (_, sign, value) in zip(given, pairs, strict=True) if not sign or not value), None)
    if wrong is not None:
        raise ArgumentError(f"--column {wrong!r}: NAME=COLUMN is allowed, as song=track_id")
    return {name: value.split(",") for name, _, value in pairs}


def _listens_of(log: Path, listener: str | None) -> pl.DataFrame:
    """One listener's part of a log."""
    table = read_listens(log).table
    names = table["listener"].cast(pl.String)
    known = names.unique().sort()
    if len(known) > 1 if listener is None else listener not in known:
        some = ", ".join(map(repr, known.head(5).to_list())) + (", ..." if len(known) > 5 else "")
        raise ArgumentError(
            f"--log {log}: choose one --listener of {some}" if listener is None else f"--listener {listener!r}: is not among {some}"
        )
    return table if listener is None else table.filter(names == listener)


def _label(engine: Engine, song: str | int) -> str:
    return engine.catalogue.label(engine.catalogue.row(song))


def _show(frame: pl.DataFrame, title: str, as_json: bool) -> None:
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


if __name__ == "__main__":
    main()
