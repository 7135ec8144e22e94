"""The output layer in training: negatives drawn in proportion to support**exponent, scores of the songs that count, the loss, and
gradients by hand into buffers made once.

The scores are the largest arrays of a step by far; autograd would make each of them anew, which costs more than the sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.core.random import generator
from song2vec.nn.losses import Loss

FULL_ENTRIES = 2**24  # scores of all songs held at once: 64 MiB


class Gradients(NamedTuple):
    """What the output layer comes to.

    Attributes:
        loss: summed over rows.
        outputs: (rows, width) gradient by the outputs of the network.
        table: (columns, width) by the rows of the output table; bias: (columns, 1).
    """

    loss: Tensor
    outputs: Tensor
    table: Tensor
    bias: Tensor


class Softmax:
    """Scores outputs of a network, of sampled songs or of all, and grades them by a loss.

    Args:
        table: (m, width); bias: (m, 1).
        half: compute products in bfloat16.
    """

    def __init__(self, table: Tensor, bias: Tensor, loss: Loss, *, half: bool = False) -> None:
        self.table, self.bias, self.loss, self.half = table.detach(), bias.detach(), loss, half
        self._weights = self._slopes = self.table[:0]
        self._scores = self.table.new_empty(0)
        self._diagonal = torch.arange(0, device=table.device)

    def sampled(self, hidden: Tensor, columns: Tensor, correction: Tensor | None, scale: float) -> Gradients:
        """Targets of the batch are negatives for each other; gradients of the table are by its rows at ``columns``.

        Args:
            hidden: (rows, width) outputs of the network.
            columns: (rows + n_negatives,) songs, the targets of the rows first.
            correction: (columns,) taken off the scores; None for nothing.
            scale: what the loss is multiplied by.
        """
        count, rows = len(columns), len(hidden)
        self._make_room(rows, count)
        weights, slopes = self._weights[:count], self._slopes[:count]
        torch.index_select(self.table, 0, columns, out=weights)
        shift = self.bias[:, 0].index_select(0, columns)
        scores = self._scores[: rows * count].view(rows, count)
        self._product(hidden, weights.T, scores, shift if correction is None else shift - correction)
        if count == 1:  # one session, no other song: nothing to learn from
            return Gradients(scores.new_zeros(()), torch.zeros_like(hidden), slopes.zero_(), scores.new_zeros((1, 1)))
        total, gradient = self.loss(scores, self._diagonal[:rows])
        self._product(gradient.T, hidden * scale, slopes)
        back = self._product(gradient, weights, torch.empty_like(hidden))
        return Gradients(total, back.mul_(scale), slopes, gradient.sum(0).mul_(scale)[:, None])

    def full(self, hidden: Tensor, target: Tensor, scale: float) -> Gradients:
        """Every song of the catalogue is a negative; as :meth:`sampled`, the gradients by the whole table and bias."""
        table, shift = self.table, self.bias[:, 0]
        total, back, slopes, slope = shift.new_zeros(()), torch.empty_like(hidden), torch.zeros_like(table), torch.zeros_like(shift)
        step = max(1, FULL_ENTRIES // len(table))
        for begin in range(0, len(hidden), step):
            part, goal = hidden[begin : begin + step], target[begin : begin + step]
            scores = self._product(part, table.T, table.new_empty((len(part), len(table))), shift)
            value, gradient = self.loss(scores, goal)
            gradient.mul_(scale)
            self._product(gradient, table, back[begin : begin + step])
            slopes += self._product(gradient.T, part, torch.empty_like(slopes))
            slope += gradient.sum(0)
            total += value
        return Gradients(total, back, slopes, slope[:, None])

    def _make_room(self, rows: int, count: int) -> None:
        """Buffers are made anew only where a batch is larger than all before."""
        if count > len(self._weights):
            self._weights, self._slopes = (self.table.new_empty((count, self.table.shape[1])) for _ in range(2))
        if rows * count > len(self._scores):
            self._scores = self.table.new_empty(rows * count)
        if rows > len(self._diagonal):
            self._diagonal = torch.arange(rows, device=self.table.device)

    def _product(self, a: Tensor, b: Tensor, out: Tensor, shift: Tensor | None = None) -> Tensor:
        """a b, plus the shift, into ``out``."""
        if self.half:
            out.copy_(a.bfloat16() @ b.bfloat16())
            return out if shift is None else out.add_(shift)
        return torch.mm(a, b, out=out) if shift is None else torch.addmm(shift, a, b, out=out)


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
        self.count, self.seed = count, seed

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
