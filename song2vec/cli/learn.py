"""Commands that learn: engines, and the settings of models."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from song2vec import Engine
from song2vec.cli.app import app
from song2vec.cli.console import err, out, show
from song2vec.cli.options import AsJson, Column, Cutting, Format, Gap, K, Log, Seed, SessionLength, SongPlays, writable
from song2vec.core.errors import ArgumentError
from song2vec.engine.next_song import chosen
from song2vec.evaluation.tuned import read_settings
from song2vec.evaluation.tuning import tune as tune_model
from song2vec.models import Nearest, NearestSong, make_model
from song2vec.vectors import LEARNERS, make_learner

Index = StrEnum("Index", ["annoy", "exact", "hnsw", "auto"])
Metric = StrEnum("Metric", ["recall", "mrr", "ndcg"])


@app.command()
def train(
    log: Log,
    out_folder: Annotated[Path, typer.Option("--out", "-o", help="Where to save the engine.")] = Path("music.s2v"),
    format: Format = "auto",
    column: Column = None,
    gap_minutes: Gap = 30,
    min_song_plays: SongPlays = 1,
    min_session_length: SessionLength = 2,
    vectors: Annotated[str | None, typer.Option(help=f"What learns them: {', '.join(LEARNERS)}.", show_default="word2vec")] = None,
    size: Annotated[int | None, typer.Option(help="Numbers in a vector.")] = None,
    window: Annotated[int | None, typer.Option(help="Songs before and after that count as context.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the sessions.")] = None,
    index: Annotated[Index, typer.Option(help="Kind of index.")] = Index.annoy,
    next_song: Annotated[str | None, typer.Option(help="Also learn what comes next, by this model.")] = None,
    config: Annotated[Path | None, typer.Option(help="Also learn what comes next, by the model that 'song2vec tune' wrote here.")] = None,
    workers: Annotated[int | None, typer.Option(help="Threads; one gives the same result every time.")] = None,
    seed: Seed = 0,
) -> None:
    """Learn song vectors from a listening log, and what comes next, and save them as an engine."""
    if next_song is not None and config is not None:
        raise ArgumentError("train: give --next-song NAME or --config FILE, one of the two")
    model = next_song if config is None else read_settings(config)
    given: dict[str, Any] = {"size": size, "window": window, "epochs": epochs, "workers": workers}
    settings = {name: value for name, value in given.items() if value is not None}
    make_learner(vectors or "word2vec", seed, settings)  # what cannot be made is better known before the log is read
    chosen(model, seed)
    sessions = Cutting(format, column, gap_minutes, min_song_plays, min_session_length).sessions(log)
    if isinstance(model, Nearest) and vectors in (None, model.learner):  # its vectors are the engine's
        vectors, settings = model.learner, {**model.learner_settings, **settings}
        model = NearestSong(decay=model.decay, repeats=model.repeats)
    options: dict[str, Any] = {"vectors": vectors or "word2vec", "seed": seed, **settings}
    engine = Engine.train(sessions, index=index.value, next_song=model, **options)
    engine.save(out_folder)
    out.print(f"{out_folder}: {engine.info()}")


@app.command()
def tune(
    log: Log,
    model: Annotated[str, typer.Option(help="Which next-song model.")],
    out_file: Annotated[Path, typer.Option("--out", "-o", help="Where to write the best settings.")] = Path("best.json"),
    format: Format = "auto",
    column: Column = None,
    gap_minutes: Gap = 30,
    min_song_plays: SongPlays = 1,
    min_session_length: SessionLength = 2,
    trials: Annotated[int, typer.Option(help="How many settings to try.")] = 30,
    metric: Annotated[Metric, typer.Option(help="What to raise.")] = Metric.recall,
    k: K = 20,
    validation: Annotated[float, typer.Option(help="The share of sessions that settings are scored on.")] = 0.1,
    max_queries: Annotated[int, typer.Option(help="Score on so many plays at most.")] = 5_000,
    study: Annotated[Path | None, typer.Option(help="Keep the trials here; a search that was stopped goes on.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no further trial begins.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Search for the settings of a model that suit a log, and write them for 'song2vec train --config'."""
    named = make_model(model)
    writable(out_file)
    sessions = Cutting(format, column, gap_minutes, min_song_plays, min_session_length).sessions(log)
    rules: dict[str, Any] = {"validation": validation, "max_queries": max_queries, "study": study, "timeout": timeout}
    found = tune_model(named, sessions, trials=trials, metric=metric.value, k=k, seed=seed, **rules)
    found.save(out_file)
    show(found.table if as_json else _brief(found.table), "Trials", as_json)
    settings = ", ".join(f"{name}={value!r}" for name, value in found.settings.items())
    err.print(f"{out_file}: {found.model.name}, {found.metric}@{found.k} {found.score:.4f} on {found.queries:,} queries: {settings}")


def _brief(trials: pl.DataFrame) -> pl.DataFrame:
    """Trials with their settings in one column, so that they fit into a terminal, and messages where there are some."""
    fixed = ("trial", "score", "state", "seconds", "message")
    tried = [
        ", ".join(
            f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in row.items() if name not in fixed
        )
        for row in trials.to_dicts()
    ]
    brief = trials.select("trial", "score", "state", "message").insert_column(3, pl.Series("settings", tried))
    return brief if trials["state"].is_in(["failed"]).any() else brief.drop("message")
