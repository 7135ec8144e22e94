"""What each listener, or each song, met period by period: the steps that a recurrent network takes.

Ann (0) rates songs 7 and 2 in period 0 and song 7 in period 4; Bob (1) has no rating; Cid (2) rates song 2 in period 1::

    begin  [0 2 2 3]      the steps of owner u are begin[u] to begin[u + 1]
    period [0 4 1]        when each step was
    first  [0 2 3 4]      step k met other[first[k]:first[k + 1]]
    other  [7 2 7 2]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array, ranges
from song2vec.ratings.table import Ratings

FEATURES = 3  # new?, when, when before


class StepBatch(NamedTuple):
    """Steps of some owners, laid out side by side for a network.

    Attributes:
        owners: (b,) int64.
        counts: (b,) int64: how many steps each has.
        ratings: (n,) int64: their ratings, positions in ``Steps.other``.
        offsets: (s,) int64: where the ratings of each of their steps begin among these.
        features: (s, 3) float32: 1 for the first step of an owner, its period, and that of the step before, as shares of all periods.
        slots: (s,) int64: where each of their steps lies when all owners get as many places as the one with most.
        step, row: (n,) int64: of each rating, its number among the steps of its owner, and the row of the owner in the batch.
    """

    owners: Array
    counts: Array
    ratings: Array
    offsets: Array
    features: Array
    slots: Array
    step: Array
    row: Array


@dataclass(frozen=True, eq=False)
class Steps:
    """Steps of owners in the order of time; periods without a rating are none.

    Attributes:
        owner: (steps,) int64, rising.
        period: (steps,) int64.
        begin: (owners + 1,) int64.
        first: (steps + 1,) int64.
        other, value: (ratings,) int64 and float32: what was met, and how it was rated.
    """

    owner: Array
    period: Array
    begin: Array
    first: Array
    other: Array
    value: Array

    @classmethod
    def of(cls, owner: Array, other: Array, period: Array, value: Array, owners: int) -> Steps:
        """Of (n,) ratings in any order."""
        order = np.lexsort((period, owner))
        mine, when = owner[order].astype(np.int64), period[order].astype(np.int64)
        starts = np.flatnonzero(np.append(True, (np.diff(mine) != 0) | (np.diff(when) != 0)))
        begin = np.searchsorted(mine[starts], np.arange(owners + 1))
        first = np.append(starts, len(order))
        return cls(mine[starts], when[starts], begin, first, other[order].astype(np.int64), value[order].astype(np.float32))

    @classmethod
    def both(cls, seen: Ratings) -> tuple[Steps, Steps]:
        """Those of listeners, and those of songs."""
        return (
            cls.of(seen.listener, seen.song, seen.period, seen.value, len(seen.listeners)),
            cls.of(seen.song, seen.listener, seen.period, seen.value, len(seen.catalogue)),
        )

    def batch(self, owners: Array, periods: int) -> StepBatch:
        """The steps of these owners; ``periods`` are those that training knows."""
        counts = np.diff(self.begin)[owners]
        row, which = ranges(self.begin[owners], counts)
        number, sizes = which - self.begin[owners][row], np.diff(self.first)[which]
        of, ratings = ranges(self.first[which], sizes)
        offsets = np.cumsum(sizes) - sizes
        when = self.period[which]
        before = np.where(number > 0, self.period[np.maximum(which - 1, 0)], when)
        features = np.stack([number == 0, when / periods, before / periods], 1).astype(np.float32)
        slots = row * counts.max(initial=0) + number
        return StepBatch(owners, counts, ratings, offsets, features, slots, number[of], row[of])

    def places(self, owner: Array, period: Array) -> Array:
        """(n,) int64: where the state of each of these owners before a period lies, when those of all are laid end to end.

        Each owner has a blank state first, and then one for each step.
        """
        result: Array = self.begin[owner] + owner + self.taken(owner, period)
        return result

    def taken(self, owner: Array, period: Array) -> Array:
        """(n,) int64: how many steps each of these owners had taken before a period began."""
        span = int(self.period.max()) + 2
        keys = self.owner * span + self.period
        result: Array = np.searchsorted(keys, owner * span + np.minimum(period, span - 1)) - self.begin[owner]
        return result
