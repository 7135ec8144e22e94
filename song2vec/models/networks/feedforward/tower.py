"""A tower of ReLU layers over the means of song and word vectors and what else is told, and how it learns by sampled softmax."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from song2vec.core.arrays import Array
from song2vec.models.base import histories
from song2vec.models.networks.feedforward.bags import spread
from song2vec.models.networks.feedforward.steps import Pace, Steps, dropped
from song2vec.models.networks.feedforward.weights import Weights
from song2vec.nn.losses import logit_correction, make_loss
from song2vec.nn.softmax import Softmax
from song2vec.sessions import Sessions


@dataclass(frozen=True)
class Examples:
    """Histories of plays, and what is told with each.

    Attributes:
        songs: of the sessions, catalogue rows.
        begin, end: (n,) history i is ``songs[begin[i]:end[i]]``.
        told: (sessions, numbers) float32.
        row: (n,) the session of each, a row of ``told``: many histories share one.
        words, spoken: the words of the sessions' queries, int64 rows end to end, and how many each session has.
    """

    songs: Array
    begin: Array
    end: Array
    told: Array
    row: Array
    words: Array
    spoken: Array

    @classmethod
    def of(cls, sessions: Sessions, plays: Array, window: int | None, tell: Callable[[Array], tuple[Array, Array, Array]]) -> Examples:
        """After each of some plays, the last ``window`` songs, and what ``tell`` has of the sessions of these numbers.

        ``tell`` gives ``told``, ``words`` and ``spoken``.
        """
        begin, end = histories(sessions, plays)
        which, row = np.unique(np.searchsorted(sessions.offsets, plays, side="right") - 1, return_inverse=True)
        told, words, spoken = tell(which)
        return cls(sessions.songs, begin if window is None else np.maximum(begin, end - window), end, told, row, words, spoken)

    def some(self, which: Array) -> Examples:
        """Some of the examples, by their numbers."""
        return replace(self, begin=self.begin[which], end=self.end[which], row=self.row[which])

    def heard(self) -> tuple[Array, Array]:
        """(all songs heard,) int64 rows, history after history, and (n,) int64 how many each has."""
        counts = self.end - self.begin
        return self.songs[spread(self.begin, counts)[1]].astype(np.int64), counts

    def said(self) -> tuple[Array, Array]:
        """(all words,) int64 rows, query after query, and (n,) int64 how many each has."""
        counts = self.spoken[self.row]
        return self.words[spread((np.cumsum(self.spoken) - self.spoken)[self.row], counts)[1]], counts


class Tower(Weights):
    """u = ReLU(W_l ... ReLU(W_0 [mean of v(heard), mean of w(said), told] + b_0) ... + b_l).

    Tables "input", "output" and "bias" are of the songs, "words" is of the words of queries and there where there are some.

    Args:
        size: numbers in the input vector of a song or word; told: numbers told.
    """

    def __init__(
        self,
        songs: int,
        size: int,
        told: int,
        hidden: int,
        layers: int,
        random: np.random.Generator,
        device: str | torch.device = "cpu",
        *,
        words: int = 0,
    ) -> None:
        widths = [size * (2 if words else 1) + told, *(hidden * 2**above for above in range(layers - 1, -1, -1))]
        dense: dict[str, tuple[int, ...]] = {}
        for layer in range(layers):
            dense |= {f"W{layer}": (widths[layer + 1], widths[layer]), f"b{layer}": (widths[layer + 1],)}
        tables = {"input": (songs, size), "output": (songs, hidden), "bias": (songs, 1)}
        super().__init__(dense, tables | ({"words": (words, size)} if words else {}), random, device)
        self.layers, self.reads = layers, bool(words)

    def means(self, rows: Tensor, counts: Tensor, table: str = "input") -> Tensor:
        """(n, size) the mean vector of each history, or query; zeros of an empty one."""
        return embedding_bag(rows, self.tables[table], torch.cumsum(counts, 0) - counts, mode="mean")

    def climb(self, *told: Tensor) -> Tensor:
        """(n, size) means and (n, told) -> (n, hidden)."""
        x = torch.cat(told, 1)
        for layer in range(self.layers):
            x = torch.relu(torch.addmm(self.dense[f"b{layer}"], x, self.dense[f"W{layer}"].T))
        return x

    def users(self, examples: Examples) -> Tensor:
        """(n, hidden) user vectors."""
        heard, counts, words, spoken, told = self.on_device(*examples.heard(), *examples.said(), examples.told[examples.row])
        said = [self.means(words, spoken, "words")] if self.reads else []
        return self.climb(self.means(heard, counts), *said, told)

    def on_device(self, *arrays: Array) -> list[Tensor]:
        """Arrays as tensors."""
        return [torch.from_numpy(array).to(self.device) for array in arrays]


class TowerSteps(Steps):
    """Cross-entropy of the next song against the other targets of the batch and songs drawn beside.

    Args:
        examples: the next song of each is ``songs[end]``.
        support: (m,) plays of each song.
    """

    def __init__(self, tower: Tower, pace: Pace, examples: Examples, support: Array, *, logq: float, dropout: float, frozen: bool) -> None:
        super().__init__(tower, pace)
        self.tower, self.examples = tower, examples
        self.logq, self.dropout, self.frozen = logq, dropout, frozen
        self._support = torch.from_numpy(support).clamp(min=1).to(self.device, torch.float32)
        self._output = Softmax(tower.tables["output"], tower.tables["bias"], make_loss("cross-entropy"))

    def learn(self, examples: Array, sample: Tensor | None, number: int, random: np.random.Generator) -> tuple[Tensor, int]:
        batch, tower = self.examples.some(examples), self.tower
        rows, counts, told = tower.on_device(*batch.heard(), batch.told[batch.row])
        targets = torch.from_numpy(batch.songs[batch.end].astype(np.int64)).to(self.device)
        heard = tower.means(rows, counts).requires_grad_(not self.frozen)
        x = heard * dropped(tuple(heard.shape), self.dropout, random, self.device) if self.dropout else heard
        words, spoken = tower.on_device(*batch.said())
        said = [tower.means(words, spoken, "words").requires_grad_()] if tower.reads else []
        user = tower.climb(x, *said, told)
        with torch.no_grad():
            columns, less = targets if sample is None else torch.cat([targets, sample]), None
            if self.logq and sample is not None and self.pace.negatives:
                less = logit_correction(self._support, targets, sample, self.logq, self.pace.negatives.exponent)
            total, back, slopes, slope = self._output.sampled(user.detach(), columns, less, 1 / self.pace.batch_size)
        torch.autograd.backward(user, back)
        self.move_dense()
        self.optimisers["output"].step_rows(columns, slopes)
        self.optimisers["bias"].step_rows(columns, slope)
        self._move("input", heard, rows, counts)
        if said and len(words):
            self._move("words", said[0], words, spoken)
        return total, len(targets)

    def _move(self, table: str, means: Tensor, rows: Tensor, counts: Tensor) -> None:
        """Each row of a mean moves by its share."""
        if means.grad is not None:
            share = means.grad / counts.clamp(min=1)[:, None]
            self.optimisers[table].step_rows(rows, share.repeat_interleave(counts, 0))
