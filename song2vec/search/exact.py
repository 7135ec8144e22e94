"""Exact search: every cosine, by blocked matrix products, or for single queries by a small copy that is read first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.search.base import SongIndex
from song2vec.search.checks import Finding
from song2vec.search.filters import Allowed
from song2vec.search.held import Held
from song2vec.search.scoring import FEW_QUERIES, candidates
from song2vec.search.sieve import Sieve
from song2vec.vectors.song_vectors import SongVectors

STORAGES = ("int8", "float32")


class ExactIndex(SongIndex):
    """Scores every song and misses nothing.

    Many queries at once go through matrix products in all cores, a tile of half a megabyte of scores at a time. One query
    is bound by memory, so it reads a copy at a byte a number and looks at the vectors of the few dozen songs which that
    cannot tell from the best: the same answers in a third of the time or less.

    Args:
        storage: "int8" keeps that copy, a quarter of the vectors' memory, made anew after loading; "float32" keeps nothing.
        seed: of the check that every index has; nothing is drawn here.
    """

    name = "exact"

    def __init__(self, *, storage: str = "int8", seed: int = 0) -> None:
        self.storage = storage
        self.seed = seed

    def add(self, vectors: SongVectors) -> Self:
        """Search these new songs too, from the next search on; returns self. They are merged at once: nothing is slow to build."""
        return super().add(vectors).merge()

    def _build(self, unit: Array) -> None:
        if self.storage not in STORAGES:
            raise ArgumentError(f"storage={self.storage!r}: {' or '.join(map(repr, STORAGES))} is allowed")
        self._sieve = Sieve(unit) if self.storage == "int8" else None

    def _exactly(self, held: Held, units: Array, n: int, allowed: Allowed) -> Iterable[Array]:
        sieve = self._sieve
        few = len(units) > FEW_QUERIES or 8 * min(n, allowed.count) > len(held.unit) or 8 * allowed.count < len(held.unit)
        if sieve is None or few or len(sieve) != len(held.unit):
            return super()._exactly(held, units, n, allowed)
        return (sieve.candidates(unit, n, allowed.mask) for unit in units)

    def _nearest(self, queries: Array, n: int) -> Iterable[Array]:
        return candidates(self._now.unit, queries, n)

    def _check(self) -> Finding:
        self.recall_ = 1.0
        return Finding(1.0, 0)

    def _check_briefly(self) -> None:
        self._build(self._now.unit)
        self._accept(Finding(1.0, 0))

    def _accept(self, finding: Finding) -> None:
        self.answers_exactly_ = True
