"""What a recurrent network learns in a block of steps; the epoch loop around it is in ``training``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.models.networks.rnn.adagrad import Adagrad
from song2vec.models.networks.rnn.batches import NEW_USER, Plan
from song2vec.models.networks.rnn.losses import Loss, LossName, log_q, make_loss
from song2vec.models.networks.rnn.negatives import Negatives
from song2vec.models.networks.rnn.network import Network, States
from song2vec.models.networks.rnn.output import Output
from song2vec.nn.trainer import Trainee
from song2vec.sessions import Sessions

BLOCK = 64  # updates between two moments at which training can stop and go on


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the names are those of the models' settings. ``negatives`` is None to score every song."""

    loss_name: LossName
    negatives: Negatives | None
    batch_size: int
    bptt: int = 1
    learning_rate: float = 0.05
    momentum: float = 0.0
    dropout_input: float = 0.0
    dropout_hidden: float = 0.0
    logq: float = 0.0
    bpreg: float = 1.0
    elu: float = 0.0
    frozen: bool = False
    half: bool = False
    seed: int = 0

    @property
    def loss(self) -> Loss:
        return make_loss(self.loss_name, bpreg=self.bpreg, elu=self.elu)

    def masks(self, network: Network, epoch: int, block: int, entries: int) -> tuple[Array, Array]:
        """Inverted dropout of a block: (entries, size) and (layers, entries, hidden) of 0 and 1 / (1 - share), or of no entry.

        What stays is scaled up, so that nothing changes when the model is used.
        """
        random = generator(self.seed, f"dropout {epoch} {block}")

        def drawn(share: float, *size: int) -> Array:
            kept: Array = random.random(size if share else (0,) * len(size), np.float32) >= share
            return kept.astype(np.float32) / np.float32(1 - share)

        shape = network.shape
        width = network.inputs.shape[1]
        return drawn(self.dropout_input, entries, width), drawn(self.dropout_hidden, shape.layers, entries, shape.hidden)


class Task(Trainee):
    """A network, its optimisers, and the epochs it learns from.

    Args:
        plan: the batches of an epoch, by its number.
    """

    def __init__(self, network: Network, recipe: Recipe, sessions: Sessions, plan: Callable[[int], Plan]) -> None:
        self.network, self.recipe, self._plan_of = network, recipe, plan
        self.device = network.device
        self._songs = torch.from_numpy(np.asarray(sessions.songs, np.int64)).to(self.device)
        support = np.bincount(sessions.songs, minlength=network.shape.songs)
        self._support = torch.from_numpy(support).clamp(min=1).to(self.device, network.flat.dtype)
        self._gradient = network.track()
        tables = {"flat": network.flat, **network.tables}
        self.optimisers = {name: Adagrad(table, recipe.learning_rate, recipe.momentum) for name, table in tables.items()}
        sample = recipe.negatives.sample if recipe.negatives else 0
        rows = recipe.batch_size * recipe.bptt if recipe.negatives else 0
        self._output = Output(self.optimisers["output"], self.optimisers["bias"], recipe.loss, rows, sample, half=recipe.half)
        self.states: States = network.zero_states(0)
        self._epoch = -1

    def begin(self, epoch: int) -> int:
        """Lay out an epoch; returns how many blocks it has."""
        plan = self._plan_of(epoch)
        self.states = self.network.zero_states(0)
        self._epoch, self._begin = epoch, plan.begin.tolist()
        plays = torch.from_numpy(plan.plays).to(self.device)
        self._inputs, self._targets = self._songs[plays], self._songs[plays + 1]
        self._carried = torch.from_numpy(plan.carried).to(self.device)
        self._starts = torch.from_numpy(plan.starts).to(self.device)
        self._stays = (self._starts != NEW_USER).to(self.network.flat.dtype)[:, None]
        place = np.arange(plan.events) - np.repeat(plan.begin[:-1], np.diff(plan.begin))
        self._moved = np.logical_or.reduceat(plan.carried != place, plan.begin[:-1]).tolist() if plan.events else []
        self._input_masks = self._hidden_masks = torch.zeros(0)
        self._first = 0
        self.updates = -(-plan.steps // self.recipe.bptt)
        return -(-self.updates // BLOCK)

    def run(self, block: int) -> tuple[float, int]:
        """Learn from one block of the epoch; returns its loss summed over targets, and their number."""
        first, last = block * BLOCK, min((block + 1) * BLOCK, self.updates)
        negatives = None
        if self.recipe.negatives:
            drawn = self.recipe.negatives.block(self._epoch, block, last - first)
            negatives = torch.from_numpy(drawn).to(self.device)
        begin, stop = self._begin[first * self.recipe.bptt], self._begin[min(last * self.recipe.bptt, len(self._begin) - 1)]
        self._input_masks, self._hidden_masks = (
            torch.from_numpy(masks).to(self.device) for masks in self.recipe.masks(self.network, self._epoch, block, stop - begin)
        )
        self._first = begin
        total = torch.zeros((), device=self.device, dtype=torch.float64)
        for update in range(first, last):
            total += self._update(update * self.recipe.bptt, None if negatives is None else negatives[update - first])
        return float(total), stop - begin

    def _update(self, step: int, sample: Tensor | None) -> Tensor:
        """Learn from ``bptt`` steps; returns the loss summed over their targets."""
        end = min(step + self.recipe.bptt, len(self._begin) - 1)
        begin, stop = self._begin[step], self._begin[end]
        inputs, targets = self._inputs[begin:stop], self._targets[begin:stop]
        x = self.network.inputs.index_select(0, inputs).requires_grad_(not self.recipe.frozen)
        hidden = self._forward(x, step, end)
        scale = 1 / self.recipe.batch_size
        with torch.no_grad():
            if sample is None:
                total, back, slopes, slope = self._output.full(hidden.detach(), targets, scale)
            else:
                columns = torch.cat([targets, sample])
                total, back, slopes, slope = self._output.sampled(hidden.detach(), columns, self._less(targets, sample), scale)
        self._gradient.zero_()
        torch.autograd.backward(hidden, back)
        with torch.no_grad():
            self.optimisers["flat"].step(self._gradient)
            self._learn_rows(inputs, x.grad, None if sample is None else columns, slopes, slope)
        return total

    def _forward(self, x: Tensor, step: int, end: int) -> Tensor:
        """(entries, hidden) outputs of some steps; the states go on to the next update without their history."""
        offset, outputs = self._begin[step], []
        dropped = x * self._input_masks[offset - self._first :][: len(x)] if len(self._input_masks) else x
        for now in range(step, end):
            begin, stop = self._begin[now], self._begin[now + 1]
            states = self.carry(begin, stop, self._moved[now])
            output, self.states = self.advance(dropped[begin - offset : stop - offset], states, self._masks(begin, stop))
            outputs.append(output)
        self.states = [state.detach() for state in self.states]
        return torch.cat(outputs) if len(outputs) > 1 else outputs[0]

    def advance(self, x: Tensor, states: States, masks: Tensor | None) -> tuple[Tensor, States]:
        """Outputs and states after inputs."""
        return self.network.step(x, states, masks)

    def _masks(self, begin: int, stop: int) -> Tensor | None:
        """(layers, rows, hidden) dropout masks of these entries."""
        return self._hidden_masks[:, begin - self._first : stop - self._first] if len(self._hidden_masks) else None

    def carry(self, begin: int, stop: int, moved: bool) -> States:
        """The states that these entries begin with: those of the step before, zero for a session that begins."""
        if not len(self.states[0]):
            return self.network.zero_states(stop - begin)
        stays = self._stays[begin:stop]
        moved = moved or len(self.states[0]) != stop - begin
        states = [state.index_select(0, self._carried[begin:stop]) for state in self.states] if moved else self.states
        return [state * stays for state in states]

    def _learn_rows(self, inputs: Tensor, x: Tensor | None, columns: Tensor | None, slopes: Tensor, slope: Tensor) -> None:
        output, bias = self.optimisers["output"], self.optimisers["bias"]
        constrained = self.network.shape.input == "constrained"
        if columns is None:
            if constrained and x is not None:
                slopes.index_add_(0, inputs, x)
            output.step(slopes)
            bias.step(slope)
        else:
            if constrained and x is not None:  # one table, one update: a song's gradients are added up before they are squared
                output.step_rows(torch.cat([inputs, columns]), torch.cat([x, slopes]))
            else:
                output.step_rows(columns, slopes)
            bias.step_rows(columns, slope)
        if not constrained and x is not None:
            self.optimisers["input"].step_rows(inputs, x)

    def _less(self, targets: Tensor, sample: Tensor) -> Tensor | None:
        if not self.recipe.logq or self.recipe.negatives is None:
            return None
        return log_q(self._support, targets, sample, self.recipe.logq, self.recipe.negatives.alpha)

    def arrays(self) -> dict[str, Array]:
        """Everything that training goes on with: weights, optimisers, states."""
        found = {f"weight_{name}": array for name, array in self.network.arrays().items()}
        for name, optimiser in self.optimisers.items():
            found |= {f"squares_{name}": _copy(optimiser.squares), f"velocity_{name}": _copy(optimiser.velocity)}
        return found | {f"state_{number}": _copy(state) for number, state in enumerate(self.states)}

    def load(self, arrays: dict[str, Array]) -> None:
        """Take over what :meth:`arrays` gave."""
        self.network.load({name.removeprefix("weight_"): array for name, array in arrays.items() if name.startswith("weight_")})
        for name, optimiser in self.optimisers.items():
            optimiser.squares.copy_(torch.from_numpy(arrays[f"squares_{name}"]))
            optimiser.velocity.copy_(torch.from_numpy(arrays[f"velocity_{name}"]))
        found = [name for name in arrays if name.startswith("state_")]
        self.states = [torch.from_numpy(arrays[f"state_{number}"]).to(self.device) for number in range(len(found))]


def _copy(tensor: Tensor) -> Array:
    copied: Array = tensor.detach().cpu().numpy().copy()
    return copied
