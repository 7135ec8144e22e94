"""Song vectors as next-song models: the songs nearest to what was just heard. One model a learner."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import jit
from song2vec.core.settings import Choice, Real, Space, check_choice, check_real, make
from song2vec.models.base import histories
from song2vec.models.old import OldStyle
from song2vec.search.scoring import inner_products
from song2vec.sessions import Sessions
from song2vec.vectors import LEARNERS, Doc2Vec, MetaProd2Vec, Product2Vec, SongVectors, Word2Vec
from song2vec.vectors.song_vectors import unit_rows

_HEARD, _NO_VECTOR = -2, -4  # below every cosine
_NEGLIGIBLE = 1e-6


def _space(learner: str, values: Space) -> Space:
    return {"decay": Real(0, 1), "repeats": Choice((True, False)), **{f"{learner}.{name}": value for name, value in values.items()}}


class Nearest(OldStyle, ABC):
    """Scores songs by their cosine with the weighted mean of the session's unit vectors, weight decay**(steps back).

    Songs without a vector are passed over in a history and score lowest. A history of none but such has no direction: every
    cosine is 0. A subclass names its learner, and has a setting of that name: the learner's own settings, None for its defaults.

    Args:
        decay: 0 for the last song alone, 1 for the plain mean of the session.
        repeats: whether songs heard in the session may come again; else they score below all others that have a vector.
    """

    learner: ClassVar[str]
    decay: float
    repeats: bool
    _given: SongVectors | None = None

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

    @property
    def learner_settings(self) -> Mapping[str, Any]:
        """What the learner is made with. Raises ArgumentError unless they are settings by name, or None."""
        settings: Mapping[str, Any] | None = getattr(self, self.learner)
        if not isinstance(settings, Mapping | None):
            raise ArgumentError(f"{self.learner}={settings!r}: settings of {LEARNERS[self.learner].__name__} by name, or None, are allowed")
        return settings or {}

    def _fit(self, sessions: Sessions) -> None:
        check_real(self, "decay", 0, 1)
        check_choice(self, "repeats", (True, False))
        vectors = self._given or self._learned(sessions)
        self.known_ = sessions.catalogue.rows_in(vectors.catalogue) >= 0
        if not self.known_.any():
            raise ArgumentError("vectors: of none of the songs in the sessions; at least one is needed")
        self.unit_ = vectors.unit_of(sessions.catalogue)

    def _learned(self, sessions: Sessions) -> SongVectors:
        learner = make(self.learner, LEARNERS, self.learner, self.learner_settings).fit(sessions)
        return learner.vectors_for(sessions.catalogue) if isinstance(learner, MetaProd2Vec) else learner.vectors_

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        begin, end = histories(sessions, plays)
        mean = np.zeros((len(plays), self.unit_.shape[1]), np.float32)
        decayed_sum(self.unit_, self.known_, sessions.songs, begin, end, self.decay, mean)
        scores = inner_products(self.unit_, unit_rows(mean))
        scores[:, ~self.known_] = _NO_VECTOR
        if not self.repeats:
            put_heard(sessions.songs, begin, end, self.known_, _HEARD, scores)
        return scores


class NearestSong(Nearest):
    """The songs nearest to those of the session by word2vec, or by any vectors that ``fit`` is given. See :class:`Nearest`.

    Args:
        word2vec: settings of :class:`song2vec.Word2Vec`, for ``fit`` without vectors; None for its defaults.
    """

    name = "nearest"
    learner = "word2vec"
    space: ClassVar[Space] = _space("word2vec", Word2Vec().space)

    def __init__(self, *, decay: float = 0.5, repeats: bool = True, word2vec: Mapping[str, Any] | None = None) -> None:
        self.decay = decay
        self.repeats = repeats
        self.word2vec = word2vec

    @property
    def takes_vectors(self) -> bool:
        return not self.learner_settings


class NearestProduct2Vec(Nearest):
    """The songs nearest to those of the session by product2vec, which knows sets and no order. See :class:`Nearest`.

    Args:
        product2vec: settings of :class:`song2vec.Product2Vec`; None for its defaults.
    """

    name = "product2vec"
    learner = "product2vec"
    space: ClassVar[Space] = _space("product2vec", Product2Vec().space)

    def __init__(self, *, decay: float = 0.5, repeats: bool = True, product2vec: Mapping[str, Any] | None = None) -> None:
        self.decay = decay
        self.repeats = repeats
        self.product2vec = product2vec


class NearestMetaProd2Vec(Nearest):
    """The songs nearest to those of the session by metaprod2vec, songs that training never played by their artists. See :class:`Nearest`.

    Args:
        metaprod2vec: settings of :class:`song2vec.MetaProd2Vec`; None for its defaults.
    """

    name = "metaprod2vec"
    learner = "metaprod2vec"
    space: ClassVar[Space] = _space("metaprod2vec", MetaProd2Vec().space)

    def __init__(self, *, decay: float = 0.5, repeats: bool = True, metaprod2vec: Mapping[str, Any] | None = None) -> None:
        self.decay = decay
        self.repeats = repeats
        self.metaprod2vec = metaprod2vec


class NearestDoc2Vec(Nearest):
    """The songs nearest to those of the session by doc2vec, whose sessions have vectors of their own. See :class:`Nearest`.

    Args:
        doc2vec: settings of :class:`song2vec.Doc2Vec`; None for its defaults.
    """

    name = "doc2vec"
    learner = "doc2vec"
    space: ClassVar[Space] = _space("doc2vec", Doc2Vec().space)

    def __init__(self, *, decay: float = 0.5, repeats: bool = True, doc2vec: Mapping[str, Any] | None = None) -> None:
        self.decay = decay
        self.repeats = repeats
        self.doc2vec = doc2vec


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
