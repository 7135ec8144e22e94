"""A copy of the vectors at a byte a number that one query reads through instead of four, and misses nothing."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.search.kernels import CHUNK, STRIP, coded_scores, encode, rows_from

_QUERY_STEPS = 4000  # a query is rounded this finely
_ROUNDING = 1e-6  # of float32, and of the length of unit vectors
_NO_MASK = np.empty(0, np.bool_)


class Sieve:
    """Rows that may be among the n best, by rounded vectors.

    A row v is kept as s c with int8 c and one scale s a row, a query q as t p with int16 p. By Cauchy and Schwarz
    |q v - (t p)(s c)| <= |t p| |v - s c| + |q - t p| |v|, so that whatever scores within twice that of the n-th best may
    be among the n best and all else cannot: a few dozen rows, which the caller scores exactly.

    Args:
        unit: (m, d) float32 unit vectors or zeros.
    """

    def __init__(self, unit: Array) -> None:
        width = -(-unit.shape[1] // STRIP) * STRIP
        self._codes = np.zeros((len(unit), width), np.int8)
        self._scales = np.empty(len(unit), np.float32)
        self._error = encode(unit, self._codes, self._scales)
        self._steps = min(_QUERY_STEPS, (2**31 - 1) // (127 * width))  # else int32 overflows

    def __len__(self) -> int:
        return len(self._codes)

    def candidates(self, query: Array, n: int, mask: Array | None = None) -> Array:
        """int64 rows among which the n best of a (d,) unit query are.

        Args:
            mask: (m,) which rows count; at least n do.
        """
        step = float(np.abs(query).max()) / self._steps or 1.0
        coded = np.zeros(self._codes.shape[1], np.int16)
        coded[: len(query)] = np.rint(query / step)
        off = float(np.linalg.norm(query - coded[: len(query)] * step))
        slack = (2 * ((1 + off) * self._error + off) + _ROUNDING) / step
        scores = np.empty(len(self), np.float32)
        maxima = np.empty(-(-len(self) // CHUNK), np.float32)
        coded_scores(self._codes, self._scales, coded, _NO_MASK if mask is None else mask, scores, maxima)
        if n < len(maxima):  # the n-th best of the maxima is never above the n-th best score, and there are few
            nth = np.partition(maxima, len(maxima) - n)[len(maxima) - n]
        else:
            nth = np.partition(scores, len(scores) - n)[len(scores) - n]
        rows: Array = rows_from(scores, maxima, nth - slack)
        found = scores[rows]
        few: Array = rows[found >= np.partition(found, len(found) - n)[len(found) - n] - slack]
        return few
