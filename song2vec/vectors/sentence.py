"""Sessions as vectors in the space of their songs: the mean, and the mean that looks past what is common to all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from song2vec.catalogue import SongId, Unknown
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.config import FloatRange, IntRange, learned, setting
from song2vec.core.errors import UnknownSongError
from song2vec.core.estimator import Estimator
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors, known_plays


class SIF(Estimator):
    """Smooth inverse frequency (Arora, Liang & Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings").

    A session is the mean over its plays of a / (a + p(song)) times the unit vector of the song, p its share of all plays, so
    that hits count less; then what it has in the direction that all sessions have most in common is taken out of it.
    ``SIF(a=None, components=0)`` is the plain mean, as :func:`song2vec.search.listeners.listener` has it for one listener; on radio
    playlists (yes.com) SIF does not surely find more than that (``benchmarks/bench_learners.py``).

    Attributes:
        weights_: (songs,) float32, a / (a + p) of each song of the vectors.
        components_: (components, size) float32, at right angles, of length 1.
    """

    name = kind = "sif"
    a: float | None = setting(
        FloatRange(0, above=True, also=(None,)), default=1e-3, help="the smaller, the less hits count; None weighs all plays alike"
    )
    components: int = setting(
        IntRange(0), default=1, help="so many first principal directions of the sessions are taken out, not centred; the paper takes one"
    )
    weights_: Array = learned()
    components_: Array = learned()
    _vectors: SongVectors = learned(SongVectors)

    def fit(self, sessions: Sessions, vectors: SongVectors) -> Self:
        """Learn from sessions how often songs are played and what all have in common; returns self.

        Raises ArgumentError for a setting outside its range; UnknownSongError when a session has no song with a vector.
        """
        self.check()
        check_int("components", self.components, 0, vectors.size - 1)
        rows = sessions.catalogue.rows_in(vectors.catalogue)[sessions.songs]
        share = np.bincount(rows[rows >= 0], minlength=len(vectors)) / max(1, sessions.plays)
        weights: Array = np.ones(len(vectors)) if self.a is None else self.a / (self.a + share)
        self.weights_, self._vectors = weights.astype(np.float32), vectors
        self.components_ = np.empty((0, vectors.size), np.float32)
        self.components_ = self._principal(self.vectors_of(sessions))
        return self

    def vectors_of(self, sessions: Sessions) -> Array:
        """(sessions, size) float32; songs without a vector are left out.

        Raises UnknownSongError for a session of which no song has a vector, and ArgumentError before ``fit``.
        """
        self._check_fitted()
        return self._weighted(*known_plays(sessions, self._vectors.catalogue))

    def vector(self, songs: Iterable[SongId], unknown: Unknown = "raise") -> Array:
        """The vector of one session, (size,) float32.

        Raises UnknownSongError for a song without a vector; with ``unknown="skip"`` when none has one.
        """
        self._check_fitted()
        rows = self._vectors.catalogue.rows(songs, unknown)
        if not len(rows):
            raise UnknownSongError("songs: none that has a vector; at least one is needed")
        vector: Array = self._weighted(rows, np.array([0, len(rows)]))[0]
        return vector

    def _weighted(self, rows: Array, offsets: Array) -> Array:
        """The means of these rows, less the components."""
        from scipy.sparse import csr_matrix

        shape = (len(offsets) - 1, len(self.weights_))
        plays: Any = csr_matrix((self.weights_[rows], rows, offsets), shape)  # a song played twice is added twice
        means = (plays @ self._vectors.unit) / np.diff(offsets)[:, None].astype(np.float32)
        less: Array = means - (means @ self.components_.T) @ self.components_
        return less.astype(np.float32, copy=False)

    def _principal(self, means: Array) -> Array:
        """The directions in which the means are longest, the longest first; of two signs that which most means have."""
        squares = means.astype(np.float64).T @ means
        directions = np.linalg.eigh(squares)[1].T[::-1][: self.components]
        sign = np.where(directions @ means.sum(axis=0, dtype=np.float64) < 0, -1.0, 1.0)
        principal: Array = (directions * sign[:, None]).astype(np.float32)
        return principal
