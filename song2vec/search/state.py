"""The songs an index searches at one moment: those it was built over, those added since, and those removed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_type
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.core.storage import Part
from song2vec.search.filters import NO_ROWS, Resolver
from song2vec.vectors.song_vectors import SongVectors


class Searcher(ABC):
    """What an index builds over unit vectors: trees, a graph.

    Attributes:
        exact: whether it misses nothing, so that nothing is to be checked.
        width: how wide it looks; the check of a build doubles it until enough is found, up to ``widest``.
    """

    exact: ClassVar[bool] = False
    width: int = 0
    widest: int = 0

    @abstractmethod
    def nearest(self, queries: Array, n: int) -> Iterable[Array]:
        """For each of (b, d) float32 unit queries, about n int64 rows near it, each once, in any order."""

    def widen(self) -> bool:
        """Look twice as wide from now on, at the price of speed; False when that is of no use or not wanted."""
        wider = self.width < self.widest
        self.width *= 1 + wider
        return wider

    def to_part(self) -> Part:
        """What is saved of it."""
        return Part()


@dataclass(frozen=True)
class IndexState:
    """Replaced as a whole, so that a search sees the songs of before or of after a change, never a mixture.

    Rows never change their numbers: new songs come behind, and a removed one leaves its row empty.

    Attributes:
        vectors: all songs, in row order.
        searcher: knows the rows below ``built``; the new ones from there on are scored exactly.
        recall: recall@10 of what the searcher proposes.
        answers_exactly: exact search answers in its place.
        removed: sorted rows that are never returned.
    """

    vectors: SongVectors
    searcher: Searcher
    recall: float
    answers_exactly: bool
    built: int
    removed: Array = field(default_factory=lambda: NO_ROWS)

    @cached_property
    def resolver(self) -> Resolver:
        """Turns filters into rows."""
        return Resolver(self.vectors.catalogue, self.removed)

    def rows(self, songs: Iterable[SongId]) -> Array:
        """Rows of songs, int64; raises UnknownSongError for one that is not in the catalogue or was removed."""
        rows = self.vectors.catalogue.rows(songs)
        gone = rows[np.isin(rows, self.removed)] if len(self.removed) else NO_ROWS
        if len(gone):
            raise UnknownSongError(f"song {self.vectors.catalogue.songs(gone[:1])[0]!r} was removed from the index")
        return rows


def joined(vectors: SongVectors, more: SongVectors) -> SongVectors:
    """New songs behind the old. Raises ArgumentError for songs that are there already, or vectors of another size."""
    check_type("vectors", more, SongVectors, "SongVectors of the new songs are allowed")
    if more.size != vectors.size:
        raise ArgumentError(f"vectors have {more.size} numbers; those of the index have {vectors.size}")
    old, new = vectors.catalogue, more.catalogue
    known = [song for song in new.ids if song in old]
    if known:
        raise ArgumentError(f"song {known[0]!r} has a row in the index already; only new songs are allowed, removed ones keep their rows")
    if len(new) and old.holds_integers != new.holds_integers:
        raise ArgumentError(f"the ids of the index are {'integers' if old.holds_integers else 'strings'}, those of the new songs are not")
    both = SongVectors(np.concatenate([vectors.matrix, more.matrix]), old.plus(new))
    both.unit = np.concatenate([vectors.unit, more.unit])  # the old ones to the same last bit, and at no cost
    return both
