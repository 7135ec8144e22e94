"""What comes next by a scorer alone, as logarithms of ranks, which mean the same whatever made the scores.

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
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.models.base import NextSongModel
from song2vec.search.scoring import candidates, ranked
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors, unit_rows

HEAD = 1000  # songs weighed at each step, the best by the scorer: pulls beyond 7 in -ln(rank) have no more to choose from
HALF_LIFE = 3  # songs: so far back, a song counts half in the mean of what was heard

Scorer = NextSongModel | SongVectors


def catalogue_of(scorer: Scorer) -> Catalogue:
    """The songs that a scorer scores. Raises ArgumentError for what is none, or has learned nothing yet."""
    if isinstance(scorer, SongVectors):
        return scorer.catalogue
    if not isinstance(scorer, NextSongModel):
        raise ArgumentError(f"scorer is a {type(scorer).__name__}; a next-song model or SongVectors are allowed")
    return scorer._fitted()


def log_ranks(scorer: Scorer, heard: Sequence[Sequence[int]], allowed: Sequence[Array]) -> Iterator[tuple[Array, Array]]:
    """After each list of rows heard (none empty), the best allowed rows, best first, equals by row, with their -ln(rank).

    Args:
        allowed: (songs,) bool for each list.

    Yields:
        (n,) int64 rows and (n,) float64; n is the smaller of ``HEAD`` and the number of allowed songs.
    """
    if isinstance(scorer, SongVectors):
        for rows, mask in zip(heard, allowed, strict=True):
            yield near(scorer.unit, recent_mean(scorer.unit, rows), mask)
    else:
        for scores, mask in zip(_model_scores(scorer, heard), allowed, strict=True):
            yield _best(scores, mask)


def near(unit: Array, query: Array, allowed: Array) -> tuple[Array, Array]:
    """The allowed rows nearest to a vector, as :func:`log_ranks` has them."""
    rows = np.flatnonzero(allowed)
    if not len(rows):
        return rows, np.empty(0)
    found = next(iter(candidates(unit, query[None], HEAD, rows)))
    found, cosines = ranked(unit, query, found)
    return found[:HEAD], _log_ranks(cosines)[:HEAD]


def recent_mean(unit: Array, rows: Sequence[int]) -> Array:
    """The mean of what was heard, later songs weighing more (see ``HALF_LIFE``), (size,) float32 of length 1."""
    weights = 0.5 ** (np.arange(len(rows))[::-1] / HALF_LIFE)
    mean: Array = unit_rows((weights @ unit[np.array(rows, np.int64)])[None])[0]
    return mean


def _model_scores(model: NextSongModel, heard: Sequence[Sequence[int]]) -> Array:
    """(lists, songs): all lists in one call, each as a session of its own."""
    offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in heard])]).astype(np.int64)
    songs = np.concatenate([np.array(rows, np.int32) for rows in heard])
    nobody = np.zeros(len(heard), np.int32)
    sessions = Sessions(songs, offsets, nobody, model.catalogue_, pl.Series("listener", [0]))
    return model.score(sessions, offsets[1:] - 1)


def _best(scores: Array, allowed: Array) -> tuple[Array, Array]:
    rows = np.flatnonzero(allowed)
    scores = scores[rows]
    if len(rows) <= HEAD:
        order = np.argsort(-scores, kind="stable")
        return rows[order], _log_ranks(scores[order])
    lowest = scores.min()
    above = np.flatnonzero(scores > lowest)  # of a model that knows few followers, nearly all others are equal
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
