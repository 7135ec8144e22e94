"""A tower of ReLU layers over the means of song and word vectors and other features, and how it learns by sampled softmax."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from song2vec.core.arrays import Array, ranges
from song2vec.core.random import generator
from song2vec.models.networks.candidates.context import AGES, ContextEncoder
from song2vec.models.songs import histories
from song2vec.nn.module import SongNetwork, dropout_mask, glorot, song_bags
from song2vec.nn.training import NetworkTrainee, TrainingConfig
from song2vec.sessions import Sessions


@dataclass(frozen=True)
class Examples:
    """Histories of plays, and what else is known of their sessions.

    Attributes:
        songs: of the sessions, catalogue rows.
        begin, end: (n,) history i is ``songs[begin[i]:end[i]]``.
        session: (n,) whose features and query each has, a row of these: many histories share one.
        features: (sessions, numbers) float32.
        words, lengths: the words of the sessions' queries, int64 rows end to end, and how many each query has.
    """

    songs: Array
    begin: Array
    end: Array
    session: Array
    features: Array
    words: Array
    lengths: Array

    @classmethod
    def of(cls, sessions: Sessions, plays: Array, window: int | None, encoder: ContextEncoder, age: Array | None = None) -> Examples:
        """After each of some plays the last ``window`` songs; ``age`` is (sessions, 3), None for the end of the training log."""
        begin, end = histories(sessions, plays)
        which, session = np.unique(np.searchsorted(sessions.offsets, plays, side="right") - 1, return_inverse=True)
        features = encoder.features(sessions, which, np.zeros((len(which), AGES), np.float32) if age is None else age[which])
        begin = begin if window is None else np.maximum(begin, end - window)
        return cls(sessions.songs, begin, end, session, features, *encoder.queries(sessions, which))

    def __len__(self) -> int:
        return len(self.begin)

    def some(self, which: Array) -> Examples:
        """Some of the examples, by their numbers."""
        return replace(self, begin=self.begin[which], end=self.end[which], session=self.session[which])

    def history(self) -> tuple[Array, Array]:
        """(all songs,) int64 rows, history after history, and (n,) int64 where each begins."""
        counts = self.end - self.begin
        return self.songs[ranges(self.begin, counts)[1]].astype(np.int64), np.cumsum(counts) - counts

    def queries(self) -> tuple[Array, Array]:
        """(all words,) int64 rows, query after query, and (n,) int64 where each begins."""
        counts = self.lengths[self.session]
        begin = (np.cumsum(self.lengths) - self.lengths)[self.session]
        return self.words[ranges(begin, counts)[1]], np.cumsum(counts) - counts


class Tower(SongNetwork):
    """u = ReLU(W_l ... ReLU(W_0 [mean of v(history), mean of w(query), features] + b_0) ... + b_l).

    Args:
        size: numbers in the input vector of a song or word.
        features: how many numbers there are beside.
        hidden: width of u; each layer has half the units of the one below it.
        words: how many are known; 0 for no queries.
    """

    input: nn.EmbeddingBag
    layers: list[nn.Linear]

    def __init__(self, songs: int, size: int, features: int, hidden: int, layers: int, *, words: int = 0) -> None:
        super().__init__(songs, hidden)
        self.input = song_bags(songs, size)
        self.words = song_bags(words, size) if words else None
        widths = [size * (2 if words else 1) + features, *(hidden * 2**above for above in range(layers - 1, -1, -1))]
        self.layers = nn.ModuleList(nn.Linear(below, above) for below, above in pairwise(widths))  # type: ignore[assignment]

    def draw(self, random: np.random.Generator) -> None:
        for layer in self.layers:
            glorot(layer.weight, random)
            nn.init.zeros_(layer.bias)
        for weights in (self.input.weight, self.output.weight, *([] if self.words is None else [self.words.weight])):
            glorot(weights, random)

    def users(self, examples: Examples, dropout: float = 0.0, random: np.random.Generator | None = None) -> Tensor:
        """(n, hidden) user vectors; with ``random``, this share of the mean of the history is dropped."""
        means = self.input(*self._tensors(*examples.history()))
        if dropout and random is not None:
            means = means * self._tensors(dropout_mask(tuple(means.shape), dropout, random))[0]
        parts = [means]
        if self.words is not None:
            parts.append(self.words(*self._tensors(*examples.queries())))
        x = torch.cat([*parts, *self._tensors(examples.features[examples.session])], 1)
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x

    def _tensors(self, *arrays: Array) -> list[Tensor]:
        return [torch.from_numpy(array).to(self.device) for array in arrays]


class TowerTrainee(NetworkTrainee):
    """Cross-entropy of the next song, ``songs[end]`` of each example, against the other targets of the batch and songs drawn beside."""

    def __init__(self, network: Tower, config: TrainingConfig, examples: Examples) -> None:
        super().__init__(network, config, np.bincount(examples.songs, minlength=network.songs), np.arange(len(examples)))
        self.tower, self.examples = network, examples

    def update(self, number: int, negatives: Tensor | None) -> tuple[Tensor, int]:
        examples, random = self.examples.some(self.batch(number)), generator(self.config.seed, f"batch {self.epoch} {number}")
        users = self.tower.users(examples, self.config.dropout_input, random)
        targets = torch.from_numpy(examples.songs[examples.end].astype(np.int64)).to(self.device)
        return self.learn(users, targets, negatives), len(targets)
