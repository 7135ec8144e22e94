"""Vectors that lean to those of the songs played beside them: what a session says outright is not left to chance.

Of the sessions 7 3 and 7 3 5, song 7 has the neighbour 3 (twice), song 3 the neighbours 7 (twice) and 5, song 5 the neighbour 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import unit_rows

_FEW = 10  # neighbours: what the mean of so many adds is half of what that of very many does


def with_identity(unit: Array, length: float, size: int, random: np.random.Generator) -> Array:
    """Each vector with a random direction of its own behind it, (m, d + size) float32 of unit length.

    Random directions are nearly at right angles, the more so the more numbers they have. So, once neighbours are added, two songs
    are alike by how often each was played beside the other or both beside a third, beyond what any model has learned of them
    (random indexing: Kanerva, Kristoferson and Holst 2000, "Random indexing of text samples for latent semantic analysis").

    Args:
        unit: (m, d) float32 unit vectors.
        length: of the direction, that of the vector before it being 1; with 0 vectors are left as they are.
    """
    if length == 0:
        return unit
    own = unit_rows(random.standard_normal((len(unit), size), np.float32))
    found: Array = unit_rows(np.concatenate([unit, np.float32(length) * own], axis=1))
    return found


def smoothed(unit: Array, rows: Array, sessions: Sessions, share: float) -> Array:
    """Each vector with a share of the direction of the mean of its neighbours' added, (m, d) float32 of unit length.

    A neighbour is a song played just before or just after, each play of it counted; a song is none of its own. Of few neighbours
    the mean says little: of n, ``share`` times n / (n + 10) is added. This is a step of retrofitting vectors to a graph (Faruqui
    et al. 2015, arXiv:1411.4166), the graph being that of the sessions.

    Args:
        unit: (m, d) float32 unit vectors.
        rows: (songs of the catalogue,) the row of each song's vector; -1 where it has none.
    """
    if share == 0:
        return unit
    beside = _neighbours(rows, sessions, len(unit))
    plays = np.asarray(beside.sum(axis=1), np.float32).reshape(-1, 1)
    found: Array = unit_rows(unit + np.float32(share) * plays / (plays + _FEW) * unit_rows(beside @ unit))
    return found


def _neighbours(rows: Array, sessions: Sessions, songs: int) -> Any:
    """(m, m) sparse: how often each song was played beside each other."""
    from scipy.sparse import csr_matrix

    played, session = rows[sessions.songs], np.repeat(np.arange(len(sessions)), sessions.lengths)
    before, after = played[:-1], played[1:]
    together = (session[:-1] == session[1:]) & (before != after) & (before >= 0) & (after >= 0)
    pairs = before[together], after[together]
    counts = csr_matrix((np.ones(len(pairs[0]), np.float32), pairs), (songs, songs))
    return (counts + counts.T).tocsr()
