"""Song vectors, and the learners that make them."""

from __future__ import annotations

from typing import Any, Protocol, Self

from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.word2vec import Word2Vec

__all__ = ["LEARNERS", "Learner", "SongVectors", "Word2Vec"]


class Learner(Protocol):
    """What makes song vectors: keyword hyperparameters in the constructor, data in ``fit``, the result in ``vectors_``."""

    vectors_: SongVectors

    def fit(self, sessions: Sessions) -> Self: ...


LEARNERS: dict[str, Any] = {"word2vec": Word2Vec}
