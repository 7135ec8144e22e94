"""GRU4Rec on a processor: the parameters of its module, moved in place by compiled blocks of updates, on as many threads as wanted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.linalg  # noqa: F401 (its BLAS, which numba calls, must be there to be limited)
import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from song2vec.core.arrays import Array
from song2vec.models.networks.gru4rec._kernels import Block, GRUWeights, Learned, UpdateRules, learn
from song2vec.models.networks.recurrent.network import GRULayer, RecurrentNetwork
from song2vec.models.networks.recurrent.trainee import RecurrentTrainee, masks_of
from song2vec.nn.batching import NEW_LISTENER, BatchPlan, session_parallel
from song2vec.nn.losses import logit_correction
from song2vec.nn.softmax import Negatives
from song2vec.nn.training import BLOCK, TrainingConfig
from song2vec.sessions import Sessions


def can_compile(network: RecurrentNetwork, config: TrainingConfig) -> bool:
    """Whether the compiled updates serve this network: one GRU layer, sampled songs, one step back, on the processor."""
    plain = type(network) is RecurrentNetwork and len(network.layers) == 1 and isinstance(network.layers[0], GRULayer)
    gated = network.layers[0].weight_ih is not None
    known = config.loss in ("cross-entropy", "bpr-max") and config.precision == "float32"
    return plain and gated and known and config.n_negatives is not None and config.bptt == 1 and network.device.type == "cpu"


class CompiledTrainee(RecurrentTrainee):
    """As :class:`RecurrentTrainee`, compiled.

    Args:
        order: numbers of the sessions as an epoch has them, by its number.
        lanes: threads. Each has sessions of its own, and all move the same weights without waiting for each other ("Hogwild");
            with one the same seed gives the same bytes.
    """

    negatives: Negatives

    def __init__(
        self, network: RecurrentNetwork, config: TrainingConfig, sessions: Sessions, order: Callable[[int], Array], lanes: int = 1
    ) -> None:
        super().__init__(network, config, sessions, lambda epoch: session_parallel(sessions, order(epoch), config.batch_size))
        network.requires_grad_(False)
        self._sessions, self._order_of, self._lanes, self._plans = sessions, order, lanes, list[BatchPlan]()
        self._blas = ThreadpoolController().select(user_api="blas")
        self._weights, self._rules = self._all_weights(), self._all_rules()

    def begin(self, epoch: int) -> int:
        size, order = self.config.batch_size, self._order_of(epoch)
        self.epoch = epoch
        self._plans = [session_parallel(self._sessions, order[lane :: self._lanes], size) for lane in range(self._lanes)]
        self.states = [torch.zeros(size, self.network.width) for _ in self._plans]
        return max(-(-plan.steps // BLOCK) for plan in self._plans)

    def run(self, block: int) -> tuple[float, int]:
        with self._blas.limit(limits=1), ThreadPoolExecutor(self._lanes) as pool:
            done = list(pool.map(lambda lane: self._run_lane(block, lane), range(self._lanes)))
        return sum(loss for loss, _ in done), sum(events for _, events in done)

    def _run_lane(self, block: int, lane: int) -> tuple[float, int]:
        plan, number = self._plans[lane], block * self._lanes + lane
        first, last = block * BLOCK, min((block + 1) * BLOCK, plan.steps)
        if first >= last:
            return 0.0, 0
        begin, stop = plan.begin[first], plan.begin[last]
        songs, plays = self._sessions.songs, plan.plays[begin:stop]
        mask_input, mask_hidden = masks_of(self.network, self.config, self.epoch, number, len(plays))
        data = Block(
            begin=plan.begin[first : last + 1] - begin,
            inputs=songs[plays].astype(np.int64),
            targets=songs[plays + 1].astype(np.int64),
            carried=plan.carried[begin:stop],
            stays=(plan.starts[begin:stop] != NEW_LISTENER).astype(np.float32),
            negatives=self.negatives.block(self.epoch, number, last - first),
            mask_input=mask_input,
            mask_hidden=mask_hidden.reshape(-1, self.network.width),
        )
        return learn(data, self._rules, self._weights, self.states[lane].numpy()), len(plays)

    def _all_weights(self) -> GRUWeights:
        found = {}
        for name, optimiser in self.optimisers.items():
            tensors = (optimiser.parameters, optimiser.squares, optimiser.velocity)
            matrices = [tensor[:, None] if tensor.dim() == 1 else tensor for tensor in tensors]
            found[name.removeprefix("layers.0.").removesuffix(".weight")] = Learned(*(matrix.numpy() for matrix in matrices))
        table = found.pop("output")
        return GRUWeights(table=table, source=found.pop("input", table), **found)

    def _all_rules(self) -> UpdateRules:
        config, every = self.config, torch.arange(self.network.songs)
        logq = config.logq if config.loss == "cross-entropy" else 0.0
        return UpdateRules(
            bpr_max=config.loss == "bpr-max",
            rate=np.float32(config.learning_rate),
            momentum=np.float32(config.momentum),
            scale=np.float32(1 / config.batch_size),
            bpreg=np.float32(config.bpreg),
            elu=np.float32(config.elu_param),
            constrained=self.network.input is None,
            frozen=config.frozen,
            correction=logit_correction(self.support, every, every, logq, config.negative_exponent).numpy().reshape(2, -1),
        )
