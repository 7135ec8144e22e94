"""Exact search: every cosine, by blocked matrix products, or for single queries by a small copy that is read first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import Choice, setting
from song2vec.search._kernels import CHUNK, STRIP, coded_scores, encode
from song2vec.search.base import SongIndex
from song2vec.search.filters import Allowed
from song2vec.search.scoring import FEW_QUERIES, NO_MASK, candidates
from song2vec.search.state import IndexState, Searcher
from song2vec.vectors.song_vectors import SongVectors

_QUERY_STEPS = 4000  # a query is rounded this finely
_ROUNDING = 1e-6  # of float32, and of the length of unit vectors


class ExactIndex(SongIndex):
    """Scores every song and misses nothing.

    Many queries at once go through matrix products in all cores, a tile of half a megabyte of scores at a time. One query
    is bound by memory, so it reads a copy at a byte a number and looks at the vectors of the few dozen songs which that
    cannot tell from the best: the same answers in a third of the time or less. The copy is made anew after loading.
    """

    name = "exact"
    storage: str = setting(
        Choice(("int8", "float32")), default="int8", help="int8 keeps that copy, a quarter of the vectors' memory; float32 keeps none"
    )

    def add(self, vectors: SongVectors) -> Self:
        """Search these new songs too, from the next search on; returns self. They are merged at once: nothing is slow to build."""
        return super().add(vectors).merge()

    def _build(self, unit: Array) -> Searcher:
        return _Everything(unit, QuantisedPrefilter(unit) if self.storage == "int8" else None)

    def _exactly(self, state: IndexState, units: Array, n: int, allowed: Allowed) -> Iterable[Array]:
        searcher: Any = state.searcher
        songs, prefilter = len(state.vectors.unit), searcher.prefilter
        many = len(units) > FEW_QUERIES or 8 * min(n, allowed.count) > songs or 8 * allowed.count < songs
        if many or prefilter is None or state.built < songs:
            return super()._exactly(state, units, n, allowed)
        return (prefilter.candidates(unit, n, allowed.mask) for unit in units)


class _Everything(Searcher):
    exact = True

    def __init__(self, unit: Array, prefilter: QuantisedPrefilter | None) -> None:
        self._unit, self.prefilter = unit, prefilter

    def nearest(self, queries: Array, n: int) -> Iterable[Array]:
        return candidates(self._unit, queries, n)


class QuantisedPrefilter:
    """Rows that may be among the n best, by a copy of (m, d) float32 unit vectors or zeros at a byte a number.

    A row v is kept as s c with int8 c and one scale s a row, a query q as t p with int16 p. By Cauchy and Schwarz
    |q v - (t p)(s c)| <= |t p| |v - s c| + |q - t p| |v|, so that whatever scores within twice that of the n-th best may
    be among the n best and all else cannot: a few dozen rows, which the caller scores exactly.
    """

    def __init__(self, unit: Array) -> None:
        width = -(-unit.shape[1] // STRIP) * STRIP
        self._codes = np.zeros((len(unit), width), np.int8)
        self._scales = np.empty(len(unit), np.float32)
        self._error = encode(unit, self._codes, self._scales)
        self._steps = min(_QUERY_STEPS, (2**31 - 1) // (127 * width))  # else int32 overflows

    def candidates(self, query: Array, n: int, mask: Array | None = None) -> Array:
        """int64 rows among which the n best of a (d,) unit query are; of those that count by ``mask``, (m,), which are n at least."""
        step = float(np.abs(query).max()) / self._steps or 1.0
        coded = np.zeros(self._codes.shape[1], np.int16)
        coded[: len(query)] = np.rint(query / step)
        off = float(np.linalg.norm(query - coded[: len(query)] * step))
        slack = (2 * ((1 + off) * self._error + off) + _ROUNDING) / step
        scores = np.empty(len(self._codes), np.float32)
        maxima = np.empty(-(-len(self._codes) // CHUNK), np.float32)
        coded_scores(self._codes, self._scales, coded, NO_MASK if mask is None else mask, scores, maxima)
        if n < len(maxima):  # the n-th best of the maxima is never above the n-th best score, and there are few
            nth = np.partition(maxima, len(maxima) - n)[len(maxima) - n]
        else:
            nth = np.partition(scores, len(scores) - n)[len(scores) - n]
        rows = np.flatnonzero(scores >= nth - slack)
        found = scores[rows]
        return np.asarray(rows[found >= np.partition(found, len(found) - n)[len(found) - n] - slack])
