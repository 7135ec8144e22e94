"""Ranks of right songs by the outputs of a network, no further than they are asked for."""

from __future__ import annotations

import numba
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.jit import parallel_jit

QUERIES, SONGS = 512, 1024  # scored at once: 2 MiB, which the cache of a core or two holds
LANE = 8  # columns come in multiples of it: sgemm is a third faster on rows that begin on a vector register's bounds
ROUNDING = 1e-6  # of float32, as a share of the two lengths


class Ranker:
    """Ranks of songs, as far as some cut-off, without scoring every song.

    Taking the same vector from every row of the table moves all scores of an output alike, so ranks are found by distances from
    the mean row, where most songs, rarely played, are near zero. Songs are scored block by block, the longest first, and a query
    is done when no song left is long enough to reach its goal (Teflioudi et al., LEMP, SIGMOD 2015, "length-based pruning"), or
    when enough are ahead of it. A song as high as the right one, to within the rounding of float32, counts as ahead.

    Args:
        table: (songs, columns), which outputs are multiplied by.
    """

    def __init__(self, table: Tensor) -> None:
        self._columns, mean = table.shape[1], table.mean(0)
        self._finite = bool(torch.isfinite(table).all())
        lengths, order = torch.linalg.vector_norm(table - mean, dim=1).sort(descending=True)
        self._place = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))
        self._table = torch.zeros(len(table), -(-self._columns // LANE) * LANE, device=table.device)
        self._table[:, : self._columns] = table[order].sub_(mean)
        self._longest = lengths[::SONGS].tolist()

    def ranks(self, outputs: Tensor, targets: Tensor, cut_off: int) -> Tensor:
        """(n,) int64 ranks of rows of the table, more than ``cut_off`` for any beyond it; 0 where a score is not finite.

        Args:
            outputs: (n, columns).
            targets: (n,) int64.
        """
        if not self._finite:
            return torch.zeros_like(targets)
        wide = torch.nn.functional.pad(outputs, (0, self._table.shape[1] - self._columns))
        parts = zip(torch.split(wide, QUERIES), torch.split(targets, QUERIES), strict=True)
        return torch.cat([self._some(some, goals, cut_off) for some, goals in parts])

    def _some(self, outputs: Tensor, targets: Tensor, cut_off: int) -> Tensor:
        own = self._table[self._place[targets]]
        lengths = torch.linalg.vector_norm(outputs, dim=1)
        goals = (outputs * own).sum(1) - ROUNDING * lengths * torch.linalg.vector_norm(own, dim=1)
        finite, ranks = torch.isfinite(lengths), torch.zeros_like(targets)
        left = torch.arange(len(outputs), device=outputs.device)
        for block, longest in zip(torch.split(self._table, SONGS), self._longest, strict=True):
            going = (ranks[left] <= cut_off) & ((1 + ROUNDING) * longest * lengths >= goals)
            if not going.all():
                left, outputs, goals, lengths = left[going], outputs[going], goals[going], lengths[going]
            if not len(left):
                break
            ranks[left] += at_least(torch.mm(outputs, block.T), goals - ROUNDING * longest * lengths)
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
