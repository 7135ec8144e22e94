"""How sure a figure is: 95 % intervals by resampling whole test sessions.

Queries of one session are alike, so a session is drawn with all its queries or not at all (the cluster bootstrap). Every
figure is a ratio of two sums over queries, say hits over queries; a resample draws as many sessions as there are, with
replacement, adds both sums up again and divides. The interval is from the 2.5th to the 97.5th percentile of what comes
out (Efron and Tibshirani 1993). Figures of several models are resampled by the same draws, which makes their differences paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.random import generator

LEVEL = 0.95
_BLOCK = 2**21  # drawn weights held at once


@dataclass(frozen=True, eq=False)
class Ratio:
    """A metric as parts of its queries: the figure is the sum of ``top`` over the sum of ``bottom``, both (n,) float64."""

    top: Array
    bottom: Array

    @classmethod
    def mean(cls, values: Array) -> Ratio:
        """The mean of (n,) values; queries that are NaN have no part in it."""
        known = ~np.isnan(values)
        return cls(np.where(known, values, 0.0), known.astype(np.float64))

    @property
    def value(self) -> float:
        """The figure; NaN where the sum of ``bottom`` is 0."""
        return float(_divided(np.array([self.top.sum()]), np.array([self.bottom.sum()]))[0])


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high``; NaN both where the figure is."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def resampled(session: Array, ratios: Sequence[Ratio], resamples: int = 1000, seed: int = 0) -> Array:
    """(resamples, ratios) float64: every figure in every resample of the sessions, one draw of sessions a resample for all.

    Args:
        session: (n,) whole numbers, equal for queries of the same session.
        resamples: draws; 1000 place the ends of a 95 % interval to about a tenth of its width.

    All are NaN for a single session, which tells nothing of others. Raises ArgumentError for a bad number of resamples or seed.
    """
    check_int("resamples", resamples)
    numbers = np.unique(session, return_inverse=True)[1]
    sums = np.stack([np.bincount(numbers, part) for ratio in ratios for part in (ratio.top, ratio.bottom)], axis=1)
    random, count = generator(seed, "bootstrap"), len(sums)
    if count < 2:
        return np.full((resamples, len(ratios)), np.nan)
    rows = max(1, _BLOCK // count)
    drawn = np.empty((resamples, sums.shape[1]))
    for begin in range(0, resamples, rows):
        block = drawn[begin : begin + rows]
        block[:] = np.stack([np.bincount(random.integers(0, count, count), minlength=count) for _ in block]) @ sums
    return _divided(drawn[:, ::2], drawn[:, 1::2])


def interval(figures: Array, level: float = LEVEL) -> Interval:
    """The percentile interval of (resamples,) figures; NaN (hits on repeats where none was drawn) is passed over."""
    known = figures[~np.isnan(figures)]
    if not len(known):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _divided(top: Array, bottom: Array) -> Array:
    quotient: Array = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return quotient
