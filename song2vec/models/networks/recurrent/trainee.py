"""How a recurrent network learns from sessions side by side, whose states are carried from step to step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.models.networks.recurrent.network import RecurrentNetwork, States
from song2vec.nn.batching import BatchPlan
from song2vec.nn.module import dropout_mask
from song2vec.nn.training import BLOCK, NetworkTrainee, TrainingConfig
from song2vec.sessions import Sessions


class RecurrentTrainee(NetworkTrainee):
    """An update learns from ``bptt`` steps of ``plan(epoch)``, the batches of an epoch."""

    network: RecurrentNetwork

    def __init__(self, network: RecurrentNetwork, config: TrainingConfig, sessions: Sessions, plan: Callable[[int], BatchPlan]) -> None:
        super().__init__(network, config, np.bincount(sessions.songs, minlength=network.songs), np.arange(0))
        self._plan_of, self._songs = plan, torch.from_numpy(np.asarray(sessions.songs, np.int64)).to(self.device)
        self.states: States = network.blank_states(1)

    def lay_out(self, epoch: int) -> int:
        plan = self._plan_of(epoch)
        self.states, self._begin = self.network.blank_states(1), plan.begin.tolist()  # all sessions carry on the same blank one
        plays, self._carried, self._starts = (torch.from_numpy(array).to(self.device) for array in (plan.plays, plan.carried, plan.starts))
        self._inputs, self._targets = self._songs[plays], self._songs[plays + 1]
        self._first, self._input_masks, self._hidden_masks = 0, torch.zeros(0), torch.zeros(0)
        return -(-plan.steps // self.config.bptt)

    def run(self, block: int) -> tuple[float, int]:
        steps = [min(update * BLOCK * self.config.bptt, len(self._begin) - 1) for update in (block, block + 1)]
        self._first, stop = (self._begin[step] for step in steps)
        masks = masks_of(self.network, self.config, self.epoch, block, stop - self._first)
        self._input_masks, self._hidden_masks = (torch.from_numpy(mask).to(self.device) for mask in masks)
        return super().run(block)

    def update(self, number: int, negatives: Tensor | None) -> tuple[Tensor, int]:
        step = number * self.config.bptt
        end = min(step + self.config.bptt, len(self._begin) - 1)
        begin, stop = self._begin[step], self._begin[end]
        return self.learn(self._outputs(step, end), self._targets[begin:stop], negatives), stop - begin

    def _outputs(self, step: int, end: int) -> Tensor:
        """(entries, hidden) outputs of some steps; the states go on to the next update without their history."""
        offset, outputs = self._begin[step], []
        x = self.network.embed(self._inputs[offset : self._begin[end]])
        if len(self._input_masks):
            x = x * self._input_masks[offset - self._first :][: len(x)]
        for now in range(step, end):
            begin, stop = self._begin[now], self._begin[now + 1]
            masks = self._hidden_masks[:, begin - self._first : stop - self._first] if len(self._hidden_masks) else None
            states = [state.index_select(0, self._carried[begin:stop]) for state in self.states]
            states = self.network.begun(states, self._starts[begin:stop])
            output, self.states = self.network.step(x[begin - offset : stop - offset], states, masks)
            outputs.append(output)
        self.states = [state.detach() for state in self.states]
        return torch.cat(outputs) if len(outputs) > 1 else outputs[0]

    def arrays(self) -> dict[str, Array]:
        states = {f"state_{number}": state.detach().cpu().numpy().copy() for number, state in enumerate(self.states)}
        return super().arrays() | states

    def load(self, arrays: dict[str, Array]) -> None:
        super().load(arrays)
        found = sum(name.startswith("state_") for name in arrays)
        self.states = [torch.from_numpy(np.array(arrays[f"state_{number}"])).to(self.device) for number in range(found)]


def masks_of(network: RecurrentNetwork, config: TrainingConfig, epoch: int, block: int, entries: int) -> tuple[Array, Array]:
    """Inverted dropout of a block: (entries, inputs) and (layers, entries, hidden), or of no entry where nothing is dropped."""
    random = generator(config.seed, f"dropout {epoch} {block}")
    width = (network.output if network.input is None else network.input).weight.shape[1]

    def drawn(share: float, *size: int) -> Array:
        return dropout_mask(size if share else (0,) * len(size), share, random)

    return drawn(config.dropout_input, entries, width), drawn(config.dropout_hidden, len(network.layers), entries, network.width)
