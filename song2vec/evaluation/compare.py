"""Several models, the same queries, one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from song2vec.core.arrays import Array
from song2vec.core.checks import check_choice, check_type, named_options
from song2vec.core.config import Component, settings_of
from song2vec.core.errors import ArgumentError
from song2vec.core.progress import progress_bar
from song2vec.evaluation.comparison import Comparison
from song2vec.evaluation.protocol import ask, check_model, queries
from song2vec.evaluation.results import Evaluation, interval, resampled
from song2vec.models import NextSongModel
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors


@named_options
def compare(
    models: Iterable[NextSongModel] | Mapping[str, NextSongModel],
    test: Sessions,
    *,
    k: int = 20,
    baseline: str | None = None,
    resamples: int = 1000,
    seed: int = 0,
    vectors: SongVectors | None = None,
    timed: int = 200,
    progress: bool | None = None,
) -> Comparison:
    """Ask several fitted models the same queries, by the protocol of :func:`evaluate`.

    Where models know different songs, only songs that all of them know are given and asked for; the others are left out of
    the sessions for every model, and counted. Each still ranks all songs it knows (``songs`` in the table), and popularity is by
    the plays of its own catalogue: such figures compare models together with their data.

    Args:
        models: a list, named by their models and, where these repeat, the settings that differ; or a dict by label.
        test: sessions that no model saw.
        k: length of the lists.
        baseline: the label of the model that the others are held against, by the same resamples: an interval of the
            difference that leaves out 0 tells them apart, even where their own intervals overlap.
        resamples: draws for the intervals.
        vectors: tell how varied the lists are; left out otherwise.
        timed: queries scored one by one for the milliseconds.
        progress: a bar on stderr; None shows it where a person is likely to watch.

    Raises ArgumentError for a bad argument, NothingLeftError when no query is left.
    """
    named = _labelled(models)
    if baseline is not None:
        check_choice("baseline", baseline, named)
    asked = queries(test, [check_model(model) for model in named.values()])
    found: dict[str, Evaluation] = {}
    with progress_bar("comparing", len(named), progress) as advance:
        for label, model in named.items():
            found[label] = ask(model, asked, k=k, vectors=vectors, timed=timed, seed=seed)
            advance(label)
    names = [(label, name) for label, answers in found.items() for name in answers.ratios]
    columns = resampled(asked.session, [found[label].ratios[name] for label, name in names], resamples, seed).T
    drawn = dict(zip(names, columns, strict=True))
    table = _frame([_figures(label, named[label], answers, drawn) for label, answers in found.items()])
    differences = None
    if baseline is not None:
        differences = _frame([_difference(label, found, drawn, baseline) for label in found if label != baseline])
    dropped = str(test.report) if test.report is not None and test.report.dropped else ""
    return Comparison(table, differences, found, k, baseline, resamples, seed, dropped)


def _labelled(models: Iterable[NextSongModel] | Mapping[str, NextSongModel]) -> dict[str, NextSongModel]:
    check_type("models", models, Iterable, "a list of fitted models, or a dict of them by label, is allowed")
    if isinstance(models, Mapping):
        named = dict(models)
    else:
        named, given = {}, list(models)
        for model in given:
            check_model(model)
            named[_label(model, given, named)] = model
    if not named:
        raise ArgumentError("models: is empty; at least one fitted model is needed")
    return named


def _label(model: NextSongModel, given: list[NextSongModel], taken: Mapping[str, NextSongModel]) -> str:
    """``markov``, or ``sr(steps=8)`` beside an sr of other steps, or ``markov 2`` for the same once more."""
    others = [_flat(other) for other in given if other.name == model.name]
    differing = [f"{name}={value!r}" for name, value in _flat(model).items() if any(other.get(name, value) != value for other in others)]
    label = f"{model.name}({', '.join(differing)})" if differing else model.name
    number = sum(name == label or name.startswith(f"{label} ") for name in taken) + 1
    return label if number == 1 else f"{label} {number}"


def _flat(model: NextSongModel) -> dict[str, Any]:
    """All settings, those of a component beside its name as ``learner.size``."""
    found = model.settings
    for name, (_, allowed, _) in settings_of(type(model)).items():
        if isinstance(allowed, Component):
            part = model.component(name)
            found |= {name: part.name, **{f"{name}.{inner}": value for inner, value in part.settings.items()}}
    return found


def _figures(label: str, model: NextSongModel, answers: Evaluation, drawn: Mapping[tuple[str, str], Array]) -> dict[str, Any]:
    """A row of the table: every metric with its interval, and what the model costs."""
    row: dict[str, Any] = {"model": label}
    for name, value in answers.metrics().items():
        row |= _bounded(name, value, drawn[label, name]) if (label, name) in drawn else {name: value}
    speed = answers.speed
    return row | {
        "songs": len(answers.catalogue),
        "fit_seconds": model.fit_seconds_,
        "queries_per_second": speed.queries_per_second,
        "p50_ms": speed.percentile(50),
        "p99_ms": speed.percentile(99),
        "bytes": model.nbytes,
    }


def _difference(label: str, evaluations: Mapping[str, Evaluation], drawn: Mapping[tuple[str, str], Array], baseline: str) -> dict[str, Any]:
    """A row of the differences: every metric that is a sum over queries, less the baseline's, with its interval."""
    row: dict[str, Any] = {"model": label}
    base = evaluations[baseline].ratios
    for name, ratio in evaluations[label].ratios.items():
        if name in base and name != "repeat_share":  # that one is of the test, the same for all
            row |= _bounded(name, ratio.value - base[name].value, drawn[label, name] - drawn[baseline, name])
    return row


def _bounded(name: str, value: float, figures: Array) -> dict[str, float]:
    bounds = interval(figures)
    return {name: value, f"{name}_low": bounds.low, f"{name}_high": bounds.high}


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(pl.Float64).fill_nan(None))
