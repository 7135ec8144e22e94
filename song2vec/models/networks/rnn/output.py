"""The output layer in training: scores of the songs that count, the loss, and gradients by hand into buffers made once.

These are the largest arrays of a step by far; autograd would make each of them anew, which costs more than the sums.
"""

from __future__ import annotations

import torch
from torch import Tensor

from song2vec.models.networks.rnn.adagrad import Adagrad
from song2vec.models.networks.rnn.losses import Loss

FULL_ENTRIES = 2**24  # scores of all songs held at once: 64 MiB


class Output:
    """The output table and bias, and how they learn.

    Args:
        table: (m, hidden); bias: (m, 1).
        rows: most rows that a batch has.
        sample: additional negatives a step.
        half: compute products in bfloat16.
    """

    def __init__(self, table: Adagrad, bias: Adagrad, loss: Loss, rows: int, sample: int, *, half: bool = False) -> None:
        self.table, self.bias, self.loss, self.half = table, bias, loss, half
        blank = table.parameters.new_empty
        self._weights, self._slopes = (blank((rows + sample, table.parameters.shape[1])) for _ in range(2))
        self._scores = blank(rows * (rows + sample))
        self._diagonal = torch.arange(rows, device=table.parameters.device)

    def sampled(self, hidden: Tensor, columns: Tensor, less: Tensor | None, scale: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Targets of the batch are negatives for each other.

        Args:
            hidden: (rows, hidden) outputs of the network.
            columns: (rows + sample,) songs, the targets of the rows first.
            less: (columns,) taken off the scores; None for nothing.
            scale: what the loss is multiplied by.

        Returns:
            The loss summed over rows, and gradients by ``hidden``, by the rows of the table at ``columns``, and by their bias.
        """
        count, rows = len(columns), len(hidden)
        weights, slopes = self._weights[:count], self._slopes[:count]
        torch.index_select(self.table.parameters, 0, columns, out=weights)
        shift = self.bias.parameters[:, 0].index_select(0, columns)
        scores = self._scores[: rows * count].view(rows, count)
        self._product(hidden, weights.T, scores, shift if less is None else shift - less)
        if count == 1:  # one session, no other song: nothing to learn from
            return scores.new_zeros(()), torch.zeros_like(hidden), slopes.zero_(), scores.new_zeros((1, 1))
        total, gradient = self.loss(scores, self._diagonal[:rows])
        self._product(gradient.T, hidden * scale, slopes)
        back = self._product(gradient, weights, torch.empty_like(hidden))
        return total, back.mul_(scale), slopes, gradient.sum(0).mul_(scale)[:, None]

    def full(self, hidden: Tensor, target: Tensor, scale: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Every song of the catalogue is a negative; as :meth:`sampled`, the gradients by the whole table and bias."""
        table, shift = self.table.parameters, self.bias.parameters[:, 0]
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
        return total, back, slopes, slope[:, None]

    def _product(self, a: Tensor, b: Tensor, out: Tensor, shift: Tensor | None = None) -> Tensor:
        """a b, plus the shift, into ``out``."""
        if self.half:
            out.copy_(a.bfloat16() @ b.bfloat16())
            return out if shift is None else out.add_(shift)
        return torch.mm(a, b, out=out) if shift is None else torch.addmm(shift, a, b, out=out)
