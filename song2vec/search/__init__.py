"""Similarity search: exact and approximate indexes behind one contract."""

from __future__ import annotations

import os

from song2vec.core.checks import suggestion
from song2vec.core.config import settings_of
from song2vec.core.errors import ArgumentError
from song2vec.search.approximate import AnnoyIndex, HNSWIndex
from song2vec.search.base import INDEXES, SongIndex
from song2vec.search.exact import ExactIndex
from song2vec.search.filters import BatchNeighbours, Filters, Neighbours
from song2vec.vectors.song_vectors import SongVectors

__all__ = ["INDEXES", "AnnoyIndex", "BatchNeighbours", "ExactIndex", "Filters", "HNSWIndex", "Neighbours", "SongIndex", "make_index"]


def make_index(kind: str | SongIndex, vectors: SongVectors, seed: int = 0, workers: int | None = 1) -> SongIndex:
    """Build an index over the vectors.

    Args:
        kind: a name in ``INDEXES``; "auto" for what :meth:`SongIndex.auto` measures to be best; or an index with the
            settings of your choice, which keeps its own seed and workers.
        workers: threads that build; None takes every core. With one the same seed gives the same index.

    Raises ArgumentError for any other kind, MissingExtraError when the library of an index is not installed.
    """
    if isinstance(kind, SongIndex):
        return kind.fit(vectors)
    if kind == "auto":
        return SongIndex.auto(vectors, seed=seed)
    if not isinstance(kind, str) or kind not in INDEXES:
        names = ", ".join(map(repr, INDEXES))
        near = suggestion(kind, INDEXES)
        raise ArgumentError(f"index={kind!r}: 'auto', {names}, or an index such as AnnoyIndex(trees=100) is allowed{near}")
    settings = {"seed": seed, "workers": workers or os.cpu_count() or 1}
    known = settings_of(INDEXES[kind])
    return INDEXES.make(kind, {name: value for name, value in settings.items() if name in known}).fit(vectors)
