"""A tower of ReLU layers over the mean of song vectors and what else is told, and how it learns by sampled softmax."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from song2vec.arrays import Array
from song2vec.next_song.base import histories
from song2vec.next_song.feedforward.steps import Pace, Steps, dropped
from song2vec.next_song.feedforward.weights import Weights
from song2vec.next_song.rnn.losses import log_q, make_loss
from song2vec.next_song.rnn.output import Output
from song2vec.sessions import Sessions


@dataclass(frozen=True)
class Examples:
    """Histories of plays, and what is told with each.

    Attributes:
        songs: of the sessions, catalogue rows.
        begin, end: (n,) history i is ``songs[begin[i]:end[i]]``.
        told: (sessions, numbers) float32.
        row: (n,) the session of each, a row of ``told``: many histories share one.
    """

    songs: Array
    begin: Array
    end: Array
    told: Array
    row: Array

    @classmethod
    def of(cls, sessions: Sessions, plays: Array, window: int | None, tell: Callable[[Array], Array]) -> Examples:
        """After each of some plays, the last ``window`` songs, and what ``tell`` has of the sessions of these numbers."""
        begin, end = histories(sessions, plays)
        which, row = np.unique(np.searchsorted(sessions.offsets, plays, side="right") - 1, return_inverse=True)
        return cls(sessions.songs, begin if window is None else np.maximum(begin, end - window), end, tell(which), row)

    def some(self, which: Array) -> Examples:
        """Some of the examples, by their numbers."""
        return Examples(self.songs, self.begin[which], self.end[which], self.told, self.row[which])

    def heard(self) -> tuple[Array, Array]:
        """(all songs heard,) int64 rows, history after history, and (n,) int64 how many each has."""
        counts = self.end - self.begin
        first = np.cumsum(counts) - counts
        places = np.repeat(self.begin - first, counts) + np.arange(counts.sum())
        return self.songs[places].astype(np.int64), counts


class Tower(Weights):
    """u = ReLU(W_l ... ReLU(W_0 [mean of v(heard), told] + b_0) ... + b_l); tables "input", "output" and "bias" of the songs."""

    def __init__(
        self, songs: int, size: int, told: int, hidden: int, layers: int, random: np.random.Generator, device: str | torch.device = "cpu"
    ) -> None:
        widths = [size + told, *(hidden * 2**above for above in range(layers - 1, -1, -1))]
        dense: dict[str, tuple[int, ...]] = {}
        for layer in range(layers):
            dense |= {f"W{layer}": (widths[layer + 1], widths[layer]), f"b{layer}": (widths[layer + 1],)}
        super().__init__(dense, {"input": (songs, size), "output": (songs, hidden), "bias": (songs, 1)}, random, device)
        self.layers = layers

    def means(self, rows: Tensor, counts: Tensor) -> Tensor:
        """(n, size) the mean input vector of each history."""
        return embedding_bag(rows, self.tables["input"], torch.cumsum(counts, 0) - counts, mode="mean")

    def climb(self, means: Tensor, told: Tensor) -> Tensor:
        """(n, size) and (n, told) -> (n, hidden)."""
        x = torch.cat([means, told], 1)
        for layer in range(self.layers):
            x = torch.relu(torch.addmm(self.dense[f"b{layer}"], x, self.dense[f"W{layer}"].T))
        return x

    def users(self, examples: Examples) -> Tensor:
        """(n, hidden) user vectors."""
        rows, counts = (torch.from_numpy(array).to(self.device) for array in examples.heard())
        return self.climb(self.means(rows, counts), torch.from_numpy(examples.told[examples.row]).to(self.device))


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
        loss, sample = make_loss("cross-entropy"), pace.negatives.sample if pace.negatives else 0
        self._output = Output(self.optimisers["output"], self.optimisers["bias"], loss, pace.batch_size, sample)

    def learn(self, examples: Array, sample: Tensor | None, number: int, random: np.random.Generator) -> tuple[Tensor, int]:
        batch = self.examples.some(examples)
        rows, counts = (torch.from_numpy(array).to(self.device) for array in batch.heard())
        targets = torch.from_numpy(batch.songs[batch.end].astype(np.int64)).to(self.device)
        means = self.tower.means(rows, counts).requires_grad_(not self.frozen)
        x = means * dropped(tuple(means.shape), self.dropout, random, self.device) if self.dropout else means
        user = self.tower.climb(x, torch.from_numpy(batch.told[batch.row]).to(self.device))
        with torch.no_grad():
            columns, less = targets if sample is None else torch.cat([targets, sample]), None
            if self.logq and sample is not None and self.pace.negatives:
                less = log_q(self._support, targets, sample, self.logq, self.pace.negatives.alpha)
            total, back, slopes, slope = self._output.sampled(user.detach(), columns, less, 1 / self.pace.batch_size)
        torch.autograd.backward(user, back)
        self.move_dense()
        self.optimisers["output"].step_rows(columns, slopes)
        self.optimisers["bias"].step_rows(columns, slope)
        if means.grad is not None:
            self.optimisers["input"].step_rows(rows, (means.grad / counts[:, None]).repeat_interleave(counts, 0))
        return total, len(targets)
