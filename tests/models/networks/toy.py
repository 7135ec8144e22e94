"""A network as somebody else would write it: a module, its settings, and one line that registers it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from song2vec.core.config import FloatRange, IntRange, setting
from song2vec.models.networks.base import NetworkModel
from song2vec.nn.module import SongNetwork, song_table


class RunningMeanNetwork(SongNetwork):
    """o_t = W m_t + b, m_t = decay m_(t-1) + (1 - decay) v(song t)."""

    def __init__(self, songs: int, size: int, decay: float) -> None:
        super().__init__(songs, size)
        self.input = song_table(songs, size)
        self.mix = nn.Linear(size, size)
        self.decay = decay

    def forward(self, songs: Tensor, lengths: Tensor) -> Tensor:
        vectors = self.input(songs)
        mean, outputs = torch.zeros_like(vectors[:, 0]), []
        for step in range(songs.shape[1]):
            mean = self.decay * mean + (1 - self.decay) * vectors[:, step]
            outputs.append(self.mix(mean))
        return torch.stack(outputs, 1)


class RunningMean(NetworkModel):
    """A mean of the songs of a session, the latest the heaviest."""

    name = "running-mean"
    size: int = setting(IntRange(1), default=32, tune=IntRange(8, 64), help="numbers in a vector")
    decay: float = setting(FloatRange(0, 0.99), default=0.3, tune=FloatRange(0, 0.9), help="weight of what came before")
    n_negatives: int | None = setting(IntRange(0), default=None, help="songs drawn a step; None scores every song")

    def _network(self, songs: int, size: int | None) -> RunningMeanNetwork:
        return RunningMeanNetwork(songs, self.size, self.decay)
