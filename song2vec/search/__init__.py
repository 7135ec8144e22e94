"""Similarity search: one index a file behind one contract."""

from __future__ import annotations

import inspect
import os

from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.core.storage import Part
from song2vec.search.annoy_index import AnnoyIndex
from song2vec.search.base import SongIndex
from song2vec.search.exact import ExactIndex
from song2vec.search.filters import Filters
from song2vec.search.hnsw_index import HNSWIndex
from song2vec.search.neighbours import BatchNeighbours, Neighbours
from song2vec.vectors.song_vectors import SongVectors

INDEXES: dict[str, type[SongIndex]] = {index.name: index for index in (AnnoyIndex, ExactIndex, HNSWIndex)}

__all__ = [
    "INDEXES",
    "AnnoyIndex",
    "BatchNeighbours",
    "ExactIndex",
    "Filters",
    "HNSWIndex",
    "Neighbours",
    "SongIndex",
    "load_index",
    "make_index",
]


def make_index(kind: str | SongIndex, vectors: SongVectors, seed: int = 0, workers: int | None = 1) -> SongIndex:
    """Build an index over the vectors.

    Args:
        kind: a name in ``INDEXES``; "auto" for what :meth:`SongIndex.auto` measures to be best; or an index with the
            hyperparameters of your choice, which keeps its own seed and workers.
        workers: threads that build; None takes every core. With one the same seed gives the same index.

    Raises ArgumentError for any other kind, MissingExtraError when the library of an index is not installed.
    """
    if isinstance(kind, SongIndex):
        return kind.build(vectors)
    if kind == "auto":
        return SongIndex.auto(vectors, seed=seed)
    if not isinstance(kind, str) or kind not in INDEXES:
        names = ", ".join(map(repr, INDEXES))
        raise ArgumentError(f"index={kind!r}: 'auto', {names}, or an index such as AnnoyIndex(trees=100) is allowed")
    settings = {"seed": seed, "workers": workers or os.cpu_count() or 1}
    known = inspect.signature(INDEXES[kind]).parameters
    return INDEXES[kind](**{name: value for name, value in settings.items() if name in known}).build(vectors)


def load_index(part: Part, vectors: SongVectors) -> SongIndex:
    """The index saved in a part, of whichever kind. Raises SavedFolderError when it was built over other vectors."""
    kind = part.meta.get("index")
    if not isinstance(kind, str) or kind not in INDEXES:
        raise SavedFolderError(f"index: is of kind {kind!r}; this song2vec knows {', '.join(map(repr, INDEXES))}")
    return INDEXES[kind].from_part(part, vectors)
