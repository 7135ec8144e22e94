"""Epochs of examples in an order drawn anew, in batches: the frame in which a feed-forward network learns."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.models.networks.feedforward.weights import Weights
from song2vec.nn.adagrad import Adagrad
from song2vec.nn.negatives import Negatives
from song2vec.nn.trainer import Trainee

BLOCK = 64  # batches between two moments at which training can stop and go on


@dataclass(frozen=True)
class Pace:
    """How examples are taken; the names are those of the models' settings. ``negatives`` is None to score every song."""

    examples: int
    batch_size: int
    learning_rate: float
    negatives: Negatives | None
    seed: int


class Steps(Trainee):
    """What the epoch loop trains; a subclass says what a batch teaches.

    Every batch has a generator of its own, so that chance does not depend on where training stopped and went on.
    """

    def __init__(self, weights: Weights, pace: Pace) -> None:
        self.weights, self.pace, self.device = weights, pace, weights.device
        weights.track()
        self.optimisers = {name: Adagrad(tensor, pace.learning_rate, 0.0) for name, tensor in weights.all.items()}
        self.batches = -(-pace.examples // pace.batch_size)
        self.epoch, self._order = -1, np.empty(0, np.int64)

    @abstractmethod
    def learn(self, examples: Array, sample: Tensor | None, number: int, random: np.random.Generator) -> tuple[Tensor, int]:
        """Learn from one batch; returns its loss summed over targets, and their number.

        Args:
            examples: (b,) numbers of the examples.
            sample: (n,) songs drawn as negatives; None to score every song.
            number: of the batch, counted from the first of the first epoch.
            random: for dropout and noise.
        """

    def begin(self, epoch: int) -> int:
        """Lay out an epoch; returns how many blocks it has."""
        self.epoch, self._order = epoch, generator(self.pace.seed, f"order {epoch}").permutation(self.pace.examples)
        return -(-self.batches // BLOCK)

    def run(self, block: int) -> tuple[float, int]:
        """Learn from one block of the epoch; returns its loss summed over targets, and their number."""
        first, last = block * BLOCK, min((block + 1) * BLOCK, self.batches)
        drawn = None if self.pace.negatives is None else self.pace.negatives.block(self.epoch, block, last - first)
        total, targets = torch.zeros((), device=self.device, dtype=torch.float64), 0
        for batch in range(first, last):
            examples = self._order[batch * self.pace.batch_size :][: self.pace.batch_size]
            sample = None if drawn is None else torch.from_numpy(drawn[batch - first]).to(self.device)
            random = generator(self.pace.seed, f"batch {self.epoch} {batch}")
            loss, count = self.learn(examples, sample, self.epoch * self.batches + batch, random)
            total += loss.detach()
            targets += count
        return float(total), targets

    @torch.no_grad()
    def move_dense(self) -> None:
        """Move the dense weights by the gradients that autograd left, and clear these."""
        for name, weights in self.weights.dense.items():
            if weights.grad is not None:
                self.optimisers[name].step(weights.grad)
                weights.grad = None

    def arrays(self) -> dict[str, Array]:
        """Everything that training goes on with: weights and optimisers."""
        squares = {f"squares_{name}": optimiser.squares.cpu().numpy().copy() for name, optimiser in self.optimisers.items()}
        return {f"weight_{name}": array for name, array in self.weights.arrays().items()} | squares

    def load(self, arrays: dict[str, Array]) -> None:
        """Take over what :meth:`arrays` gave."""
        self.weights.load({name.removeprefix("weight_"): array for name, array in arrays.items() if name.startswith("weight_")})
        for name, optimiser in self.optimisers.items():
            optimiser.squares.copy_(torch.from_numpy(arrays[f"squares_{name}"]))


def dropped(size: tuple[int, ...], share: float, random: np.random.Generator, device: torch.device) -> Tensor:
    """A mask of inverted dropout: 0 for this share of the entries, 1 / (1 - share) for the others."""
    kept = (random.random(size, np.float32) >= share).astype(np.float32) / np.float32(1 - share)
    return torch.from_numpy(kept).to(device)
