"""Recurrent cells: what a step makes of an input and a state. States are (rows, cell.width); an output is their first columns.

The input comes already multiplied by the input weights, since a one-hot input is just a row of those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

CellName = Literal["gru", "lstm", "rnn"]
Activation = Literal["tanh", "relu"]


@dataclass(frozen=True)
class Cell:
    """A kind of cell.

    Attributes:
        gates: how many times ``hidden`` columns it takes.
        states: how many times ``hidden`` columns its state has.
        step: (gated input (rows, gates hidden), state (rows, states hidden), U (gates hidden, hidden), bias (gates hidden,))
            -> the next state.
    """

    gates: int
    states: int
    step: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def gru(x: Tensor, state: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """r, z = s(x + U h); n = tanh(x + r * (U h + b)); h' = (1 - z) n + z h (Cho et al. 2014, arXiv:1406.1078)."""
    hidden = state.shape[1]
    carried = torch.addmm(bias, state, recurrent.T)
    reset, update = torch.sigmoid(x[:, : 2 * hidden] + carried[:, : 2 * hidden]).chunk(2, 1)
    new = torch.tanh(torch.addcmul(x[:, 2 * hidden :], reset, carried[:, 2 * hidden :]))
    return torch.lerp(new, state, update)


def lstm(x: Tensor, state: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """i, f, o = s(x + U h + b); g = tanh(x + U h + b); c' = f c + i g; h' = o tanh(c'); the state is h and c side by side."""
    hidden = state.shape[1] // 2
    gates = x + torch.addmm(bias, state[:, :hidden], recurrent.T)
    into, keep, out = torch.sigmoid(gates[:, : 3 * hidden]).chunk(3, 1)
    memory = torch.addcmul(into * torch.tanh(gates[:, 3 * hidden :]), keep, state[:, hidden:])
    return torch.cat([out * torch.tanh(memory), memory], 1)


def rnn(activation: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """h' = F(x + U h + b)."""

    def step(x: Tensor, state: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
        return activation(x + torch.addmm(bias, state, recurrent.T))

    return step


CELLS: Mapping[str, Cell] = {"gru": Cell(3, 1, gru), "lstm": Cell(4, 2, lstm), "rnn": Cell(1, 1, rnn(torch.tanh))}
RELU = Cell(1, 1, rnn(torch.relu))
