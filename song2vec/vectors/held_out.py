"""How well vectors say what comes next: the score that training watches."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

_BLOCK = 512  # queries scored at once: bounds memory at 512 x songs floats


def next_song_ranks(vectors: SongVectors, sessions: Sessions, *, max_queries: int | None = None, seed: int = 0) -> Array:
    """The rank of each next song among all songs by cosine to the song before it, (queries,) int64, 1 is best.

    Every two adjacent plays of a session make a query; the query song itself is no candidate, ties count against us,
    and a pair with a song that has no vector ranks last (number of songs), so that dropping songs never pays.

    Args:
        max_queries: take this many queries at random instead of all.
    """
    rows = _rows_in(vectors, sessions)
    ends_session = np.zeros(sessions.plays, bool)
    ends_session[sessions.offsets[1:] - 1] = True
    queries = np.flatnonzero(~ends_session[:-1])
    if max_queries is not None and len(queries) > max_queries:
        queries = np.sort(generator(seed, "queries").choice(queries, max_queries, replace=False))
    before, after = rows[queries], rows[queries + 1]
    ranks = np.full(len(queries), len(vectors), np.int64)
    known = np.flatnonzero((before >= 0) & (after >= 0))
    for block in np.split(known, range(_BLOCK, len(known), _BLOCK)):
        scores = vectors.unit[before[block]] @ vectors.unit.T
        line = np.arange(len(block))
        target = scores[line, after[block]]
        scores[line, before[block]] = -np.inf
        scores[line, after[block]] = target  # a song that follows itself is its own target
        ranks[block] = (scores >= target[:, None]).sum(axis=1)
    return ranks


def recall(ranks: Array, k: int = 10) -> float:
    """The share of ranks within k."""
    return float((ranks <= k).mean()) if len(ranks) else float("nan")


def _rows_in(vectors: SongVectors, sessions: Sessions) -> Array:
    """Each play's row in ``vectors``, -1 where the song has none."""
    rows: Array = sessions.catalogue.rows_in(vectors.catalogue)[sessions.songs]
    return rows
