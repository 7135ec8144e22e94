"""Ranks of right songs by the outputs of a network, no further than they are asked for."""

from __future__ import annotations

import numba
import torch
from torch import Tensor

from song2vec.arrays import Array
from song2vec.sessions.compiled import parallel_jit

QUERIES, SONGS = 512, 4096  # scored at once: 8 MiB, which the cache of a core or two holds
ROUNDING = 1e-6  # of float32, as a share of the two lengths


class Ranker:
    """Ranks of songs, as far as some cut-off.

    Songs are scored block by block in row order, the often played first; a query that enough songs are ahead of is scored no
    more, and most that miss, miss soon. A song as high as the right one, to within the rounding of float32, counts as ahead.

    Args:
        table: (songs, columns), which outputs are multiplied by.
    """

    def __init__(self, table: Tensor) -> None:
        self._table, self._lengths = table, torch.linalg.vector_norm(table, dim=1)

    def ranks(self, outputs: Tensor, targets: Tensor, cut_off: int) -> Tensor:
        """(n,) int64 ranks of rows of the table, more than ``cut_off`` for any beyond it; 0 where a score is not finite.

        Args:
            outputs: (n, columns).
            targets: (n,) int64.
        """
        found = [
            self._some(outputs[begin : begin + QUERIES], targets[begin : begin + QUERIES], cut_off)
            for begin in range(0, len(outputs), QUERIES)
        ]
        return torch.cat(found) if found else torch.zeros_like(targets)

    def _some(self, outputs: Tensor, targets: Tensor, cut_off: int) -> Tensor:
        lengths = torch.linalg.vector_norm(outputs, dim=1)
        goals = (outputs * self._table[targets]).sum(1) - ROUNDING * lengths * self._lengths[targets]
        finite = torch.isfinite(lengths) & torch.isfinite(self._lengths).all()
        ranks = torch.zeros_like(targets)
        left = torch.arange(len(outputs), device=outputs.device)
        for begin in range(0, len(self._table), SONGS):
            ranks[left] += at_least(torch.mm(outputs, self._table[begin : begin + SONGS].T), goals)
            going = ranks[left] <= cut_off
            if not going.all():
                left, outputs, goals = left[going], outputs[going], goals[going]
        return ranks * finite


def at_least(scores: Tensor, goals: Tensor) -> Tensor:
    """(n,) int64: how many of each row of (n, m) scores are as high as its goal."""
    if scores.device.type != "cpu":
        return (scores >= goals[:, None]).sum(1)
    counts = torch.empty(len(scores), dtype=torch.int64)
    _at_least(scores.numpy(), goals.numpy(), counts.numpy())
    return counts


@parallel_jit
def _at_least(scores: Array, goals: Array, counts: Array) -> None:
    for i in numba.prange(len(goals)):
        row, goal, count = scores[i], goals[i], 0
        for score in row:  # without a branch, so that LLVM puts it on vector registers
            count += score >= goal
        counts[i] = count
