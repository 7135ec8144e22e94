"""The network: what listeners, and songs, are like as time goes on, and for good; and the steps that it takes, period by period.

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
import torch
from torch import Tensor, nn

from song2vec.core.arrays import Array, ranges
from song2vec.nn.module import StoredModule
from song2vec.ratings.table import Ratings

FEATURES = 3  # new?, when, when before
CHUNK = 4096  # owners whose states are computed at once


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


class Side(nn.Module):
    """y_t = W_embed [x_t, new?, tau_t, tau_(t-1)]; s_t = LSTM(s_(t-1), y_t); dynamic factor A s_t + b; stationary factor and bias.

    x_t holds the ratings of a step less the mean of all, over the root of their number, which keeps the gates of whoever
    rates much from closing; the published network takes the ratings as they are.

    Args:
        owners, others: rows of this side and of the other.
        size: numbers in a factor; hidden: units of the LSTM; embed: numbers in y.
        mean: of all ratings; periods: how many training knows.
    """

    def __init__(self, owners: int, others: int, *, size: int, hidden: int, embed: int, mean: float, periods: int) -> None:
        super().__init__()
        self.mean, self.periods = mean, periods
        self.others = nn.EmbeddingBag(others, embed, mode="sum", sparse=True)
        self.features = nn.Linear(FEATURES, embed)
        self.lstm = nn.LSTM(embed, hidden, batch_first=True)
        self.dynamic = nn.Linear(hidden, size)
        self.factor = nn.Embedding(owners, size, sparse=True)
        self.bias = nn.Embedding(owners, 1, sparse=True)
        nn.init.normal_(self.factor.weight, 0, 0.1 / size**0.5)
        nn.init.zeros_(self.bias.weight)

    def forward(self, steps: Steps, batch: StepBatch) -> Tensor:
        """(sum of counts + 1, size) dynamic factors before the first step and after each, owner after owner."""
        counts, most = batch.counts, int(batch.counts.max(initial=0))
        states = torch.zeros(len(counts), most + 1, self.lstm.hidden_size)
        if len(batch.offsets):
            sizes = np.diff(np.append(batch.offsets, len(batch.ratings)))
            value = (steps.value[batch.ratings] - np.float32(self.mean)) / np.sqrt(np.repeat(sizes, sizes))
            rows, offsets = torch.from_numpy(steps.other[batch.ratings]), torch.from_numpy(batch.offsets)
            met = self.others(rows, offsets, per_sample_weights=torch.from_numpy(value.astype(np.float32)))
            padded = met.new_zeros(len(counts) * most, met.shape[1])
            padded = padded.index_copy(0, torch.from_numpy(batch.slots), met + self.features(torch.from_numpy(batch.features)))
            after = self.lstm(padded.view(len(counts), most, -1))[0]  # what is padded comes last and is not looked at
            states = torch.cat([states[:, :1], after], 1)
        there = np.flatnonzero(np.arange(most + 1) <= counts[:, None])
        factors: Tensor = self.dynamic(states.flatten(0, 1).index_select(0, torch.from_numpy(there)))
        return factors

    @torch.inference_mode()
    def all_states(self, steps: Steps) -> Tensor:
        """As ``forward``, of all owners, and one more row: the blank state, of whoever is not known."""
        owners = np.arange(len(steps.begin) - 1)
        found = [self(steps, steps.batch(owners[at : at + CHUNK], self.periods)) for at in range(0, len(owners), CHUNK)]
        return torch.cat([*found, self.dynamic(torch.zeros(1, self.lstm.hidden_size))])


class RatingNetwork(StoredModule):
    """Both sides; arguments are those of :class:`Side`."""

    def __init__(self, listeners: int, songs: int, **sizes: float) -> None:
        super().__init__()
        self.listeners, self.songs = Side(listeners, songs, **sizes), Side(songs, listeners, **sizes)  # type: ignore[arg-type]

    @property
    def sides(self) -> tuple[Side, Side]:
        """That of the listeners, and that of the songs."""
        return self.listeners, self.songs

    def states(self, seen: Ratings) -> list[tuple[Steps, Tensor]]:
        """The steps of all listeners through what was seen and the states along them, and those of all songs."""
        return [(steps, side.all_states(steps)) for side, steps in zip(self.sides, Steps.both(seen), strict=True)]
