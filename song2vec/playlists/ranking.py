"""What comes next by a model alone, as logarithms of ranks, which mean the same whatever made the scores.

A next-song model promises the order of its scores and nothing about their size: one gives cosines, one sums of weights,
one 1 / rank. So a song's score becomes -ln(rank) among the songs that are allowed, rank 1 the best and equals all at the
last of their ranks: 0 for the best, -.7 for the second, -6.9 for the thousandth. Drawn at temperature T, the song at rank r
comes with a chance in proportion to r**(-1/T), after every model.

    scores    .9  .2  .7  .2  0
    rank       1   4   2   4  5
    -ln rank   0 -1.4 -.7 -1.4 -1.6
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.checks import check_type
from song2vec.core.errors import ArgumentError
from song2vec.models.base import NextSongModel
from song2vec.search.scoring import candidates, ranked
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors, unit_rows

HEAD = 1000  # songs kept at each step, the best by the model: adjustments beyond 7 in -ln(rank) have no more to choose from
HALF_LIFE = 3  # songs: so far back, a song counts half in the mean of the history

RankingModel = NextSongModel | SongVectors


def catalogue_of(model: RankingModel) -> Catalogue:
    """The songs that a model ranks. Raises ArgumentError for what is no model, or has learned nothing yet."""
    if isinstance(model, SongVectors):
        return model.catalogue
    check_type("model", model, NextSongModel, "a next-song model or SongVectors are allowed")
    if not hasattr(model, "catalogue_"):
        raise ArgumentError(f"model: this {type(model).__name__} has learned nothing yet; call fit first")
    return model.catalogue_


def log_ranks(model: RankingModel, histories: Sequence[Sequence[int]], allowed: Sequence[Array]) -> Iterator[tuple[Array, Array]]:
    """After each history (rows, at least one), the best allowed rows, best first, equals by row, with their -ln(rank).

    Args:
        allowed: (songs,) bool for each history.

    Yields:
        (n,) int64 rows and (n,) float64; n is the smaller of ``HEAD`` and the number of allowed songs.
    """
    if isinstance(model, SongVectors):
        for rows, mask in zip(histories, allowed, strict=True):
            yield nearest(model.unit, recent_mean(model.unit, rows), mask)
    else:
        sessions = Sessions.from_rows(model.catalogue_, histories)  # all of them in one call, each as a session of its own
        for scores, mask in zip(model.score(sessions, sessions.offsets[1:] - 1), allowed, strict=True):
            yield _best(scores, mask)


def nearest(unit: Array, query: Array, allowed: Array) -> tuple[Array, Array]:
    """The allowed rows nearest to a vector, as :func:`log_ranks` has them."""
    rows = np.flatnonzero(allowed)
    if not len(rows):
        return rows, np.empty(0)
    found = next(iter(candidates(unit, query[None], HEAD, rows)))
    found, cosines = ranked(unit, query, found)
    return found[:HEAD], _log_ranks(cosines)[:HEAD]


def recent_mean(unit: Array, rows: Sequence[int]) -> Array:
    """The mean of a history, later songs weighing more (see ``HALF_LIFE``), (size,) float32 of length 1."""
    weights = 0.5 ** (np.arange(len(rows))[::-1] / HALF_LIFE)
    mean: Array = unit_rows((weights @ unit[np.array(rows, np.int64)])[None])[0]
    return mean


def _best(scores: Array, allowed: Array) -> tuple[Array, Array]:
    rows = np.flatnonzero(allowed)
    scores = scores[rows]
    if len(rows) <= HEAD:
        order = np.argsort(-scores, kind="stable")
        return rows[order], _log_ranks(scores[order])
    lowest = scores.min()
    above = np.flatnonzero(scores > lowest)  # of a model that knows few transitions, nearly all others are equal
    if len(above) > HEAD:
        worst = np.partition(scores[above], len(above) - HEAD)[len(above) - HEAD]
        above = above[scores[above] >= worst]
    order = above[np.argsort(-scores[above], kind="stable")]
    equals = np.flatnonzero(scores == lowest)[: max(0, HEAD - len(order))]
    ranks = np.concatenate([_log_ranks(scores[order]), np.full(len(equals), -np.log(len(rows)))])
    return rows[np.concatenate([order, equals])][:HEAD], ranks[:HEAD]


def _log_ranks(scores: Array) -> Array:
    """-ln(rank) of descending scores; equals share the last of their ranks."""
    ranks: Array = len(scores) - np.searchsorted(scores[::-1], scores, side="left")
    return 0.0 - np.log(ranks)  # so that the best has 0.0, not -0.0
