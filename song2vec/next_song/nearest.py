"""The word2vec engine as a next-song model: the songs nearest to what was just heard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from song2vec.arrays import Array
from song2vec.errors import ArgumentError
from song2vec.next_song.base import NextSongModel, histories
from song2vec.next_song.checks import check_choice, check_real
from song2vec.search.scoring import inner_products
from song2vec.sessions import Sessions
from song2vec.sessions.compiled import jit
from song2vec.settings import Choice, Real, Space, make
from song2vec.vectors import SongVectors, Word2Vec
from song2vec.vectors.song_vectors import unit_rows

_HEARD, _NO_VECTOR = -2, -4  # below every cosine
_NEGLIGIBLE = 1e-6


class NearestSong(NextSongModel):
    """Scores songs by their cosine with the weighted mean of the session's unit vectors, weight decay**(steps back).

    Songs without a vector are passed over in a history and score lowest. A history of none but such has no direction: every
    cosine is 0.

    Args:
        decay: 0 for the last song alone, 1 for the plain mean of the session.
        repeats: whether songs heard in the session may come again; else they score below all others that have a vector.
        word2vec: settings of :class:`song2vec.Word2Vec`, for ``fit`` without vectors; None for its defaults.
    """

    name = "nearest"
    _given: SongVectors | None = None
    space: ClassVar[Space] = {
        "decay": Real(0, 1),
        "repeats": Choice((True, False)),
        **{f"word2vec.{name}": values for name, values in Word2Vec.space.items()},
    }

    def __init__(self, *, decay: float = 0.5, repeats: bool = True, word2vec: Mapping[str, Any] | None = None) -> None:
        self.decay = decay
        self.repeats = repeats
        self.word2vec = word2vec

    def fit(self, sessions: Sessions, *, vectors: SongVectors | None = None) -> Self:
        """Take these vectors, by song id, or learn them from the sessions; returns self.

        Raises ArgumentError when there is no play in the sessions, and none of their songs among the vectors.
        """
        if vectors is not None and not isinstance(vectors, SongVectors):
            raise ArgumentError(f"vectors is a {type(vectors).__name__}; SongVectors are allowed, as word2vec.vectors_")
        self._given = vectors
        try:
            return super().fit(sessions)
        finally:
            del self._given

    def _fit(self, sessions: Sessions) -> None:
        check_real(self, "decay", 0, 1)
        check_choice(self, "repeats", (True, False))
        vectors = self._given or self._learned(sessions)
        self.known_ = sessions.catalogue.rows_in(vectors.catalogue) >= 0
        if not self.known_.any():
            raise ArgumentError("vectors: of none of the songs in the sessions; at least one is needed")
        self.unit_ = vectors.unit_of(sessions.catalogue)

    def _learned(self, sessions: Sessions) -> SongVectors:
        if not isinstance(self.word2vec, Mapping | None):
            raise ArgumentError(f"word2vec={self.word2vec!r}: settings of Word2Vec by name, or None, are allowed")
        return make("word2vec", {"word2vec": Word2Vec}, "word2vec", self.word2vec or {}).fit(sessions).vectors_

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        begin, end = histories(sessions, plays)
        mean = np.zeros((len(plays), self.unit_.shape[1]), np.float32)
        decayed_sum(self.unit_, self.known_, sessions.songs, begin, end, self.decay, mean)
        scores = inner_products(self.unit_, unit_rows(mean))
        scores[:, ~self.known_] = _NO_VECTOR
        if not self.repeats:
            put_heard(sessions.songs, begin, end, self.known_, _HEARD, scores)
        return scores


@jit
def decayed_sum(unit: Array, known: Array, songs: Array, begin: Array, end: Array, decay: float, total: Array) -> None:
    """Add up the unit vectors of each history in (n, size) zeros: the last known song in full, earlier ones decayed."""
    for i in range(len(begin)):
        weight = np.float32(1)
        for play in range(end[i] - 1, begin[i] - 1, -1):
            if known[songs[play]]:
                total[i] += weight * unit[songs[play]]
                weight *= np.float32(decay)
                if weight < _NEGLIGIBLE:
                    break


@jit
def put_heard(songs: Array, begin: Array, end: Array, known: Array, score: float, scores: Array) -> None:
    """Give the known songs of each history this score."""
    for i in range(len(begin)):
        for play in range(begin[i], end[i]):
            if known[songs[play]]:
                scores[i, songs[play]] = score
