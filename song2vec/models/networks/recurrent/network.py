"""Recurrent networks over songs: what a step makes of the songs played and the states before.

A state is (rows, states hidden); the output of a layer is its first ``hidden`` columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from song2vec.core.arrays import Array
from song2vec.nn.batching import NEW_LISTENER
from song2vec.nn.module import SongNetwork, glorot, song_table
from song2vec.sessions import Sessions

CellName = Literal["gru", "lstm", "rnn", "relu"]
InputName = Literal["one-hot", "embedding", "constrained", "vectors"]
States = list[Tensor]  # one a layer, (rows, columns)


class RecurrentLayer(nn.Module):
    """A layer; the next state comes from the gated input x = W_ih input + b_ih, the state h and the weights W_hh and b_hh.

    Args:
        inputs: numbers in an input; None for inputs that come gated, since a one-hot input is just a row of W_ih.

    Attributes:
        gates, states: how many times ``hidden`` columns the gated input, and the state, have.
    """

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1
    activation: Callable[[Tensor], Tensor] = staticmethod(torch.tanh)

    def __init__(self, inputs: int | None, hidden: int) -> None:
        super().__init__()
        gated = self.gates * hidden
        self.weight_ih = None if inputs is None else nn.Parameter(torch.zeros(gated, inputs))
        self.weight_hh, self.bias_ih, self.bias_hh = (nn.Parameter(torch.zeros(size)) for size in ((gated, hidden), (gated,), (gated,)))

    def draw(self, random: np.random.Generator) -> None:
        """Draw the matrices, each gate by itself."""
        for weights in (self.weight_ih, self.weight_hh):
            if weights is not None:
                glorot(weights, random, rows=self.gates)

    def forward(self, x: Tensor, state: Tensor, shift: Tensor | None = None) -> Tensor:
        """(rows, inputs) and (rows, states hidden) -> the next state; ``shift`` (rows, gates hidden) is added to the gated input."""
        gated = x + self.bias_ih if self.weight_ih is None else torch.addmm(self.bias_ih, x, self.weight_ih.T)
        return self.next(gated if shift is None else gated + shift, state)

    def next(self, gated: Tensor, state: Tensor) -> Tensor:
        """h' = F(x + W_hh h + b_hh), F being tanh."""
        return self.activation(gated + self.carried(state))

    def carried(self, hidden: Tensor) -> Tensor:
        """W_hh h + b_hh."""
        return torch.addmm(self.bias_hh, hidden, self.weight_hh.T)


class ReLULayer(RecurrentLayer):
    """h' = max(0, x + W_hh h + b_hh)."""

    activation = staticmethod(torch.relu)


class GRULayer(RecurrentLayer):
    """r, z = s(x + W_hh h + b_hh); n = tanh(x + r (W_hh h + b_hh)); h' = (1 - z) n + z h (Cho et al. 2014, arXiv:1406.1078)."""

    gates = 3

    def next(self, gated: Tensor, state: Tensor) -> Tensor:
        columns, carried = 2 * state.shape[1], self.carried(state)
        reset, update = torch.sigmoid(gated[:, :columns] + carried[:, :columns]).chunk(2, 1)
        new = torch.tanh(torch.addcmul(gated[:, columns:], reset, carried[:, columns:]))
        return torch.lerp(new, state, update)


class LSTMLayer(RecurrentLayer):
    """i, f, o = s(x + W_hh h + b_hh); g = tanh(...); c' = f c + i g; h' = o tanh(c'); the state is h and c side by side."""

    gates, states = 4, 2

    def next(self, gated: Tensor, state: Tensor) -> Tensor:
        hidden = state.shape[1] // 2
        gates = gated + self.carried(state[:, :hidden])
        into, keep, out = torch.sigmoid(gates[:, : 3 * hidden]).chunk(3, 1)
        memory = torch.addcmul(into * torch.tanh(gates[:, 3 * hidden :]), keep, state[:, hidden:])
        return torch.cat([out * torch.tanh(memory), memory], 1)


LAYERS: dict[CellName, type[RecurrentLayer]] = {"gru": GRULayer, "lstm": LSTMLayer, "rnn": RecurrentLayer, "relu": ReLULayer}


class RecurrentNetwork(SongNetwork):
    """Layers one above the other between two tables.

    Args:
        cell: of every layer.
        hidden: units of each layer.
        input: "one-hot", a table of rows that are gated inputs; "constrained", the output table; else a table of its own.
        size: numbers in a row of that table.
    """

    def __init__(self, songs: int, hidden: int, *, cell: CellName = "gru", layers: int = 1, input: InputName, size: int) -> None:
        super().__init__(songs, hidden)
        kind, inputs = LAYERS[cell], {"one-hot": None, "constrained": hidden}.get(input, size)
        self.layers = nn.ModuleList(kind(hidden if layer else inputs, hidden) for layer in range(layers))
        if input != "constrained":
            self.input = song_table(songs, kind.gates * hidden if inputs is None else inputs)
        self.widths = [kind.states * hidden] * layers  # of the states
        self._gates = kind.gates if inputs is None else 1

    def draw(self, random: np.random.Generator) -> None:
        for layer in self.layers:
            cast(RecurrentLayer, layer).draw(random)
        glorot(self.output.weight, random)
        if self.input is not None:
            glorot(self.input.weight, random, columns=self._gates)

    def embed(self, songs: Tensor) -> Tensor:
        """(rows,) -> (rows, inputs)."""
        rows: Tensor = (self.output if self.input is None else self.input)(songs)
        return rows

    def blank_states(self, rows: int) -> States:
        """States of sessions that have not begun."""
        return [torch.zeros((rows, width), device=self.device) for width in self.widths]

    @torch.inference_mode()
    def states_after(self, songs: Array) -> States:
        """The states, of one row, that a session of these songs (n,) ends with."""
        states = self.blank_states(1)
        for song in torch.from_numpy(songs.astype(np.int64)).to(self.device):
            _, states = self.step(self.embed(song[None]), states)
        return states

    def begun(self, states: States, starts: Tensor) -> States:
        """The states that plays begin with, from those that each slot of the batch left behind: blank ones where a session begins.

        Args:
            starts: (rows,) how each of the plays begins: see :class:`song2vec.nn.batching.BatchPlan`.
        """
        stays = (starts != NEW_LISTENER)[:, None]
        return [state * stays for state in states]

    def step(self, x: Tensor, states: States, masks: Tensor | None = None, shift: Tensor | None = None) -> tuple[Tensor, States]:
        """(rows, inputs) and states -> (rows, hidden) outputs and next states, dropped by (layers, rows, hidden) masks.

        ``shift`` (rows, gates hidden) is added to the gated input of the first layer.
        """
        after: States = []
        for number, (layer, before) in enumerate(zip(self.layers, states, strict=True)):
            state = layer(x, before, None if number else shift)
            x = state[:, : self.width]
            if masks is not None:
                x = x * masks[number]
                state = x if state.shape[1] == self.width else torch.cat([x, state[:, self.width :]], 1)
            after.append(state)
        return x, after

    @torch.inference_mode()
    def walk(self, sessions: Sessions, plays: Array, states: States | None = None) -> Tensor:
        """(n, hidden) outputs after each of n different plays, in ascending order; each play is fed once, sessions side by side.

        Args:
            states: that the sessions of the plays begin with, in order of the sessions; blank without.
        """
        which, first = np.unique(np.searchsorted(sessions.offsets, plays, side="right") - 1, return_index=True)
        begin = sessions.offsets[which]
        lengths = np.append(plays[first[1:] - 1], plays[-1:]) + 1 - begin
        order = np.argsort(-lengths, kind="stable")  # the longest first: who ends drops out at the bottom
        begin, lengths = begin[order], lengths[order]
        chosen = torch.from_numpy(order).to(self.device)
        states = self.blank_states(len(order)) if states is None else [state[chosen] for state in states]
        found = torch.empty((len(plays), self.width), device=self.device)
        for step in range(int(lengths.max(initial=0))):
            live = int(np.searchsorted(-lengths, -step, side="left"))
            now = begin[:live] + step
            songs = torch.from_numpy(sessions.songs[now].astype(np.int64)).to(self.device)
            out, states = self.step(self.embed(songs), [state[:live] for state in states])
            place = np.minimum(np.searchsorted(plays, now), len(plays) - 1)
            asked = np.flatnonzero(plays[place] == now)
            found[torch.from_numpy(place[asked])] = out[torch.from_numpy(asked)]
        return found
