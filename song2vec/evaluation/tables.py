"""Evaluations of the same queries -> tables of figures with paired intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from song2vec.core.arrays import Array
from song2vec.evaluation.intervals import interval, resampled
from song2vec.evaluation.results import Evaluation
from song2vec.models import NextSongModel

Drawn = Mapping[str, Mapping[str, Array]]


def draw(evaluations: Mapping[str, Evaluation], resamples: int, seed: int) -> dict[str, dict[str, Array]]:
    """(resamples,) figures by label and metric, every resample the same sessions for all; the evaluations are of the same queries."""
    names = [(label, name) for label, answers in evaluations.items() for name in answers.ratios]
    session = next(iter(evaluations.values())).session
    columns = resampled(session, [evaluations[label].ratios[name] for label, name in names], resamples, seed).T
    drawn: dict[str, dict[str, Array]] = {label: {} for label in evaluations}
    for (label, name), figures in zip(names, columns, strict=True):
        drawn[label][name] = figures
    return drawn


def figures(models: Mapping[str, NextSongModel], evaluations: Mapping[str, Evaluation], drawn: Drawn) -> pl.DataFrame:
    """One row a model: every metric with its interval, and what the model costs."""
    return _frame([_figures(label, each, drawn[label]) | _costs(models[label], each) for label, each in evaluations.items()])


def _figures(label: str, answers: Evaluation, drawn: Mapping[str, Array]) -> dict[str, Any]:
    row: dict[str, Any] = {"model": label}
    for name, value in answers.metrics().items():
        row |= _bounded(name, value, drawn[name]) if name in drawn else {name: value}
    return row


def _bounded(name: str, value: float, figures: Array) -> dict[str, float]:
    bounds = interval(figures)
    return {name: value, f"{name}_low": bounds.low, f"{name}_high": bounds.high}


def _costs(model: NextSongModel, answers: Evaluation) -> dict[str, Any]:
    speed = answers.speed
    return {
        "songs": len(answers.catalogue),
        "fit_seconds": model.fit_seconds_,
        "queries_per_second": speed.queries_per_second,
        "p50_ms": speed.percentile(50),
        "p99_ms": speed.percentile(99),
        "bytes": model.nbytes,
    }


def differences(evaluations: Mapping[str, Evaluation], drawn: Drawn, baseline: str) -> pl.DataFrame:
    """One row for each model but the baseline: every metric that is a sum over queries, less the baseline's, with its interval."""
    base, rows = evaluations[baseline].ratios, []
    for label, answers in evaluations.items():
        if label == baseline:
            continue
        row: dict[str, Any] = {"model": label}
        for name, ratio in answers.ratios.items():
            if name in base and name != "repeat_share":  # that one is of the test, the same for all
                row |= _bounded(name, ratio.value - base[name].value, drawn[label][name] - drawn[baseline][name])
        rows.append(row)
    return _frame(rows)


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
