"""Adagrad with momentum that moves only the rows a step touched (Duchi et al. 2011), as GRU4Rec is trained.

acc += g^2; v = momentum v - rate g / sqrt(acc + 1e-6); p += v. Rows that no gradient reached keep acc, v and p as they are;
of a row that stands several times in a batch the gradients are added up before they are squared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.jit import compiled
from song2vec.core.simd import LINE, prefetch

EPSILON = np.float32(1e-6)
AHEAD = 8  # rows that are asked for before they are needed: they lie anywhere in memory
jit: Callable[..., Any] = compiled(error_model="numpy")  # a check for 0 / 0 would keep loops scalar


class Adagrad:
    """The optimiser of one tensor of parameters: all of it at once, or a table by rows.

    Args:
        parameters: of any shape; changed in place.
    """

    def __init__(self, parameters: Tensor, learning_rate: float, momentum: float = 0.0) -> None:
        parameters = parameters.detach()
        self.parameters, self.learning_rate, self.momentum = parameters, learning_rate, momentum
        self.squares = zeros(parameters)
        self.velocity = zeros(parameters) if momentum else parameters.new_zeros((0,) * parameters.dim())
        on_cpu = parameters.dim() == 2 and parameters.device.type == "cpu"
        self._first = np.full(len(parameters) if on_cpu else 0, -1, np.int32)

    def arrays(self) -> dict[str, Array]:
        """Copies of what training goes on with beside the parameters."""
        return {name: getattr(self, name).cpu().numpy().copy() for name in ("squares", "velocity")}

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Take over what :meth:`arrays` gave."""
        for name in ("squares", "velocity"):
            getattr(self, name).copy_(torch.from_numpy(np.array(arrays[name])))

    def step(self, gradient: Tensor) -> None:
        """Move all parameters; the gradient is overwritten."""
        self.squares.addcmul_(gradient, gradient)
        gradient.div_((self.squares + float(EPSILON)).sqrt_())
        if self.momentum:
            gradient = self.velocity.mul_(self.momentum).sub_(gradient, alpha=self.learning_rate)
            self.parameters.add_(gradient)
        else:
            self.parameters.sub_(gradient, alpha=self.learning_rate)

    def step_rows(self, rows: Tensor, gradient: Tensor) -> None:
        """Move some rows of a table.

        Args:
            rows: (n,) int64, any of them several times.
            gradient: (n, width); overwritten.
        """
        if self.parameters.device.type == "cpu":
            tensors = (self.parameters, self.squares, self.velocity, gradient)
            table, squares, velocity, slopes = (tensor.numpy() for tensor in tensors)
            rate, momentum = slopes.dtype.type(self.learning_rate), slopes.dtype.type(self.momentum)
            step_rows(table, squares, velocity, rows.numpy(), slopes, self._first, rate, momentum)
        else:
            self._step_rows_anywhere(rows, gradient)

    def _step_rows_anywhere(self, rows: Tensor, gradient: Tensor) -> None:
        unique, which = torch.unique(rows, return_inverse=True)
        summed = gradient.new_zeros((len(unique), gradient.shape[1])).index_add_(0, which, gradient)
        squares = self.squares.index_select(0, unique).addcmul_(summed, summed)
        self.squares.index_copy_(0, unique, squares)
        move = summed.div_(squares.add_(float(EPSILON)).sqrt_()).mul_(-self.learning_rate)
        if self.momentum:
            move.add_(self.velocity.index_select(0, unique), alpha=self.momentum)
            self.velocity.index_copy_(0, unique, move)
        self.parameters.index_add_(0, unique, move)


def zeros(like: Tensor) -> Tensor:
    """A tensor of zeros; on the processor in memory of NumPy's, which asks for huge pages: far rows are found sooner there."""
    if like.device.type != "cpu":
        return torch.zeros_like(like)
    return torch.from_numpy(np.zeros(like.shape, like.detach().numpy().dtype))


@jit
def fetch_rows(table: Array, rows: Array) -> Array:
    """``table[rows]``."""
    found = np.empty((len(rows), table.shape[1]), table.dtype)
    for i in range(len(rows)):
        row, ahead = rows[i], rows[min(i + AHEAD, len(rows) - 1)]
        for j in range(0, table.shape[1], LINE):
            prefetch(table, ahead, j)
        for j in range(table.shape[1]):
            found[i, j] = table[row, j]
    return found


@jit
def step_rows(table: Array, squares: Array, velocity: Array, rows: Array, slopes: Array, first: Array, rate: Any, momentum: Any) -> None:
    """:meth:`Adagrad.step_rows` on arrays; ``first`` is -1 for every row of the table, before and after."""
    width = table.shape[1]
    for i in range(len(rows)):
        row = rows[i]
        if first[row] < 0:
            first[row] = i
        else:
            total = first[row]
            for j in range(width):
                slopes[total, j] += slopes[i, j]
    for i in range(len(rows)):
        row, ahead = rows[i], rows[min(i + AHEAD, len(rows) - 1)]
        for j in range(0, width, LINE):
            prefetch(table, ahead, j)
            prefetch(squares, ahead, j)
        if first[row] != i:
            continue
        first[row] = -1
        for j in range(width):
            square = squares[row, j] + slopes[i, j] * slopes[i, j]
            squares[row, j] = square
            slopes[i, j] *= -rate / np.sqrt(square + EPSILON)
        if len(velocity):
            for j in range(width):
                slopes[i, j] += momentum * velocity[row, j]
                velocity[row, j] = slopes[i, j]
        for j in range(width):  # a loop of its own: of more arrays the compiler cannot tell that they are apart
            table[row, j] += slopes[i, j]
