"""Commands that learn from logs, and that evaluate what was learned by the next song of sessions it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
import typer

from song2vec import Engine, Sessions, split_at_random, split_by_listener, split_by_time, split_last_session, split_predefined
from song2vec.cli.app import AsJson, Cutting, EngineFolder, K, Log, Seed, app, err, out, settings, show, with_options, writable
from song2vec.core.checks import check_choice
from song2vec.core.config import as_json
from song2vec.core.errors import ArgumentError
from song2vec.engine.parts import next_song_model
from song2vec.evaluation.compare import compare as compare_models
from song2vec.evaluation.comparison import ENDINGS, PICTURES
from song2vec.evaluation.protocol import evaluate as evaluate_model
from song2vec.evaluation.study import read_settings
from song2vec.evaluation.tuning import METRICS
from song2vec.evaluation.tuning import tune as tune_model
from song2vec.models import Nearest, make_model
from song2vec.search import INDEXES
from song2vec.vectors import LEARNERS, make_learner

Split = Literal["time", "last-session", "listener", "random"]
EXAMPLE = "loss=negative-sampling, and next_song.hidden=64 for the next-song model"


@dataclass(frozen=True)
class SearchOptions:
    """How settings are searched for."""

    trials: Annotated[int, typer.Option(help="How many settings to try.")] = 30
    metric: Annotated[str, typer.Option(help=f"What to raise: {', '.join(METRICS)}.")] = "recall"
    k: K = 20
    validation: Annotated[float, typer.Option(help="The share of sessions that settings are scored on.")] = 0.1
    max_queries: Annotated[int, typer.Option(help="Score on so many plays at most.")] = 5_000
    study: Annotated[Path | None, typer.Option(help="Keep the trials in this folder; a search that was stopped goes on.")] = None
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no further trial begins.")] = None


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
    options = {"size": size, "window": window, "epochs": epochs, "workers": workers}
    given = {name: value for name, value in options.items() if value is not None} | settings(to_set, EXAMPLE)
    of_model = {name.removeprefix("next_song."): given.pop(name) for name in list(given) if name.startswith("next_song.")}
    model = next_song_model(next_song if config is None else read_settings(config), seed)
    if of_model:
        if model is None:
            raise ArgumentError(f"--set next_song.{next(iter(of_model))}: goes with --next-song NAME or --config FILE")
        model = model.replaced(of_model)
    own = as_json(model.learner) if isinstance(model, Nearest) else None
    own = {"name": own} if isinstance(own, str) else own
    if model is not None and own and vectors in (None, own["name"]):  # its vectors are the engine's
        vectors, given = own["name"], {**own.get("settings", {}), **given}
        model = model.replaced({"learner": "word2vec"})
    learner = make_learner(vectors or "word2vec", seed, given)  # what cannot be made is better known before the log is read
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
    search: SearchOptions,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Search for the settings of a model that suit a log, and write them for 'song2vec train --config'."""
    named = make_model(model)
    check_choice("metric", search.metric, METRICS)
    writable(out_file)
    found = tune_model(named, cutting.sessions(log), **vars(search), seed=seed)
    found.save(out_file)
    show(found.table if as_json else _brief(found.table), "Trials", as_json)
    best = ", ".join(f"{name}={value!r}" for name, value in found.settings.items())
    err.print(f"{out_file}: {found.model.name}, {found.metric}@{found.k} {found.score:.4f} on {found.queries:,} queries: {best}")


@app.command()
@with_options()
def compare(
    log: Log,
    *,
    model: Annotated[list[str], typer.Option(help="A next-song model by name, or a file of settings; to be repeated.")],
    split: Annotated[Split | None, typer.Option(help="How to hold sessions out; by time where nothing is said.")] = None,
    test_days: Annotated[float | None, typer.Option(help="With --split time: days of the test, at the end; 7 by default.")] = None,
    test_share: Annotated[
        float | None, typer.Option(help="With --split listener or random: the share of the test; 0.2 by default.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="A log to test on, instead of holding sessions out.")] = None,
    k: K = 20,
    baseline: Annotated[str | None, typer.Option(help="The model others are compared with.")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", "-o", help=f"A file: {', '.join((*ENDINGS, *PICTURES))}.")] = None,
    cutting: Cutting,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Train models on a part of a log, and see how often each predicts the next song in the rest."""
    if test is not None and split is not None:
        raise ArgumentError("compare: give --split or --test FILE, one of the two")
    if test_share is not None and split not in ("listener", "random"):
        raise ArgumentError("--test-share: belongs to --split listener or --split random")
    if test_days is not None and (test is not None or split not in (None, "time")):
        raise ArgumentError("--test-days: belongs to --split time")
    if out_file is not None and writable(out_file).suffix.lower() not in (*ENDINGS, *PICTURES):
        raise ArgumentError(f"--out {out_file}: ends in {out_file.suffix!r}; {', '.join((*ENDINGS, *PICTURES))} are allowed")
    models = [read_settings(each) if each.endswith(".json") else make_model(each) for each in model]
    if baseline is not None and not any(baseline.startswith(each.name) for each in models):  # before anything is trained
        raise ArgumentError(f"--baseline {baseline!r}: {', '.join(repr(each.name) for each in models)} are compared")
    whole = cutting.sessions(log)
    train, held_out = _split(whole, split, test_days, test_share, seed) if test is None else split_predefined(whole, cutting.sessions(test))
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
@with_options()
def evaluate(engine: EngineFolder, log: Log, *, k: K = 20, cutting: Cutting, as_json: AsJson = False) -> None:
    """How well an engine predicts the next songs of a log that it was not trained on."""
    loaded = Engine.load(engine)
    found = evaluate_model(loaded.next_model, cutting.sessions(log), k=k)
    err.print(f"{found!r}")
    spread, figures = found.intervals(), found.metrics()
    low, high = ([getattr(spread[name], end) if name in spread else None for name in figures] for end in ("low", "high"))
    table = pl.DataFrame({"metric": list(figures), "value": list(figures.values()), "low": low, "high": high})
    show(table.fill_nan(None), f"{found.model}, lists of {k}", as_json)


def _split(sessions: Sessions, split: Split | None, days: float | None, share: float | None, seed: int) -> tuple[Sessions, Sessions]:
    share = 0.2 if share is None else share
    if split == "last-session":
        return split_last_session(sessions)
    if split == "listener":
        return split_by_listener(sessions, share, seed=seed)
    if split == "random":
        return split_at_random(sessions, share, seed=seed)
    return split_by_time(sessions, 7 if days is None else days)


def _brief(trials: pl.DataFrame) -> pl.DataFrame:
    """Trials with their settings in one column, so that they fit into a terminal, and messages where there are some."""
    tried = trials.drop("trial", "score", "state", "seconds", "message").to_dicts()
    short = [[f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in row.items()] for row in tried]
    settings = pl.Series("settings", [", ".join(row) for row in short])
    brief = trials.select("trial", "score", "state", settings, "message")
    return brief if trials["state"].is_in(["failed"]).any() else brief.drop("message")
