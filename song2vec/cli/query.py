"""Commands that ask an engine for songs and playlists."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from song2vec import Engine, read_listens
from song2vec.catalogue import SongId
from song2vec.cli.app import AsJson, EngineFolder, K, Seed, app, err, show, with_options, writable
from song2vec.core.errors import ArgumentError
from song2vec.playlists import Playlist
from song2vec.playlists.files import ENDINGS
from song2vec.playlists.making import Method, Sampling
from song2vec.playlists.rules import PlaylistRules
from song2vec.playlists.scoring import ScoreAdjustments
from song2vec.search.listeners import Listener

NotBy = Annotated[list[str] | None, typer.Option(help="Leave out an artist; may be repeated.")]
PerArtist = Annotated[int | None, typer.Option(help="At most so many songs of an artist.")]
Length = Annotated[int, typer.Option("--length", "-n", help="How many songs.")]
SaveAs = Annotated[Path | None, typer.Option("--out", "-o", help=f"Save as {', '.join(ENDINGS)}.")]
Whose = Annotated[str | None, typer.Option("--listener", help="Whose session: one the model learned from, or one of --log.")]
TheirLog = Annotated[Path | None, typer.Option("--log", help="What the listener played before.")]
Exclude = Annotated[list[str] | None, typer.Option(help="A song not to play; may be repeated.")]


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
    found = loaded.similar(songs, k, unlike=unlike or (), not_by=not_by or (), max_per_artist=max_per_artist)
    show(found, f"Songs like {_labels(loaded, songs)}", as_json)


@app.command()
def recommend(
    engine: EngineFolder,
    songs: Annotated[list[str] | None, typer.Argument(help="Songs the listener played, by id or name.")] = None,
    log: Annotated[Path | None, typer.Option(help="Their listening log, instead of songs.")] = None,
    listener: Annotated[str | None, typer.Option(help="Which listener of the log.")] = None,
    k: K = 10,
    half_life_days: Annotated[float | None, typer.Option(help="With --log: a play so many days old counts half.")] = None,
    with_history: Annotated[bool, typer.Option("--with-history", help="Also songs they have played.")] = False,
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
    found = loaded.recommend(
        songs or [] if log is None else _listens_of(log, listener),
        k,
        half_life_days=half_life_days,
        unknown="raise" if log is None else "skip",
        exclude_history=not with_history,
        not_by=not_by or (),
        max_per_artist=max_per_artist,
    )
    show((found if as_json else _with_labels(loaded, found)).drop("because_cosine"), "Songs for this listener", as_json)


@app.command("next")
def next_(
    engine: EngineFolder,
    songs: Annotated[list[str], typer.Argument(help="What was played so far, by id or name, the last one last.")],
    k: K = 10,
    listener: Whose = None,
    log: TheirLog = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A song not to suggest; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Songs that come next, by the engine's next-song model."""
    loaded = Engine.load(engine)
    found = loaded.next(songs, k, listener=_whose(loaded, log, listener), exclude=exclude or ())
    show(found, f"What comes after {_labels(loaded, songs)}", as_json)


@app.command()
@with_options()
def playlist(
    engine: EngineFolder,
    songs: Annotated[list[str], typer.Argument(help="Songs to go on from, by id or name.")],
    *,
    length: Length = 25,
    method: Annotated[Method, typer.Option(help="The best song each time, drawn, or the best whole.")] = "greedy",
    sampling: Sampling,
    rules: PlaylistRules,
    adjustments: ScoreAdjustments,
    listener: Whose = None,
    log: TheirLog = None,
    exclude: Exclude = None,
    shorter: Annotated[bool, typer.Option("--shorter", help="Take fewer songs where the rules leave no more.")] = False,
    seed: Seed = 0,
    save_as: SaveAs = None,
    as_json: AsJson = False,
) -> None:
    """A playlist that goes on from some songs.

    A song's score is 0 for the best that may come next, -0.7 for the second, -2.3 for the tenth, and what the adjustments add.
    """
    drawn = {"seed": seed, **sampling.settings}
    for name, default in {"seed": 0, **Sampling().settings}.items():
        if method != "sample" and drawn[name] != default:
            raise ArgumentError(f"--{name.replace('_', '-')} {drawn[name]}: goes with --method sample")
    loaded = Engine.load(engine)
    options = {**drawn, **rules.settings, **adjustments.settings, "listener": _whose(loaded, log, listener)}
    made = loaded.playlist(songs, length, method=method, exclude=exclude or (), shorter=shorter, **options)
    _give(loaded, made, "Playlist", save_as, as_json)


@app.command()
@with_options("repeat_gap")
def bridge(
    engine: EngineFolder,
    a: Annotated[str, typer.Argument(help="The song to start from, by id or name.")],
    b: Annotated[str, typer.Argument(help="The song to arrive at.")],
    *,
    length: Length = 10,
    rules: PlaylistRules,
    listener: Whose = None,
    log: TheirLog = None,
    exclude: Exclude = None,
    save_as: SaveAs = None,
    as_json: AsJson = False,
) -> None:
    """A playlist that moves from one song to another."""
    loaded = Engine.load(engine)
    kept = {name: getattr(rules, name) for name in ("artist_gap", "max_per_artist")}
    made = loaded.bridge(a, b, length, listener=_whose(loaded, log, listener), exclude=exclude or (), **kept)
    _give(loaded, made, f"From {a} to {b}", save_as, as_json)


def _give(engine: Engine, made: Playlist, title: str, save_as: Path | None, as_json: bool) -> None:
    """Save a playlist where it is wanted in a file, and show it where it is not, or wanted as JSON."""
    if save_as is not None:
        made.save(writable(save_as), title=title)
        err.print(f"{save_as}: {len(made)} songs")
    if as_json:
        show(made.table, title, as_json)
    elif save_as is None:
        show(_with_labels(engine, made.table).drop("because_cosine"), title, as_json)


def _with_labels(engine: Engine, found: pl.DataFrame) -> pl.DataFrame:
    """A table whose reasons are names of songs, and no ids."""
    labels = [None if song is None else _labels(engine, [song]) for song in found["because"].to_list()]
    return found.with_columns(because=pl.Series(labels, dtype=pl.String))


def _whose(engine: Engine, log: Path | None, listener: str | None) -> Listener | SongId | None:
    """Who is asked for: by what they played, or by an id that the engine's model learned from."""
    if log is not None:
        return engine.listener(_listens_of(log, listener), unknown="skip")
    return int(listener) if listener and listener.isdecimal() and not engine.next_model.knows(listener) else listener


def _listens_of(log: Path, listener: str | None) -> pl.DataFrame:
    """One listener's part of a log."""
    table = read_listens(log).table
    names = table["listener"].cast(pl.String)
    known = names.unique().sort()
    some = ", ".join(map(repr, known.head(5).to_list())) + (", ..." if len(known) > 5 else "")
    if listener is None and len(known) > 1:
        raise ArgumentError(f"--log {log}: choose one --listener of {some}")
    if listener is not None and listener not in known:
        raise ArgumentError(f"--listener {listener!r}: is not among {some}")
    return table if listener is None else table.filter(names == listener)


def _labels(engine: Engine, songs: Iterable[SongId]) -> str:
    return ", ".join(engine.catalogue.label(engine.catalogue.row(engine.find(song))) for song in songs)
