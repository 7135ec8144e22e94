"""Bags of songs, which songs each of several owners played, and their encoder and decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from song2vec.core.arrays import Array, ranges
from song2vec.models.songs import plays_of_histories
from song2vec.nn.module import SongNetwork, glorot, song_bags
from song2vec.sessions import Sessions


@dataclass(frozen=True)
class Bags:
    """The songs of bag i are ``songs[offsets[i]:offsets[i + 1]]``, none twice.

    Attributes:
        songs: int64, catalogue rows.
        offsets: (bags + 1,) int64.
    """

    songs: Array
    offsets: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(cls, owner: Array, songs: Array, owners: int) -> Bags:
        """From plays: (n,) whose they are, from 0 to ``owners`` - 1, and (n,) of what."""
        width = int(songs.max(initial=0)) + 1
        keys = np.unique(owner.astype(np.int64) * width + songs)
        return cls(keys % width, np.searchsorted(keys, np.arange(owners + 1) * width))

    @classmethod
    def of_owners(cls, sessions: Sessions, owners: Literal["sessions", "listeners"]) -> Bags:
        """One bag a session, or one a listener of all their sessions; listeners without a session have none."""
        owner = np.arange(len(sessions)) if owners == "sessions" else np.unique(sessions.listener, return_inverse=True)[1]
        return cls.of(np.repeat(owner, sessions.lengths), sessions.songs, int(owner.max()) + 1)

    @classmethod
    def of_histories(cls, sessions: Sessions, plays: Array) -> Bags:
        """One bag a play: what its session played up to it."""
        return cls.of(*plays_of_histories(sessions, plays), len(plays))

    def some(self, which: Array) -> Bags:
        """Some of the bags, by their numbers."""
        counts = self.counts[which]
        return Bags(self.songs[ranges(self.offsets[which], counts)[1]], np.append(0, np.cumsum(counts)))

    @property
    def counts(self) -> Array:
        """(bags,) int64: how many songs each holds."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> Array:
        """Whose each of the songs is."""
        return np.repeat(np.arange(len(self)), self.counts)


class Coder(SongNetwork):
    """Bags to codes to what meets the output table.

    x = sum of input rows / sqrt(songs in the bag) + b, through tanh and a layer to the code when there is a wide layer. The code is
    tanh(x), or for a variational one x is (mean, log variance). Its output goes through a layer and tanh when there is a wide layer.

    Args:
        hidden: numbers in a code.
        wide: units of a layer on either side of it; None for no such layers.
    """

    input: nn.EmbeddingBag

    def __init__(self, songs: int, hidden: int, wide: int | None, variational: bool) -> None:
        super().__init__(songs, wide or hidden)
        coded = hidden * (2 if variational else 1)
        self.hidden, self.variational = hidden, variational
        self.input, self.input_bias = song_bags(songs, wide or coded, "sum"), nn.Parameter(torch.zeros(wide or coded))
        self.to_code = nn.Linear(wide, coded) if wide else None
        self.from_code = nn.Linear(hidden, wide) if wide else None

    def draw(self, random: np.random.Generator) -> None:
        layers = [layer for layer in (self.to_code, self.from_code) if layer is not None]
        for layer in layers:
            nn.init.zeros_(layer.bias)
        for weights in (*[layer.weight for layer in layers], self.input.weight, self.output.weight):
            glorot(weights, random)

    def sums(self, bags: Bags, mask: Array | None = None) -> Tensor:
        """(bags, numbers) the weighted sums of input rows; ``mask``, (songs of the bags,), multiplies the weights."""
        weights = (1 / np.sqrt(bags.counts))[bags.owner].astype(np.float32) * (1 if mask is None else mask)
        rows, offsets, shares = (torch.from_numpy(array).to(self.device) for array in (bags.songs, bags.offsets[:-1], weights))
        sums: Tensor = self.input(rows, offsets, per_sample_weights=shares)
        return sums

    def code(self, sums: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(bags, numbers) sums -> (bags, hidden) codes and their divergence; without noise a variational code is its mean."""
        x = sums + self.input_bias
        if self.to_code is not None:
            x = self.to_code(torch.tanh(x))
        if not self.variational:
            return torch.tanh(x), x.new_zeros(())
        mean, log_variance = x.chunk(2, 1)
        drawn = mean if noise is None else mean + noise * torch.exp(0.5 * log_variance)
        return drawn, divergence(mean, log_variance)

    def decode(self, code: Tensor) -> Tensor:
        """(bags, hidden) -> (bags, width)."""
        return code if self.from_code is None else torch.tanh(self.from_code(code))


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), summed over all numbers (Liang et al. 2018, arXiv:1802.05814)."""
    return 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).sum()
