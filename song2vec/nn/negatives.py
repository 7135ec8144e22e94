"""Additional negatives: songs drawn in proportion to support**exponent, a block of steps at a time."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.core.random import generator


class Negatives:
    """Draws songs.

    Args:
        support: (m,) how often each song was played; songs never played are drawn only with exponent 0.
        exponent: 0 draws all songs alike, 1 in proportion to their support.
        count: songs drawn for a step.
        seed: of all draws; the draws of a block depend on nothing else but its epoch and number.
    """

    def __init__(self, support: Array, exponent: float, count: int, seed: int) -> None:
        weights = np.where(support > 0, support, 0).astype(np.float64) ** exponent
        self.cumulative = np.cumsum(weights) / weights.sum()
        self.cumulative[np.flatnonzero(weights)[-1] :] = 1  # rounding must not leave a gap at the end
        self.first = np.searchsorted(self.cumulative, np.arange(len(support)) / len(support), side="right")
        self.exponent, self.count, self.seed = exponent, count, seed

    def block(self, epoch: int, number: int, steps: int) -> Array:
        """(steps, count) int64 rows of songs."""
        uniform = generator(self.seed, f"negatives {epoch} {number}").random(steps * self.count)
        songs = np.empty(len(uniform), np.int64)
        invert(self.cumulative, self.first, uniform, songs)
        return songs.reshape(steps, self.count)


@jit
def invert(cumulative: Array, first: Array, uniform: Array, songs: Array) -> None:
    """``searchsorted(cumulative, uniform, "right")``, begun where ``first`` says that each m-th of the range begins."""
    cells = len(first)
    for i in range(len(uniform)):
        cell = min(int(uniform[i] * cells), cells - 1)
        song = first[cell]
        while song > 0 and cumulative[song - 1] > uniform[i]:  # the cell may round up
            song -= 1
        while cumulative[song] <= uniform[i]:
            song += 1
        songs[i] = song
