"""The settings that suit a log: a model tried with many, each scored on validation sessions; and the weight that suits a blend."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from time import perf_counter

import numpy as np
import polars as pl

from song2vec.core.arrays import Array
from song2vec.core.checks import check_choice, check_int, named_options
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.core.jit import jit
from song2vec.core.progress import progress_bar
from song2vec.core.random import generator
from song2vec.evaluation import metrics
from song2vec.evaluation.protocol import Queries, ask, check_model, queries
from song2vec.evaluation.search import Search, quiet_optuna, space_around
from song2vec.evaluation.study import Study, Tuned
from song2vec.models import Blend, NextSongModel, make_model
from song2vec.models.blend import mixed, side_by_side
from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_at_random, split_predefined

METRICS: dict[str, Callable[[Array, int], Array]] = {"recall": metrics.hit, "mrr": metrics.reciprocal_rank, "ndcg": metrics.ndcg}
SHARES = (0.25, 0.5, 1.0)  # of the queries: after each a trial that is behind is given up


@named_options
def tune(
    model: NextSongModel | str,
    train: Sessions,
    *,
    trials: int = 30,
    metric: str = "recall",
    k: int = 20,
    validation: float | Sessions = 0.1,
    max_queries: int | None = 5_000,
    seed: int = 0,
    study: str | os.PathLike[str] | None = None,
    timeout: float | None = None,
    progress: bool | None = None,
) -> Tuned:
    """Search the ``space`` that a model declares for the settings that score best, by the tree-structured Parzen estimator of optuna.

    The first trial has the model's own settings. Every trial answers the same queries in the same order, and is given up
    after a quarter or half of them when it is behind the median of the trials before. A trial that raises an error of ours
    is marked as failed, and the search goes on. The same seed tries the same settings, also when a search is resumed.

    Args:
        model: a model, whose settings outside of the space stay as they are, or a name.
        train: what models learn from, less the validation sessions.
        trials: how many, those of a resumed study included.
        metric, k: what to raise: the mean over queries of "recall", "mrr" or "ndcg" at k.
        validation: a share of the sessions of ``train``, drawn at random, or sessions of your own.
        max_queries: as many at most, of sessions drawn at random; None for all.
        study: a folder that keeps the trials; a search that was stopped goes on where it was.
        timeout: seconds after which no further trial begins.
        progress: show a bar; None shows it on a terminal.

    Raises ArgumentError for a bad argument, and the study of another search; SavedFolderError for a folder of something else;
    NothingLeftError when every trial failed; MissingExtraError without optuna.
    """
    template = make_model(model) if isinstance(model, str) else model
    _check(template, trials, metric, k, timeout)
    part, held_out = train, validation
    if not isinstance(held_out, Sessions):
        part, held_out = split_at_random(train, held_out, seed=seed)
    elif train.catalogue != held_out.catalogue:
        part, held_out = split_predefined(train, held_out)
    asked = queries(held_out, [part.catalogue], max_queries, seed)
    rungs = _rungs(asked, seed)
    space = {name: {type(values).__name__: asdict(values)} for name, values in space_around(template).items()}
    about = {"model": template.name, "settings": template.settings, "space": space, "metric": metric, "k": k, "seed": seed}
    sessions = [[some.catalogue.fingerprint, len(some), some.plays] for some in (part, held_out)]
    kept = Study.open(study, {**about, "max_queries": max_queries, "sessions": sessions})

    def attempt(candidate: NextSongModel) -> Iterator[tuple[float, bool]]:
        candidate.fit(part)
        ranks = np.empty(0, np.int32)
        for rung in rungs:
            ranks = np.concatenate([ranks, ask(candidate, rung, k=k, vectors=None, timed=0, seed=seed, lists=False).ranks])
            yield float(METRICS[metric](ranks, k).mean()), len(ranks) == len(asked)

    began = perf_counter()
    with quiet_optuna(), progress_bar(f"tune {template.name}", trials, progress) as advance:
        search = Search(template, kept, seed)
        for trial in kept.trials:
            advance(trial.state)
        while len(kept.trials) < trials and not (kept.trials and timeout is not None and perf_counter() - began > timeout):
            search.step(attempt)
            advance("" if kept.best is None else f"best {metric}@{k} {kept.best.scores[-1]:.4f}")
    if kept.best is None:
        raise NothingLeftError(f"tune: all {len(kept.trials)} trials failed, the last so: {kept.trials[-1].message}")
    return Tuned(template.replaced(kept.best.values), kept.best.scores[-1], metric, k, len(asked), kept.table())


@named_options
def tune_weight(
    blend: Blend,
    validation: Sessions,
    *,
    metric: str = "recall",
    k: int = 20,
    steps: int = 20,
    max_queries: int | None = 5_000,
    seed: int = 0,
) -> Tuned:
    """The weight at which a blend finds the most; its models are not fitted again, and score each query once for all weights.

    Args:
        blend: fitted to sessions without those of the validation.
        metric, k: what to raise: the mean over queries of "recall", "mrr" or "ndcg" at k.
        steps: weights tried are 0, 1 / steps, 2 / steps, ... 1; of equally good ones the lowest is taken.
        max_queries: as many at most, of sessions drawn at random; None for all.

    Returns:
        Tuned, whose ``model`` is the blend with the best weight, not fitted; ``blend.weighted(...)`` is ready for use.

    Raises ArgumentError for a bad argument and a blend not fitted, NothingLeftError when nothing can be asked.
    """
    if not isinstance(blend, Blend):
        raise ArgumentError(f"blend={blend!r}: a fitted Blend is allowed")
    check_choice("metric", metric, METRICS)
    asked = queries(validation, [check_model(blend)], max_queries, seed).over(blend.catalogue_)
    weights = np.linspace(0, 1, check_int("steps", steps) + 1)
    ranks = np.empty((len(asked), len(weights)), np.int32)
    for plays, scores in side_by_side(blend.models_, asked.sessions, asked.plays):
        where = np.searchsorted(asked.plays, plays)
        ranks[where] = _ranks(mixed(scores, 1.0), mixed(scores, 0.0), asked.targets[where], weights)
    found = [float(METRICS[metric](column, check_int("k", k)).mean()) for column in ranks.T]
    best = int(np.argmax(found))
    table = pl.DataFrame({"trial": range(len(found)), "score": found, "weight": weights})
    model = blend.replaced({"weight": float(weights[best])})
    return Tuned(model, found[best], metric, k, len(asked), table)


def _check(model: NextSongModel, trials: int, metric: str, k: int, timeout: float | None) -> None:
    if not isinstance(model, NextSongModel):
        raise ArgumentError(f"model={model!r}: a next-song model such as MarkovChain(), or its name, is allowed")
    if not model.space:
        raise ArgumentError(f"model={model!r}: has no setting to tune")
    check_choice("metric", metric, METRICS)
    check_int("trials", trials)
    check_int("k", k)
    if timeout is not None and not timeout > 0:
        raise ArgumentError(f"timeout={timeout!r}: None, or seconds above 0, is allowed")


def _rungs(asked: Queries, seed: int) -> list[Queries]:
    """The queries in parts: whole sessions in random order, up to a quarter, half and all of the queries."""
    sessions, counts = np.unique(asked.session, return_counts=True)
    order = generator(seed, "rungs").permutation(len(sessions))
    done = np.cumsum(counts[order]) / len(asked)
    rung_of = np.empty(len(sessions), np.int64)
    rung_of[order] = np.searchsorted(SHARES, done - 1e-9)
    parts = [rung_of[np.searchsorted(sessions, asked.session)] == rung for rung in range(len(SHARES))]
    return [Queries(asked.sessions, asked.plays[part], asked.session[part], asked.dropped) for part in parts if part.any()]


@jit
def _ranks(first: Array, others: Array, targets: Array, weights: Array) -> Array:
    """(n, weights) int32: how many songs score as high as the target or higher in weight first + (1 - weight) others."""
    ranks = np.zeros((len(first), len(weights)), np.int32)
    for i in range(len(first)):
        for song in range(first.shape[1]):
            lead, rest = first[i, song] - first[i, targets[i]], others[i, song] - others[i, targets[i]]
            for place in range(len(weights)):
                ranks[i, place] += weights[place] * lead + (1 - weights[place]) * rest >= 0
    return ranks
