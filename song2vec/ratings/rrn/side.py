"""One side of a recurrent recommender network: what listeners, or songs, are like as time goes on, and for good."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from song2vec.core.arrays import Array
from song2vec.ratings.rrn.steps import Steps

TOLD = 3  # new?, when, when before
CHUNK = 4096  # owners whose states are computed at once


class Batch(NamedTuple):
    """Steps of some owners, laid out side by side for a network.

    Attributes:
        owners: (b,) int64.
        counts: (b,) int64: how many steps each has.
        ratings: (n,) int64: their ratings, positions in ``steps.other``.
        offsets: (s,) int64: where the ratings of each of their steps begin among these.
        told: (s, 3) float32.
        slots: (s,) int64: where each of their steps lies when all owners get as many places as the one with most.
        step, row: (n,) int64: of each rating, its number among the steps of its owner, and the row of the owner in the batch.
    """

    owners: Array
    counts: Array
    ratings: Array
    offsets: Array
    told: Array
    slots: Array
    step: Array
    row: Array


def batch_of(steps: Steps, owners: Array, periods: int) -> Batch:
    """The steps of these owners."""
    counts = np.diff(steps.begin)[owners]
    row = np.repeat(np.arange(len(owners)), counts)
    number = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    which = steps.begin[owners][row] + number
    sizes = np.diff(steps.first)[which]
    offsets = np.cumsum(sizes) - sizes
    of = np.repeat(np.arange(len(which)), sizes)
    ratings = steps.first[which][of] + np.arange(len(of)) - offsets[of]
    when = steps.period[which]
    before = np.where(number > 0, steps.period[np.maximum(which - 1, 0)], when)
    told = np.stack([number == 0, when / periods, before / periods], 1).astype(np.float32)
    slots = row * counts.max(initial=0) + number
    return Batch(owners, counts, ratings, offsets, told, slots, number[of], row[of])


class Side(nn.Module):
    """y_t = W_embed [x_t, new?, tau_t, tau_(t-1)]; s_t = LSTM(s_(t-1), y_t); dynamic factor A s_t + b; stationary factor and bias.

    x_t holds the ratings of a step less the mean of all, over the root of their number, which keeps the gates of whoever
    rates much from closing; the published network takes the ratings as they are.

    Args:
        owners, others: rows of this side and of the other.
        size: numbers in a factor; hidden: units of the LSTM; embed: numbers in y.
    """

    def __init__(self, owners: int, others: int, size: int, hidden: int, embed: int) -> None:
        super().__init__()
        self.met = nn.EmbeddingBag(others, embed, mode="sum", sparse=True)
        self.told = nn.Linear(TOLD, embed)
        self.walk = nn.LSTM(embed, hidden, batch_first=True)
        self.dynamic = nn.Linear(hidden, size)
        self.factor = nn.Embedding(owners, size, sparse=True)
        self.bias = nn.Embedding(owners, 1, sparse=True)
        nn.init.normal_(self.factor.weight, 0, 0.1 / size**0.5)
        nn.init.zeros_(self.bias.weight)

    def optimisers(self, learning_rate: float) -> list[torch.optim.Optimizer]:
        """Adam; of tables it moves the rows that a step touched: where songs are many, all others would be most of the work."""
        tables = [self.met.weight, self.factor.weight, self.bias.weight]
        others = [*self.told.parameters(), *self.walk.parameters(), *self.dynamic.parameters()]
        return [torch.optim.SparseAdam(tables, learning_rate), torch.optim.Adam(others, learning_rate)]

    def states(self, steps: Steps, batch: Batch, mean: float) -> Tensor:
        """(sum of counts + 1, size) dynamic factors before the first step and after each, owner after owner."""
        counts, most = batch.counts, int(batch.counts.max(initial=0))
        walked = torch.zeros(len(counts), most + 1, self.walk.hidden_size)
        if len(batch.offsets):
            value = (steps.value[batch.ratings] - np.float32(mean)) / np.sqrt(self._company(batch))
            rows, offsets = torch.from_numpy(steps.other[batch.ratings]), torch.from_numpy(batch.offsets)
            met = self.met(rows, offsets, per_sample_weights=torch.from_numpy(value.astype(np.float32)))
            fed = met.new_zeros(len(counts) * most, met.shape[1])
            fed = fed.index_copy(0, torch.from_numpy(batch.slots), met + self.told(torch.from_numpy(batch.told)))
            after = self.walk(fed.view(len(counts), most, -1))[0]  # what is padded comes last and is not looked at
            walked = torch.cat([walked[:, :1], after], 1)
        there = np.flatnonzero(np.arange(most + 1) <= counts[:, None])
        factors: Tensor = self.dynamic(walked.flatten(0, 1).index_select(0, torch.from_numpy(there)))
        return factors

    @torch.inference_mode()
    def all_states(self, steps: Steps, periods: int, mean: float) -> Tensor:
        """As :meth:`states`, of all owners, and one more row: the blank state, of whoever is not known."""
        owners = np.arange(len(steps.begin) - 1)
        found = [self.states(steps, batch_of(steps, owners[at : at + CHUNK], periods), mean) for at in range(0, len(owners), CHUNK)]
        return torch.cat([*found, self.dynamic(torch.zeros(1, self.walk.hidden_size))])

    @staticmethod
    def _company(batch: Batch) -> Array:
        """(n,) how many ratings the step of each rating has."""
        sizes = np.diff(np.append(batch.offsets, len(batch.ratings)))
        return np.repeat(sizes, sizes)
