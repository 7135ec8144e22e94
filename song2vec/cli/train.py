"""Commands that learn: engines, and the settings of models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from song2vec import Engine
from song2vec.cli.app import app, err, out, show
from song2vec.cli.options import AsJson, Cutting, K, Log, Seed, settings, with_options, writable
from song2vec.core.checks import check_choice
from song2vec.core.config import as_json
from song2vec.core.errors import ArgumentError
from song2vec.engine.info import next_song_model
from song2vec.evaluation.study import read_settings
from song2vec.evaluation.tuning import METRICS
from song2vec.evaluation.tuning import tune as tune_model
from song2vec.models import Nearest, make_model
from song2vec.search import INDEXES
from song2vec.vectors import LEARNERS, make_learner

EXAMPLE = "loss=negative-sampling, and next_song.hidden=64 for the next-song model"


@app.command()
@with_options()
def train(
    log: Log,
    *,
    out_folder: Annotated[Path, typer.Option("--out", "-o", help="Where to save the engine.")] = Path("music.s2v"),
    cutting: Cutting,
    vectors: Annotated[str | None, typer.Option(help=f"What learns them: {', '.join(LEARNERS)}.", show_default="word2vec")] = None,
    size: Annotated[int | None, typer.Option(help="Numbers in a vector.")] = None,
    window: Annotated[int | None, typer.Option(help="Songs before and after that count as context.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the sessions.")] = None,
    workers: Annotated[int | None, typer.Option(help="Threads; one gives the same result every time.")] = None,
    to_set: Annotated[list[str] | None, typer.Option("--set", help=f"Another setting, as {EXAMPLE}; may be repeated.")] = None,
    index: Annotated[str, typer.Option(help=f"Kind of index: {', '.join([*INDEXES, 'auto'])}.")] = "annoy",
    next_song: Annotated[str | None, typer.Option(help="Also learn what comes next, by this model.")] = None,
    config: Annotated[Path | None, typer.Option(help="Also learn what comes next, by the model that 'song2vec tune' wrote here.")] = None,
    seed: Seed = 0,
) -> None:
    """Learn song vectors from a listening log, and what comes next, and save them as an engine."""
    if next_song is not None and config is not None:
        raise ArgumentError("train: give --next-song NAME or --config FILE, one of the two")
    check_choice("index", index, (*INDEXES, "auto"))
    given = {"size": size, "window": window, "epochs": epochs, "workers": workers, **settings(to_set, EXAMPLE)}
    of_model = {name.removeprefix("next_song."): given.pop(name) for name in list(given) if name.startswith("next_song.")}
    of_learner = {name: value for name, value in given.items() if value is not None}
    model = next_song_model(next_song if config is None else read_settings(config), seed)
    if of_model:
        if model is None:
            raise ArgumentError(f"--set next_song.{next(iter(of_model))}: goes with --next-song NAME or --config FILE")
        model = model.replaced(of_model)
    own = as_json(model.learner) if isinstance(model, Nearest) else None
    own = {"name": own} if isinstance(own, str) else own
    if model is not None and own and vectors in (None, own["name"]):  # its vectors are the engine's
        vectors, of_learner = own["name"], {**own.get("settings", {}), **of_learner}
        model = model.replaced({"learner": "word2vec"})
    learner = make_learner(vectors or "word2vec", seed, of_learner)  # what cannot be made is better known before the log is read
    engine = Engine.train(cutting.sessions(log), vectors=learner, index=index, next_song=model, seed=seed)
    engine.save(out_folder)
    out.print(f"{out_folder}: {engine.info()}")


@app.command()
@with_options()
def tune(
    log: Log,
    *,
    model: Annotated[str, typer.Option(help="Which next-song model.")],
    out_file: Annotated[Path, typer.Option("--out", "-o", help="Where to write the best settings.")] = Path("best.json"),
    cutting: Cutting,
    trials: Annotated[int, typer.Option(help="How many settings to try.")] = 30,
    metric: Annotated[str, typer.Option(help=f"What to raise: {', '.join(METRICS)}.")] = "recall",
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
    check_choice("metric", metric, METRICS)
    writable(out_file)
    found = tune_model(
        named,
        cutting.sessions(log),
        trials=trials,
        metric=metric,
        k=k,
        validation=validation,
        max_queries=max_queries,
        study=study,
        timeout=timeout,
        seed=seed,
    )
    found.save(out_file)
    show(found.table if as_json else _brief(found.table), "Trials", as_json)
    best = ", ".join(f"{name}={value!r}" for name, value in found.settings.items())
    err.print(f"{out_file}: {found.model.name}, {found.metric}@{found.k} {found.score:.4f} on {found.queries:,} queries: {best}")


def _brief(trials: pl.DataFrame) -> pl.DataFrame:
    """Trials with their settings in one column, so that they fit into a terminal, and messages where there are some."""

    def shown(row: dict[str, Any]) -> str:
        tried = {name: value for name, value in row.items() if name not in ("trial", "score", "state", "seconds", "message")}
        return ", ".join(f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in tried.items())

    settings = pl.Series("settings", [shown(row) for row in trials.to_dicts()])
    brief = trials.select("trial", "score", "state", settings, "message")
    return brief if trials["state"].is_in(["failed"]).any() else brief.drop("message")
