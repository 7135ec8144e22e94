"""Commands that evaluate models: by the next song of sessions they have not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import polars as pl
import typer

from song2vec import Engine, Sessions, split_at_random, split_by_listener, split_by_time, split_last_session, split_predefined
from song2vec.cli.app import app, err, out, show
from song2vec.cli.options import AsJson, Cutting, EngineFolder, K, Log, Seed, with_options, writable
from song2vec.core.errors import ArgumentError
from song2vec.evaluation.compare import compare as compare_models
from song2vec.evaluation.comparison import ENDINGS, PICTURES
from song2vec.evaluation.protocol import evaluate as evaluate_model
from song2vec.evaluation.study import read_settings
from song2vec.models import make_model

Way = Literal["time", "last-session", "listener", "random"]


@app.command()
@with_options()
def compare(
    log: Log,
    *,
    model: Annotated[list[str], typer.Option(help="A next-song model by name, or a file of settings; to be repeated.")],
    split: Annotated[Way | None, typer.Option(help="How to hold sessions out; by time where nothing is said.")] = None,
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


def _split(sessions: Sessions, way: Way | None, days: float | None, share: float | None, seed: int) -> tuple[Sessions, Sessions]:
    share = 0.2 if share is None else share
    if way == "last-session":
        return split_last_session(sessions)
    if way == "listener":
        return split_by_listener(sessions, share, seed=seed)
    if way == "random":
        return split_at_random(sessions, share, seed=seed)
    return split_by_time(sessions, 7 if days is None else days)
