"""GRU4Rec on a processor: the compiled block of updates, on as many threads as there are lanes of sessions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from song2vec.core.arrays import Array
from song2vec.models.networks.rnn.adagrad import Adagrad
from song2vec.models.networks.rnn.batches import NEW_USER, Plan
from song2vec.models.networks.rnn.block_data import Data, Learned, Net, Rules, layer_of, make_room
from song2vec.models.networks.rnn.block_kernel import learn
from song2vec.models.networks.rnn.cells import CELLS
from song2vec.models.networks.rnn.loss_kernels import BPR_MAX, CROSS_ENTROPY
from song2vec.models.networks.rnn.losses import log_q
from song2vec.models.networks.rnn.negatives import Negatives
from song2vec.models.networks.rnn.network import Network
from song2vec.models.networks.rnn.task import BLOCK, Recipe, Task
from song2vec.sessions import Sessions

LOSSES = {"cross-entropy": CROSS_ENTROPY, "bpr-max": BPR_MAX}


def can_compile(network: Network, recipe: Recipe) -> bool:
    """Whether the compiled updates serve this network: one GRU layer, sampled songs, one step back, on the processor."""
    shape = network.shape
    plain = shape.cell is CELLS["gru"] and shape.layers == 1 and shape.input != "one-hot" and network.device.type == "cpu"
    return plain and recipe.negatives is not None and recipe.bptt == 1 and recipe.loss_name in LOSSES and not recipe.half


class CompiledTask(Task):
    """As ``Task``, compiled.

    Args:
        lanes: threads; each walks sessions of its own and all move the same weights, without waiting for each other. With one
            the same seed gives the same bytes.
        plan: the batches of an epoch, by its number and the lane's.
    """

    def __init__(self, network: Network, recipe: Recipe, sessions: Sessions, plan: Callable[[int, int], Plan], lanes: int) -> None:
        super().__init__(network, recipe, sessions, lambda epoch: plan(epoch, 0))
        network.release()
        self._lane_plan, self._lanes = plan, lanes
        self._flat_songs = np.asarray(sessions.songs, np.int64)
        self._blas = ThreadpoolController().select(user_api="blas")
        self._net, self._rules = self._whole_net(), self._all_rules()
        size, hidden, flat = network.inputs.shape[1], network.shape.hidden, len(network.flat)
        sample = self._negatives.sample
        self._rooms = [make_room(recipe.batch_size, hidden, size, sample, network.shape.songs, flat) for _ in range(lanes)]

    @property
    def _negatives(self) -> Negatives:
        return cast(Negatives, self.recipe.negatives)  # can_compile saw to it

    def begin(self, epoch: int) -> int:
        self._epoch = epoch
        self._plans = [self._lane_plan(epoch, lane) for lane in range(self._lanes)]
        for room in self._rooms:
            room.state[:] = 0
        self.states = [torch.from_numpy(room.state) for room in self._rooms]
        return max(-(-plan.steps // BLOCK) for plan in self._plans)

    def load(self, arrays: dict[str, Array]) -> None:
        super().load(arrays)
        for room, state in zip(self._rooms, self.states, strict=True):
            room.state[:] = state.numpy()
        self.states = [torch.from_numpy(room.state) for room in self._rooms]

    def run(self, block: int) -> tuple[float, int]:
        with self._blas.limit(limits=1):
            if self._lanes == 1:
                return self._run_lane(block, 0)
            with ThreadPoolExecutor(self._lanes) as pool:
                done = list(pool.map(lambda lane: self._run_lane(block, lane), range(self._lanes)))
        return sum(loss for loss, _ in done), sum(events for _, events in done)

    def _run_lane(self, block: int, lane: int) -> tuple[float, int]:
        plan = self._plans[lane]
        first, last = block * BLOCK, min((block + 1) * BLOCK, plan.steps)
        if first >= last:
            return 0.0, 0
        data = self._data(plan, first, last, block * self._lanes + lane)
        return learn(data, self._rules, self._net, self._rooms[lane]), len(data.inputs)

    def _data(self, plan: Plan, first: int, last: int, number: int) -> Data:
        recipe, begin, stop = self.recipe, plan.begin[first], plan.begin[last]
        plays = plan.plays[begin:stop]
        mask_input, mask_hidden = recipe.masks(self.network, self._epoch, number, int(stop - begin))
        return Data(
            begin=plan.begin[first : last + 1] - begin,
            inputs=self._flat_songs[plays],
            targets=self._flat_songs[plays + 1],
            carried=plan.carried[begin:stop],
            stays=(plan.starts[begin:stop] != NEW_USER).astype(np.int8),
            negatives=self._negatives.block(self._epoch, number, last - first),
            mask_input=mask_input,
            mask_hidden=mask_hidden[0] if len(mask_hidden) else np.zeros((0, 0), np.float32),
        )

    def _whole_net(self) -> Net:
        learned, shape = {name: _learned(optimiser) for name, optimiser in self.optimisers.items()}, self.network.shape
        source = learned["output" if shape.input == "constrained" else "input"]
        layer = layer_of(learned["flat"].parameters, shape.hidden, self.network.inputs.shape[1])
        return Net(learned["output"], learned["bias"], source, learned["flat"], layer)

    def _all_rules(self) -> Rules:
        recipe, shape = self.recipe, self.network.shape
        less = np.zeros((2, 0), np.float32)
        if recipe.logq:
            every = torch.arange(shape.songs)
            less = log_q(self._support, every, every, recipe.logq, self._negatives.alpha).numpy().reshape(2, -1)
        return Rules(
            loss=LOSSES[recipe.loss_name],
            rate=np.float32(recipe.learning_rate),
            momentum=np.float32(recipe.momentum),
            scale=np.float32(1 / recipe.batch_size),
            bpreg=np.float32(recipe.bpreg),
            elu=np.float32(recipe.elu),
            constrained=shape.input == "constrained",
            frozen=recipe.frozen,
            less=less,
        )


def _learned(optimiser: Adagrad) -> Learned:
    return Learned(optimiser.parameters.numpy(), optimiser.squares.numpy(), optimiser.velocity.numpy())
