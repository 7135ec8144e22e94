"""Tables of followers: to each song a short list of songs that come after it, with weights, as three flat arrays.

Two songs; after song 0 come 1 (weight 3) and 0 (weight 1), after song 1 comes 0 (weight 2)::

    offsets [0 2 3]     song i's followers are songs[offsets[i]:offsets[i + 1]]
    songs   [1 0 | 0]
    weights [3 1 | 2]   heaviest first
"""

from __future__ import annotations

import numpy as np

from song2vec.arrays import Array
from song2vec.sessions import Sessions
from song2vec.sessions.compiled import jit


def adjacent(sessions: Sessions) -> tuple[Array, Array]:
    """Every two plays that follow each other in a session: rows of the first and of the second, in log order."""
    within = np.ones(max(0, sessions.plays - 1), bool)
    ends = sessions.offsets[1:-1] - 1
    within[ends[(ends >= 0) & (ends < len(within))]] = False
    first = np.flatnonzero(within)
    return sessions.songs[first], sessions.songs[first + 1]


def followers(before: Array, after: Array, weights: Array | None, songs: int) -> tuple[Array, Array, Array]:
    """Pairs added up to a table: offsets int64, songs int32, weights float32; of equal weights, the pair seen first is first."""
    key = before.astype(np.int64) * songs + after
    pairs, seen_first, which = np.unique(key, return_index=True, return_inverse=True)
    totals = np.bincount(which, weights, len(pairs))
    order = np.lexsort((seen_first, -totals, pairs // songs))
    offsets = np.searchsorted(pairs // songs, np.arange(songs + 1))
    return offsets.astype(np.int64), (pairs[order] % songs).astype(np.int32), totals[order].astype(np.float32)


@jit
def rank_scores(offsets: Array, songs: Array, last: Array, scores: Array) -> None:
    """Write 1 / (place in the list) for the followers of each last song into (n, songs) zeros: order is all that counts."""
    for i in range(len(last)):
        begin, end = offsets[last[i]], offsets[last[i] + 1]
        for place in range(begin, end):
            scores[i, songs[place]] = np.float32(1.0) / np.float32(place - begin + 1)
