"""Commands that judge models: by the next song of sessions they have not seen."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from song2vec import Engine, Sessions, split_at_random, split_by_listener, split_by_time, split_given, split_last_session
from song2vec.cli.app import app
from song2vec.cli.console import err, out, show
from song2vec.cli.options import AsJson, Column, Cutting, EngineFolder, Format, Gap, K, Log, Seed, SessionLength, SongPlays, writable
from song2vec.core.errors import ArgumentError
from song2vec.engine.next_song import nearest_song
from song2vec.evaluation.compare import compare as compare_models
from song2vec.evaluation.comparison import ENDINGS, PICTURES
from song2vec.evaluation.protocol import evaluate as evaluate_model
from song2vec.evaluation.tuned import read_settings
from song2vec.models import NextSongModel, make_model

DAYS, SHARE = 7, 0.2  # of the test, where nothing is said
Way = StrEnum("Way", {"time": "time", "last_session": "last-session", "listener": "listener", "random": "random"})


@app.command()
def compare(
    log: Log,
    model: Annotated[list[str], typer.Option(help="A next-song model by name, or a file of settings; to be repeated.")],
    split: Annotated[Way | None, typer.Option(help="How to hold sessions out; by time where nothing is said.")] = None,
    test_days: Annotated[float | None, typer.Option(help="With --split time: days of the test, at the end; 7 by default.")] = None,
    test_share: Annotated[
        float | None, typer.Option(help="With --split listener or random: the share of the test; 0.2 by default.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="A log to test on, instead of holding sessions out.")] = None,
    k: K = 20,
    baseline: Annotated[str | None, typer.Option(help="The model others are compared with.")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", "-o", help="A .json, .csv, .md, .png, .svg or .pdf.")] = None,
    format: Format = "auto",
    column: Column = None,
    gap_minutes: Gap = 30,
    min_song_plays: SongPlays = 1,
    min_session_length: SessionLength = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Train models on a part of a log, and see how often each foretells the next song in the rest."""
    if test is not None and split is not None:
        raise ArgumentError("compare: give --split or --test FILE, one of the two")
    if test_share is not None and split not in (Way.listener, Way.random):
        raise ArgumentError("--test-share: belongs to --split listener or --split random")
    if test_days is not None and (test is not None or split not in (None, Way.time)):
        raise ArgumentError("--test-days: belongs to --split time")
    if out_file is not None and writable(out_file).suffix.lower() not in (*ENDINGS, *PICTURES):
        raise ArgumentError(f"--out {out_file}: ends in {out_file.suffix!r}; {', '.join((*ENDINGS, *PICTURES))} are allowed")
    models = [_model(each) for each in model]
    if baseline is not None and not any(baseline.startswith(each.name) for each in models):  # before anything is trained
        raise ArgumentError(f"--baseline {baseline!r}: {', '.join(repr(each.name) for each in models)} are compared")
    cutting = Cutting(format, column, gap_minutes, min_song_plays, min_session_length)
    whole = cutting.sessions(log)
    train, held_out = _split(whole, split, test_days, test_share, seed) if test is None else split_given(whole, cutting.sessions(test))
    err.print(f"train {train!r}: {train.report}\ntest {held_out!r}: {held_out.report}")
    found = compare_models([each.fit(train) for each in models], held_out, k=k, baseline=baseline)
    if as_json:
        show(found.table, "", as_json)
    else:
        out.print(repr(found))
    if out_file is not None:
        (found.plot if out_file.suffix.lower() in PICTURES else found.save)(out_file)
        err.print(str(out_file))


@app.command()
def evaluate(
    engine: EngineFolder,
    log: Log,
    k: K = 20,
    format: Format = "auto",
    column: Column = None,
    gap_minutes: Gap = 30,
    min_song_plays: SongPlays = 1,
    min_session_length: SessionLength = 2,
    as_json: AsJson = False,
) -> None:
    """How well an engine foretells the next songs of a log that it was not trained on."""
    loaded = Engine.load(engine)
    test = Cutting(format, column, gap_minutes, min_song_plays, min_session_length).sessions(log)
    found = evaluate_model(loaded.next_song or nearest_song(loaded.vectors), test, k=k)
    err.print(f"{found!r}")
    spread, figures = found.intervals(), found.metrics()
    low, high = ([getattr(spread[name], end) if name in spread else None for name in figures] for end in ("low", "high"))
    table = pl.DataFrame({"metric": list(figures), "value": list(figures.values()), "low": low, "high": high})
    show(table.fill_nan(None), f"{found.model}, lists of {k}", as_json)


def _model(text: str) -> NextSongModel:
    return read_settings(text) if text.endswith(".json") else make_model(text)


def _split(sessions: Sessions, way: Way | None, days: float | None, share: float | None, seed: int) -> tuple[Sessions, Sessions]:
    share = SHARE if share is None else share
    if way is Way.last_session:
        return split_last_session(sessions)
    if way is Way.listener:
        return split_by_listener(sessions, share, seed=seed)
    if way is Way.random:
        return split_at_random(sessions, share, seed=seed)
    return split_by_time(sessions, DAYS if days is None else days)
