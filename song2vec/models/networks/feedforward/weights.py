"""The weights of a feed-forward network by name, as they begin, are saved and taken over."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array

Sizes = Mapping[str, tuple[int, ...]]


class Weights:
    """Dense weights, that every step moves, and tables, of which a step moves the rows of the songs it saw.

    Matrices begin uniform in +-sqrt(6 / (rows + columns)), as Glorot and Bengio (2010) have it; vectors and "bias" at 0.

    Args:
        dense, tables: names and sizes.
    """

    def __init__(self, dense: Sizes, tables: Sizes, random: np.random.Generator, device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self.dense, self.tables = ({name: self._begun(name, size, random) for name, size in sizes.items()} for sizes in (dense, tables))

    def _begun(self, name: str, size: tuple[int, ...], random: np.random.Generator) -> Tensor:
        if len(size) == 1 or name == "bias":
            return torch.zeros(size, device=self.device)
        limit = np.float32(math.sqrt(6 / (size[0] + size[1])))
        return torch.from_numpy(random.random(size, np.float32) * 2 * limit - limit).to(self.device)

    @property
    def all(self) -> dict[str, Tensor]:
        return self.dense | self.tables

    def arrays(self) -> dict[str, Array]:
        """All weights by name, float32."""
        return {name: weights.detach().cpu().numpy().copy() for name, weights in self.all.items()}

    @torch.no_grad()
    def load(self, arrays: Mapping[str, Array]) -> None:
        """Take over weights that :meth:`arrays` gave. Raises KeyError and ValueError when they do not fit."""
        for name, weights in self.all.items():
            if arrays[name].shape != tuple(weights.shape):
                raise ValueError(f"{name} has shape {arrays[name].shape}, {tuple(weights.shape)} is allowed")
            weights.copy_(torch.from_numpy(np.array(arrays[name], np.float32)))

    def track(self) -> None:
        """Let autograd fill the gradients of the dense weights."""
        for weights in self.dense.values():
            weights.requires_grad_()

    def release(self) -> None:
        """Training is over: no gradients any more."""
        for weights in self.dense.values():
            weights.requires_grad_(False)
            weights.grad = None
