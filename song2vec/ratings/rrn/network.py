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
    """Steps of b owners in a grid of b rows: each owner's steps in turn, and empty cells behind them to the width of the longest row.

    Attributes:
        owners: (b,) int64.
        counts: (b,) int64: how many steps each has.
        offsets: (cells,) int64: where the ratings of each cell begin among those of the batch.
        features: (cells, 3) float32: 1 for the first step of an owner, its period, and that of the step before, as shares of all periods.
        ratings: (n,) int64: all ratings of the steps, positions in ``Steps.other``.
        row: (n,) int64: of each rating, the row of its owner.
        before: (n,) int64: and the number of the state before its step, when each row has one state more than cells, row after row.
    """

    owners: Array
    counts: Array
    offsets: Array
    features: Array
    ratings: Array
    row: Array
    before: Array


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
        width = int(counts.max(initial=0))
        row, step = ranges(self.begin[owners], counts)
        number = step - self.begin[owners][row]
        cell, when = row * width + number, self.period[step]
        sizes, features = np.zeros(len(owners) * width, np.int64), np.zeros((len(owners) * width, FEATURES), np.float32)
        sizes[cell] = np.diff(self.first)[step]
        earlier = np.where(number > 0, self.period[np.maximum(step - 1, 0)], when)
        features[cell] = np.stack([number == 0, when / periods, earlier / periods], 1)
        of, ratings = ranges(self.first[step], sizes[cell])
        return StepBatch(owners, counts, np.cumsum(sizes) - sizes, features, ratings, row[of], (cell + row)[of])

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
        """(b, width + 1, size) dynamic factors before the first step and after each; what lies behind an owner's last means nothing."""
        states = torch.zeros(len(batch.owners), 1, self.lstm.hidden_size)
        if len(batch.offsets):
            sizes = np.diff(np.append(batch.offsets, len(batch.ratings)))
            value = (steps.value[batch.ratings] - np.float32(self.mean)) / np.sqrt(np.repeat(sizes, sizes))
            rows, offsets = torch.from_numpy(steps.other[batch.ratings]), torch.from_numpy(batch.offsets)
            met = self.others(rows, offsets, per_sample_weights=torch.from_numpy(value.astype(np.float32)))
            inputs = met + self.features(torch.from_numpy(batch.features))
            states = torch.cat([states, self.lstm(inputs.view(len(batch.owners), -1, inputs.shape[1]))[0]], 1)
        factors: Tensor = self.dynamic(states)
        return factors

    @torch.inference_mode()
    def all_states(self, steps: Steps) -> Tensor:
        """(states, size) as ``forward``, of all owners, end to end, and one more row: the blank state, of whoever is not known."""
        owners, found = np.arange(len(steps.begin) - 1), []
        for at in range(0, len(owners), CHUNK):
            batch = steps.batch(owners[at : at + CHUNK], self.periods)
            states = self(steps, batch)
            found.append(states[torch.from_numpy(np.arange(states.shape[1]) <= batch.counts[:, None])])
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
