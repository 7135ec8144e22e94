"""GRU4Rec on a processor: the parameters of its module, moved in place by compiled blocks of updates, on as many threads as wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from song2vec.core.arrays import Array
from song2vec.models.networks.gru4rec._data import Data, Learned, Rules, Weights, make_workspace
from song2vec.models.networks.gru4rec._kernels import learn
from song2vec.models.networks.gru4rec._loss_kernels import BPR_MAX, CROSS_ENTROPY
from song2vec.models.networks.recurrent.network import GRULayer, RecurrentNetwork
from song2vec.models.networks.recurrent.trainee import RecurrentTrainee, masks_of
from song2vec.nn.adagrad import Adagrad
from song2vec.nn.batching import NEW_LISTENER, Plan
from song2vec.nn.losses import logit_correction
from song2vec.nn.negatives import Negatives
from song2vec.nn.training import BLOCK, TrainingConfig
from song2vec.sessions import Sessions

LOSSES = {"cross-entropy": CROSS_ENTROPY, "bpr-max": BPR_MAX}


def can_compile(network: RecurrentNetwork, config: TrainingConfig) -> bool:
    """Whether the compiled updates serve this network: one GRU layer, sampled songs, one step back, on the processor."""
    plain = type(network) is RecurrentNetwork and len(network.layers) == 1 and isinstance(network.layers[0], GRULayer)
    gated = network.layers[0].weight_ih is not None
    sampled = config.n_negatives is not None and config.bptt == 1 and config.loss in LOSSES and config.precision == "float32"
    return plain and gated and sampled and network.device.type == "cpu"


class CompiledTrainee(RecurrentTrainee):
    """As :class:`RecurrentTrainee`, compiled.

    Args:
        plans: of each thread, the batches of an epoch by its number. A thread has sessions of its own, and all move the same
            weights without waiting for each other ("Hogwild"); with one thread the same seed gives the same bytes.
    """

    negatives: Negatives

    def __init__(
        self, network: RecurrentNetwork, config: TrainingConfig, sessions: Sessions, plans: Sequence[Callable[[int], Plan]]
    ) -> None:
        super().__init__(network, config, sessions, plans[0])
        network.requires_grad_(False)
        self._lane_plans, self._flat_songs = plans, np.asarray(sessions.songs, np.int64)
        self._blas = ThreadpoolController().select(user_api="blas")
        self._weights, self._rules = self._learned(), self._all_rules()
        size = self._weights.weight_ih.parameters.shape[1]
        shape = (config.batch_size, network.width, size, self.negatives.count, network.songs)
        self._spaces = [make_workspace(*shape) for _ in plans]

    def begin(self, epoch: int) -> int:
        self.epoch, self._plans = epoch, [plan(epoch) for plan in self._lane_plans]
        for space in self._spaces:
            space.state[:] = 0
        self.states = [torch.from_numpy(space.state) for space in self._spaces]
        return max(-(-plan.steps // BLOCK) for plan in self._plans)

    def load(self, arrays: dict[str, Array]) -> None:
        super().load(arrays)
        for space, state in zip(self._spaces, self.states, strict=True):
            space.state[:] = state.numpy()
        self.states = [torch.from_numpy(space.state) for space in self._spaces]

    def run(self, block: int) -> tuple[float, int]:
        with self._blas.limit(limits=1):
            if len(self._plans) == 1:
                return self._run_lane(block, 0)
            with ThreadPoolExecutor(len(self._plans)) as pool:
                done = list(pool.map(lambda lane: self._run_lane(block, lane), range(len(self._plans))))
        return sum(loss for loss, _ in done), sum(events for _, events in done)

    def _run_lane(self, block: int, lane: int) -> tuple[float, int]:
        plan = self._plans[lane]
        first, last = block * BLOCK, min((block + 1) * BLOCK, plan.steps)
        if first >= last:
            return 0.0, 0
        data = self._data(plan, first, last, block * len(self._plans) + lane)
        return learn(data, self._rules, self._weights, self._spaces[lane]), len(data.inputs)

    def _data(self, plan: Plan, first: int, last: int, number: int) -> Data:
        begin, stop = plan.begin[first], plan.begin[last]
        plays = plan.plays[begin:stop]
        mask_input, mask_hidden = masks_of(self.network, self.config, self.epoch, number, int(stop - begin))
        return Data(
            begin=plan.begin[first : last + 1] - begin,
            inputs=self._flat_songs[plays],
            targets=self._flat_songs[plays + 1],
            carried=plan.carried[begin:stop],
            stays=(plan.starts[begin:stop] != NEW_LISTENER).astype(np.int8),
            negatives=self.negatives.block(self.epoch, number, last - first),
            mask_input=mask_input,
            mask_hidden=mask_hidden[0] if len(mask_hidden) else np.zeros((0, 0), np.float32),
        )

    def _learned(self) -> Weights:
        found = {name: _as_arrays(optimiser) for name, optimiser in self.optimisers.items()}
        layer = (found[f"layers.0.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        return Weights(found["output.weight"], found["bias.weight"], found.get("input.weight", found["output.weight"]), *layer)

    def _all_rules(self) -> Rules:
        config, correction = self.config, np.zeros((2, 0), np.float32)
        if config.logq and config.loss == "cross-entropy":
            every = torch.arange(self.network.songs)
            correction = logit_correction(self.support, every, every, config.logq, config.negative_exponent).numpy().reshape(2, -1)
        return Rules(
            loss=LOSSES[config.loss],
            rate=np.float32(config.learning_rate),
            momentum=np.float32(config.momentum),
            scale=np.float32(1 / config.batch_size),
            bpreg=np.float32(config.bpreg),
            elu=np.float32(config.elu_param),
            constrained=self.network.input is None,
            frozen=config.frozen,
            correction=correction,
        )


def _as_arrays(optimiser: Adagrad) -> Learned:
    return Learned(optimiser.parameters.numpy(), optimiser.squares.numpy(), optimiser.velocity.numpy())
