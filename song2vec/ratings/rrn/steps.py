"""What each listener, or each song, met period by period: the steps that a recurrent network takes.

Ann (0) rates songs 7 and 2 in period 0 and song 7 in period 4; Bob (1) has no rating; Cid (2) rates song 2 in period 1::

    begin  [0 2 2 3]      the steps of owner u are begin[u] to begin[u + 1]
    period [0 4 1]        when each step was
    first  [0 2 3 4]      step k met other[first[k]:first[k + 1]]
    other  [7 2 7 2]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import Array


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

    def taken(self, owner: Array, period: Array) -> Array:
        """(n,) int64: how many steps each of these owners had taken before a period began."""
        span = int(self.period.max()) + 2
        keys = self.owner * span + self.period
        result: Array = np.searchsorted(keys, owner * span + np.minimum(period, span - 1)) - self.begin[owner]
        return result

    @property
    def places(self) -> Array:
        """(owners,) int64: where the states of each owner begin when those of all are laid end to end, the blank one first."""
        result: Array = self.begin[:-1] + np.arange(len(self.begin) - 1)
        return result
