"""The network: what listeners, and songs, are like as time goes on, and for good."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from song2vec.core.arrays import Array
from song2vec.ratings.rrn.steps import FEATURES, StepBatch, Steps
from song2vec.ratings.table import Ratings

CHUNK = 4096  # owners whose states are computed at once


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
            value = (steps.value[batch.ratings] - np.float32(self.mean)) / np.sqrt(_sizes(batch))
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


class RatingNetwork(nn.Module):
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

    def arrays(self) -> dict[str, Array]:
        """Copies of all weights by name."""
        return {name: weights.detach().numpy().copy() for name, weights in self.state_dict().items()}

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Take over what :meth:`arrays` gave. Raises ValueError when it does not fit."""
        try:
            self.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
        except RuntimeError as error:
            raise ValueError(str(error)) from error


def _sizes(batch: StepBatch) -> Array:
    """(n,) how many ratings the step of each rating has."""
    sizes = np.diff(np.append(batch.offsets, len(batch.ratings)))
    return np.repeat(sizes, sizes)
