"""One pass over each row of scores: the rank of the right song, and the best k songs."""

from __future__ import annotations

import numba
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit, parallel_jit

_STEP = 64  # songs looked at together: where none is better than the k-th best so far, none is looked at singly
_INFINITY = np.float32(np.inf)


@parallel_jit
def rank_and_top(scores: Array, targets: Array, ranks: Array, top: Array) -> None:
    """Write ranks (n,) and top (n, k) int32 for (n, songs) float32 scores, or one row for all, and (n,) targets; k is at most songs.

    Rank is the number of songs scored as high as the target or higher; 0 says that some score is not finite. Of equal
    scores the lower row is ahead in top.
    """
    for i in numba.prange(len(targets)):
        ranks[i] = _rank_and_top(scores[i] if len(scores) > 1 else scores[0], targets[i], top[i])


@jit
def _rank_and_top(row: Array, target: int, top: Array) -> int:
    goal, worst = row[target], -_INFINITY
    rank = finite = filled = 0
    for begin in range(0, len(row), _STEP):
        step = row[begin : begin + _STEP]
        better = 0
        for i in range(len(step)):  # whole-number sums without a branch, from 0 on: so LLVM puts them on vector registers
            rank += step[i] >= goal
            better += step[i] > worst
            finite += abs(step[i]) < _INFINITY
        if better or filled < len(top):
            for song in range(begin, begin + len(step)):
                if filled < len(top) or row[song] > worst:
                    filled = _insert(row, song, top, filled)
                    worst = row[top[filled - 1]] if filled == len(top) else worst
    return rank if finite == len(row) else 0


@jit
def _insert(row: Array, song: int, top: Array, filled: int) -> int:
    """Put a song behind all that are as good; the last falls out of a full list."""
    place = min(filled, len(top) - 1)
    while place > 0 and row[song] > row[top[place - 1]]:
        top[place] = top[place - 1]
        place -= 1
    top[place] = song
    return min(filled + 1, len(top))
