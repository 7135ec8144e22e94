"""The contract of every network over songs: an ``nn.Module`` whose outputs meet a table and a bias with a row for each song."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.nn.adagrad import zeros
from song2vec.nn.checkpoint import digest_of


class StoredModule(nn.Module):
    """A module whose weights go out and in as arrays."""

    def arrays(self) -> dict[str, Array]:
        """The state dict, as arrays."""
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.state_dict().items()}

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Take over what :meth:`arrays` gave. Raises ValueError when it does not fit."""
        try:
            self.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
        except RuntimeError as error:
            raise ValueError(str(error)) from error


class SongNetwork(StoredModule):
    """Turns what was played into outputs; the score of a song is the product of the output with the song's row, plus its bias.

    A table, with a row a song (or word, or whatever else is many), is an ``nn.Embedding`` or ``nn.EmbeddingBag`` with ``sparse=True``,
    as :func:`song_table` makes them: a step of training moves the rows it touched and no others. All other parameters are dense.

    Args:
        songs: how many.
        width: numbers in an output.

    Attributes:
        output: (songs, width) and bias: (songs, 1), the tables that outputs are scored by.
        input: the table that song vectors go into, of a network that begins with some.
    """

    def __init__(self, songs: int, width: int) -> None:
        super().__init__()
        self.input: nn.Embedding | nn.EmbeddingBag | None = None
        self.songs, self.width = songs, width
        self.output, self.bias = song_table(songs, width), song_table(songs, 1)
        nn.init.zeros_(self.bias.weight)

    def forward(self, songs: Tensor, lengths: Tensor) -> Tensor:
        """Outputs after each play of some sessions; what comes after a play must not matter for its output.

        Args:
            songs: (sessions, longest) int64 rows of songs, 0 behind the end of a session.
            lengths: (sessions,) int64.

        Returns:
            (sessions, longest, width); what stands behind the end of a session is not looked at.
        """
        raise NotImplementedError(f"{type(self).__name__}: has no forward, which networks that read whole sessions need")

    def draw(self, random: np.random.Generator) -> None:
        """Draw the first weights from a generator; without it they stay as torch drew them, from the same seed."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.output.weight.device

    def tables(self) -> dict[str, nn.Parameter]:
        """The parameters with a row for each song, by name."""
        modules = dict(self.named_modules())
        return {name: weights for name, weights in self.named_parameters() if getattr(modules[name.rpartition(".")[0]], "sparse", False)}

    def dense(self) -> dict[str, nn.Parameter]:
        """All other parameters, by name."""
        tables = self.tables()
        return {name: parameter for name, parameter in self.named_parameters() if name not in tables}

    def scores(self, outputs: Tensor) -> Tensor:
        """(rows, width) -> (rows, songs)."""
        return torch.addmm(self.bias.weight[:, 0], outputs, self.output.weight.T)

    def scored(self) -> Tensor:
        """(songs, width + 1) the output table with the bias as one more column: scores of outputs :func:`with_ones` are products."""
        return torch.cat([self.output.weight, self.bias.weight], 1).detach()

    @property
    def fingerprint(self) -> str:
        """16 hex digits over the dense weights, which no two trainings share."""
        return digest_of(*(weights.detach().cpu().numpy() for weights in self.dense().values()))


def song_table(rows: int, width: int) -> nn.Embedding:
    """A table with a row a song, uniform in +-sqrt(6 / (rows + width)), as Glorot and Bengio (2010) have it."""
    weights = zeros(torch.empty(rows, width))
    limit = math.sqrt(6 / (rows + width))
    return nn.Embedding(rows, width, sparse=True, _weight=weights.uniform_(-limit, limit))


def song_bags(rows: int, width: int, mode: str = "mean") -> nn.EmbeddingBag:
    """As :func:`song_table`, of which many rows are looked up at once: their mean, or their sum."""
    return nn.EmbeddingBag(rows, width, mode=mode, sparse=True, _weight=song_table(rows, width).weight.detach())


def with_ones(outputs: Tensor) -> Tensor:
    """Outputs with a column of ones, which meets the bias."""
    return torch.cat([outputs, outputs.new_ones((len(outputs), 1))], 1)


@torch.no_grad()
def glorot(weights: Tensor, random: np.random.Generator, rows: int = 1, columns: int = 1) -> None:
    """Draw a matrix uniform in +-sqrt(6 / (its rows + its columns)), of each of ``rows`` by ``columns`` blocks that it consists of."""
    limit = np.float32(math.sqrt(6 / (weights.shape[0] / rows + weights.shape[1] / columns)))
    weights.copy_(torch.from_numpy(random.random(tuple(weights.shape), np.float32) * (2 * limit) - limit))


def dropout_mask(size: tuple[int, ...], share: float, random: np.random.Generator) -> Array:
    """Inverted dropout: 0 for this share of the entries, 1 / (1 - share) for the others, so that nothing changes in use."""
    kept: Array = random.random(size, np.float32) >= share
    return kept.astype(np.float32) / np.float32(1 - share)


def device_named(name: str, *, or_cpu: bool = False) -> torch.device:
    """The device of this name. Raises ArgumentError when it is not there, unless the processor will do."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        if or_cpu:
            return torch.device("cpu")
        reason = str(error).splitlines()[0]
        raise ArgumentError(f"device={name!r}: 'cpu', or a device that torch has, is allowed ({reason})") from error
    return device


@contextmanager
def threads(workers: int | None) -> Iterator[None]:
    """Let torch use so many threads, and as many as before afterwards; None leaves it its own."""
    before = torch.get_num_threads()
    torch.set_num_threads(workers or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
