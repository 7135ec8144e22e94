"""The weight of a blend, from validation sessions that its models score once."""

from __future__ import annotations

import numpy as np
import polars as pl

from song2vec.core.arrays import Array
from song2vec.core.checks import check_choice, check_int, named_options
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import jit
from song2vec.evaluation.protocol import check_model
from song2vec.evaluation.queries import queries
from song2vec.evaluation.study import Tuned
from song2vec.evaluation.tuning import METRICS
from song2vec.models import Blend
from song2vec.models.blend import mixed, side_by_side
from song2vec.sessions import Sessions


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
