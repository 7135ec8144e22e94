"""Song vectors, and the learners that make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from song2vec.core.errors import ArgumentError
from song2vec.core.settings import make
from song2vec.sessions import Sessions
from song2vec.vectors.doc2vec import Doc2Vec
from song2vec.vectors.ensemble import Word2VecEnsemble
from song2vec.vectors.metaprod2vec import MetaProd2Vec
from song2vec.vectors.product2vec import Product2Vec
from song2vec.vectors.sentence import SIF
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.word2vec import Word2Vec

__all__ = [
    "LEARNERS",
    "SIF",
    "Doc2Vec",
    "Given",
    "Learner",
    "MetaProd2Vec",
    "Product2Vec",
    "SongVectors",
    "Word2Vec",
    "Word2VecEnsemble",
    "make_learner",
]


class Learner(Protocol):
    """What makes song vectors: keyword hyperparameters in the constructor, data in ``fit``, the result in ``vectors_``."""

    vectors_: SongVectors

    def fit(self, sessions: Sessions) -> Self: ...


class Given:
    """Vectors that are there already, where a learner is asked for."""

    def __init__(self, vectors: SongVectors) -> None:
        self.vectors_ = vectors

    def fit(self, sessions: Sessions) -> Self:
        """Nothing is to be learned."""
        return self


LEARNERS: dict[str, type[Learner]] = {
    "word2vec": Word2Vec,
    "word2vec-ensemble": Word2VecEnsemble,
    "product2vec": Product2Vec,
    "metaprod2vec": MetaProd2Vec,
    "doc2vec": Doc2Vec,
}


def make_learner(kind: str | Learner | SongVectors, seed: int, settings: Mapping[str, Any]) -> Learner:
    """A learner by its name in ``LEARNERS`` with these settings, or one of the caller's own making as it is, or vectors.

    Raises ArgumentError for any other kind, for settings it does not take, and for settings beside a ready-made learner.
    """
    if isinstance(kind, SongVectors):
        kind = Given(kind)
    if not isinstance(kind, str) and callable(getattr(kind, "fit", None)) and not isinstance(kind, type):
        if settings:
            raise ArgumentError(f"{', '.join(settings)}: settings go to the learner you made, not to Engine.train")
        return kind
    if not isinstance(kind, str) or kind not in LEARNERS:
        allowed = f"{', '.join(map(repr, LEARNERS))}, a learner such as Word2Vec(window=3) or SongVectors"
        raise ArgumentError(f"vectors={kind!r}: {allowed} is allowed")
    return make("vectors", LEARNERS, kind, {"seed": seed, **settings})
