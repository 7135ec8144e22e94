"""How a network over songs learns: the outputs of a batch against the songs that came next, and what moves by it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.nn.adagrad import Adagrad
from song2vec.nn.losses import LossName, logit_correction, make_loss
from song2vec.nn.module import SongNetwork
from song2vec.nn.softmax import Negatives, Softmax
from song2vec.nn.trainer import Trainee
from song2vec.sessions import Sessions

BLOCK = 64  # updates between two moments at which training can stop and go on


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained, under the names of the models' settings; ``n_negatives`` is None to score every song."""

    batch_size: int
    learning_rate: float
    momentum: float = 0.0
    loss: LossName = "cross-entropy"
    bpreg: float = 1.0
    elu_param: float = 0.0
    n_negatives: int | None = None
    negative_exponent: float = 0.5
    logq: float = 0.0
    bptt: int = 1
    dropout_input: float = 0.0
    dropout_hidden: float = 0.0
    frozen: bool = False
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0

    @classmethod
    def of(cls, model: Any) -> Self:
        """The settings of a model, as far as it has them."""
        return cls(**{field.name: getattr(model, field.name) for field in fields(cls) if hasattr(model, field.name)})


class NetworkTrainee(Trainee):
    """A network with its optimisers; a subclass says what an update learns from.

    Chance within an update comes from torch's generator, seeded by the epoch and the block, or from NumPy's under a seed of its own.

    Args:
        support: (m,) plays of each song, by which negatives are drawn and scores corrected.
        examples: the numbers of what is learned from, in batches, shuffled anew each epoch; for those without an order of their own.
    """

    def __init__(self, network: SongNetwork, config: TrainingConfig, support: Array, examples: Array) -> None:
        self.network, self.config, self.device = network, config, network.device
        self.negatives: Negatives | None = None
        if config.n_negatives is not None:
            self.negatives = Negatives(support, config.negative_exponent, config.n_negatives, config.seed)
        self.support = torch.from_numpy(support).clamp(min=1).to(self.device, torch.float32)
        parameters = dict(network.train().requires_grad_().named_parameters())
        if network.input is not None:
            network.input.weight.requires_grad_(not config.frozen)
        self.optimisers = {name: Adagrad(weights, config.learning_rate, config.momentum) for name, weights in parameters.items()}
        self._dense, self._tables = network.dense(), network.tables()
        loss = make_loss(config.loss, bpreg=config.bpreg, elu_param=config.elu_param)
        self.softmax = Softmax(network.output.weight, network.bias.weight, loss, half=config.precision == "bfloat16")
        self.epoch, self.updates = -1, 0
        self._examples = self._order = examples

    def lay_out(self, epoch: int) -> int:
        """Lay out an epoch; returns how many updates it has."""
        self._order = generator(self.config.seed, f"order {epoch}").permutation(self._examples)
        return -(-len(self._order) // self.config.batch_size)

    def batch(self, number: int) -> Array:
        """The examples that an update learns from, by their numbers."""
        return self._order[number * self.config.batch_size :][: self.config.batch_size]

    @abstractmethod
    def update(self, number: int, negatives: Tensor | None) -> tuple[Tensor, int]:
        """Learn from a batch; returns its loss summed over targets, and their number."""

    def begin(self, epoch: int) -> int:
        self.network.train()
        self.epoch, self.updates = epoch, self.lay_out(epoch)
        return -(-self.updates // BLOCK)

    def run(self, block: int) -> tuple[float, int]:
        first, last = block * BLOCK, min((block + 1) * BLOCK, self.updates)
        drawn = torch.from_numpy(self.negatives.block(self.epoch, block, last - first)).to(self.device) if self.negatives else None
        total, targets = torch.zeros((), device=self.device, dtype=torch.float64), 0
        with torch.random.fork_rng():
            torch.manual_seed(int(generator(self.config.seed, f"torch {self.epoch} {block}").integers(2**31)))
            for number in range(first, last):
                loss, count = self.update(number, None if drawn is None else drawn[number - first])
                total, targets = total + loss, targets + count
        return float(total), targets

    def learn(self, outputs: Tensor, targets: Tensor, negatives: Tensor | None) -> Tensor:
        """Move all weights by the loss of some outputs; returns that, summed.

        Args:
            outputs: (rows, width) of the network, with their history.
            targets: (rows,) the songs that came next; without ``negatives``, every other song is one.
        """
        config, columns, correction = self.config, None, None
        scale = 1 / config.batch_size
        with torch.no_grad():
            if negatives is None:
                found = self.softmax.full(outputs.detach(), targets, scale)
            else:
                columns = torch.cat([targets, negatives])
                if config.logq and config.loss == "cross-entropy":
                    correction = logit_correction(self.support, targets, negatives, config.logq, config.negative_exponent)
                found = self.softmax.sampled(outputs.detach(), columns, correction, scale)
        torch.autograd.backward(outputs, found.outputs)
        self.move(columns, found.table, found.bias)
        return found.loss

    @torch.no_grad()
    def move(self, columns: Tensor | None, output: Tensor, bias: Tensor) -> None:
        """Move all weights by the gradients that autograd left, and those of the output layer by its own, and clear the former.

        Args:
            columns: (n,) songs that the gradients of the output layer are of, any of them several times; None for all.
            output: (n, width); bias: (n, 1).
        """
        for name, weights in self._dense.items():
            if weights.grad is not None:
                self.optimisers[name].step(weights.grad)
                weights.grad = None
        for name, weights in self._tables.items():
            rows, slopes = _touched(weights.grad)
            weights.grad = None
            own = {"output.weight": output, "bias.weight": bias}.get(name)
            if own is None:
                if rows is not None:
                    self.optimisers[name].step_rows(rows, slopes)
            elif columns is None:
                self.optimisers[name].step(own if rows is None else own.index_add_(0, rows, slopes))
            elif rows is None:
                self.optimisers[name].step_rows(columns, own)
            else:  # one table, one update: a song's gradients are added up before they are squared
                self.optimisers[name].step_rows(torch.cat([rows, columns]), torch.cat([slopes, own]))

    def arrays(self) -> dict[str, Array]:
        found = {f"weight_{name}": array for name, array in self.network.arrays().items()}
        for name, optimiser in self.optimisers.items():
            found |= {f"{kept}_{name}": array for kept, array in optimiser.arrays().items()}
        return found

    def load(self, arrays: dict[str, Array]) -> None:
        self.network.load({name.removeprefix("weight_"): array for name, array in arrays.items() if name.startswith("weight_")})
        for name, optimiser in self.optimisers.items():
            optimiser.load({kept: arrays[f"{kept}_{name}"] for kept in ("squares", "velocity")})


def _touched(gradient: Tensor | None) -> tuple[Any, Any]:
    """Rows of a table, any of them several times, and their gradients."""
    if gradient is None:
        return None, None
    if not gradient.is_sparse:
        raise TypeError("a table has a dense gradient: weights of nn.Embedding(sparse=True) are to be looked up, and used no other way")
    return gradient._indices()[0], gradient._values()


class SessionTrainee(NetworkTrainee):
    """Learns from sessions of two plays and more, whole ones of a batch at once: the output after each play against the next song."""

    def __init__(self, network: SongNetwork, config: TrainingConfig, sessions: Sessions) -> None:
        support = np.bincount(sessions.songs, minlength=network.songs)
        super().__init__(network, config, support, np.flatnonzero(sessions.lengths > 1))
        self._sessions = sessions

    def update(self, number: int, negatives: Tensor | None) -> tuple[Tensor, int]:
        which = self.batch(number)
        begin, lengths = self._sessions.offsets[which], self._sessions.lengths[which] - 1
        outputs, plays = after_all(self.network, self._sessions.songs, begin, lengths)
        targets = torch.from_numpy(self._sessions.songs[plays + 1].astype(np.int64)).to(self.device)
        return self.learn(outputs, targets, negatives), len(plays)


def after_all(network: SongNetwork, songs: Array, begin: Array, lengths: Array) -> tuple[Tensor, Array]:
    """Outputs after each of the first ``lengths`` plays of sessions that begin at ``begin``: (n, width), and (n,) which plays."""
    steps = np.arange(lengths.max())
    there, plays = steps < lengths[:, None], begin[:, None] + steps
    padded = np.where(there, songs[np.where(there, plays, 0)], 0).astype(np.int64)
    device = network.device
    outputs: Tensor = network(torch.from_numpy(padded).to(device), torch.from_numpy(lengths.astype(np.int64)).to(device))
    return outputs[torch.from_numpy(there).to(device)], plays[there]
