"""The parameters of a recurrent network over songs, and its forward step."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.models.networks.rnn.adagrad import empty, zeros
from song2vec.models.networks.rnn.cells import Cell

InputName = Literal["one-hot", "embedding", "constrained", "vectors"]
States = list[Tensor]  # one a layer, (rows, cell.states hidden)


@dataclass(frozen=True)
class Shape:
    """What a network is made of; ``size`` is the length of a song's input vector, ``extra`` names further weights and their shapes."""

    songs: int
    cell: Cell
    hidden: int
    layers: int
    input: InputName
    size: int
    extra: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def gates(self) -> int:
        return self.cell.gates * self.hidden

    def dense(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the weights that every step moves."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.layers):
            if layer or self.input != "one-hot":
                shapes[f"W{layer}"] = (self.gates, self.hidden if layer else self.size)
            shapes |= {f"U{layer}": (self.gates, self.hidden), f"a{layer}": (self.gates,), f"b{layer}": (self.gates,)}
        return shapes | dict(self.extra)

    def tables(self) -> dict[str, tuple[int, int]]:
        """Names and shapes of the weights with a row for each song."""
        tables = {"output": (self.songs, self.hidden), "bias": (self.songs, 1)}
        if self.input != "constrained":
            tables["input"] = (self.songs, self.gates if self.input == "one-hot" else self.size)
        return tables


class Network:
    """Tables with a row for each song, and the dense weights of all layers, which lie in one flat tensor.

    W and a multiply and shift the input of a layer, U and b its state: ``cells`` says how the two meet.
    """

    def __init__(self, shape: Shape, random: np.random.Generator, device: str | torch.device = "cpu") -> None:
        self.shape, self.device = shape, torch.device(device)
        dense = shape.dense()
        self.flat = torch.zeros(sum(math.prod(size) for size in dense.values()), device=self.device)
        self.dense = self._views(self.flat)
        self.tables = {name: zeros(torch.empty(size, device=self.device)) for name, size in shape.tables().items()}
        for name, weights in (self.dense | self.tables).items():
            if name != "bias" and weights.dim() == 2:
                weights.copy_(torch.from_numpy(_uniform(weights.shape, _blocks(name, shape), random)))

    @property
    def inputs(self) -> Tensor:
        """The table that input songs are looked up in."""
        return self.tables["output" if self.shape.input == "constrained" else "input"]

    def zero_states(self, rows: int) -> States:
        """States of sessions that have not begun."""
        width = self.shape.cell.states * self.shape.hidden
        return [torch.zeros((rows, width), device=self.device) for _ in range(self.shape.layers)]

    def step(self, x: Tensor, states: States, masks: Tensor | None = None, shift: Tensor | None = None) -> tuple[Tensor, States]:
        """(rows, size) inputs and states -> (rows, hidden) outputs and next states, dropped by (layers, rows, hidden) masks.

        ``shift`` (rows, gates) is added to the gated input of the first layer.
        """
        after: States = []
        for layer, state in enumerate(states):
            bias = self.dense[f"a{layer}"]
            gated = torch.addmm(bias, x, self.dense[f"W{layer}"].T) if f"W{layer}" in self.dense else x + bias
            if shift is not None and not layer:
                gated = gated + shift
            state = self.shape.cell.step(gated, state, self.dense[f"U{layer}"], self.dense[f"b{layer}"])
            x = state[:, : self.shape.hidden]
            if masks is not None:
                x = x * masks[layer]
                state = torch.cat([x, state[:, self.shape.hidden :]], 1) if self.shape.cell.states > 1 else x
            after.append(state)
        return x, after

    def scores(self, outputs: Tensor) -> Tensor:
        """(rows, hidden) -> (rows, songs)."""
        blank = empty((len(outputs), self.shape.songs), self.device)
        return torch.addmm(self.tables["bias"][:, 0], outputs, self.tables["output"].T, out=blank)

    def scored(self) -> Tensor:
        """(songs, hidden + 1) the output table with the bias as one more column: scores of outputs :func:`with_ones` are products."""
        return torch.cat([self.tables["output"], self.tables["bias"]], 1)

    def scorer(self) -> Callable[[Tensor], Tensor]:
        """As :meth:`scores`, for many calls: the bias need not be added to every score."""
        table = self.scored().T

        def scores(outputs: Tensor) -> Tensor:
            return torch.mm(with_ones(outputs), table, out=empty((len(outputs), self.shape.songs), self.device))

        return scores

    def arrays(self) -> dict[str, Array]:
        """All weights by name, float32."""
        return {name: weights.detach().cpu().numpy().copy() for name, weights in (self.dense | self.tables).items()}

    @property
    def fingerprint(self) -> str:
        """16 hex digits over the dense weights, which no two trainings share."""
        return hashlib.sha256(self.flat.detach().cpu().numpy().data).hexdigest()[:16]

    def load(self, arrays: dict[str, Array]) -> None:
        """Take over weights that :meth:`arrays` gave. Raises KeyError and ValueError when they do not fit."""
        for name, weights in (self.dense | self.tables).items():
            array = torch.from_numpy(np.array(arrays[name], np.float32))
            if array.shape != weights.shape:
                raise ValueError(f"{name} has shape {tuple(array.shape)}, {tuple(weights.shape)} is allowed")
            with torch.no_grad():
                weights.copy_(array)

    def track(self) -> Tensor:
        """Let autograd fill a flat gradient of the dense weights; returns it."""
        gradient = torch.zeros_like(self.flat)
        for weights, slope in zip(self.dense.values(), self._views(gradient).values(), strict=True):
            weights.requires_grad_()
            weights.grad = slope
        return gradient

    def release(self) -> None:
        """Training is over: no gradients any more."""
        for weights in self.dense.values():
            weights.requires_grad_(False)
            weights.grad = None

    def _views(self, flat: Tensor) -> dict[str, Tensor]:
        views, begin = {}, 0
        for name, size in self.shape.dense().items():
            views[name] = flat[begin : begin + math.prod(size)].view(size).detach()
            begin += math.prod(size)
        return views


def with_ones(outputs: Tensor) -> Tensor:
    """Outputs with a column of ones, which meets the bias."""
    return torch.cat([outputs, outputs.new_ones((len(outputs), 1))], 1)


def _blocks(name: str, shape: Shape) -> tuple[int, int]:
    """Into how many gate matrices the rows and the columns of a weight fall."""
    if name == "input" and shape.input == "one-hot":
        return 1, shape.cell.gates
    return (shape.cell.gates, 1) if name[0] in "WU" and name != "Winit" else (1, 1)


def _uniform(size: tuple[int, ...], blocks: tuple[int, int], random: np.random.Generator) -> Array:
    """Uniform in +-sqrt(6 / (rows + columns)) of one gate matrix."""
    limit = math.sqrt(6 / (size[0] / blocks[0] + size[1] / blocks[1]))
    drawn: Array = random.random(tuple(size), np.float32)
    return drawn * np.float32(2 * limit) - np.float32(limit)
