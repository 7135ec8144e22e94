"""Song vectors as a next-song model: the songs nearest to what was just played."""

from __future__ import annotations

from typing import Self

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_type
from song2vec.core.config import FLAG, Component, FloatRange, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import jit
from song2vec.models.base import NextSongModel
from song2vec.models.songs import histories, plays_of_histories
from song2vec.search.scoring import inner_products
from song2vec.sessions import Sessions
from song2vec.vectors import LEARNERS, Learner, MetaProd2Vec, SongVectors
from song2vec.vectors.song_vectors import unit_rows

_PLAYED, _NO_VECTOR = -2, -4  # below every cosine
_NEGLIGIBLE = 1e-6


class Nearest(NextSongModel):
    """The songs nearest to those just played, by word2vec, another learner, or any vectors that ``fit`` is given.

    A score is the cosine with the weighted mean of the session's unit vectors, weight decay**(steps back). Songs without a vector
    are passed over in a history and score lowest (by ``metaprod2vec`` songs that training never played have their artist's).
    A history of none but such has no direction: every cosine is 0.

    Attributes:
        unit_: (m, size) float32 unit vectors, zeros for songs without.
        known_: (m,) bool, which songs have a vector.
    """

    name = "nearest"
    learner: object = setting(
        Component(lambda: LEARNERS), default="word2vec", help="what learns the vectors: by name, as {name, settings}, or made already"
    )
    decay: float = setting(
        FloatRange(0, 1), default=0.5, tune=FloatRange(0, 1), help="0 for the last song alone, 1 for the plain mean of the session"
    )
    repeats: bool = setting(
        FLAG, default=True, tune=FLAG, help="whether songs of the session may come again; else they score below all others with a vector"
    )
    unit_: Array = learned()
    known_: Array = learned()

    @property
    def takes_vectors(self) -> bool:
        return self.learner == "word2vec"

    def fit(self, sessions: Sessions, *, vectors: SongVectors | None = None) -> Self:
        """Take these vectors, by song id, or learn them from the sessions; returns self.

        Raises ArgumentError when there is no play in the sessions, and none of their songs among the vectors.
        """
        check_type("vectors", vectors, (SongVectors, type(None)), "SongVectors are allowed, as word2vec.vectors_")
        with self._fitting(sessions):
            self._fit(sessions, vectors)
        return self

    def _fit(self, sessions: Sessions, vectors: SongVectors | None = None) -> None:
        if vectors is None:
            learner: Learner = self.component("learner").fit(sessions)
            vectors = learner.vectors_for(sessions.catalogue) if isinstance(learner, MetaProd2Vec) else learner.vectors_
        self.known_ = sessions.catalogue.rows_in(vectors.catalogue) >= 0
        if not self.known_.any():
            raise ArgumentError("vectors: of none of the songs in the sessions; at least one is needed")
        self.unit_ = vectors.unit_of(sessions.catalogue)

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        begin, end = histories(sessions, plays)
        mean = np.zeros((len(plays), self.unit_.shape[1]), np.float32)
        _decayed_sum(self.unit_, self.known_, sessions.songs, begin, end, float(self.decay), mean)
        scores = inner_products(self.unit_, unit_rows(mean))
        scores[:, ~self.known_] = _NO_VECTOR
        if not self.repeats:
            owner, song = plays_of_histories(sessions, plays)
            known = self.known_[song]
            scores[owner[known], song[known]] = _PLAYED
        return scores


@jit
def _decayed_sum(unit: Array, known: Array, songs: Array, begin: Array, end: Array, decay: float, total: Array) -> None:
    """Add up the unit vectors of each history in (n, size) zeros: the last known song in full, earlier ones decayed."""
    for i in range(len(begin)):
        weight = np.float32(1)
        for play in range(end[i] - 1, begin[i] - 1, -1):
            if known[songs[play]]:
                total[i] += weight * unit[songs[play]]
                weight *= np.float32(decay)
                if weight < _NEGLIGIBLE:
                    break
