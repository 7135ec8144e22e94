"""Encoder and decoder of bags of songs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from song2vec.core.arrays import Array
from song2vec.models.networks.autoencoder.bags import Bags
from song2vec.nn.module import SongNetwork, glorot, song_bags


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
