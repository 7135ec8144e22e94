"""Training by the kernel: an epoch is cut into chunks of sessions, and threads take one chunk after another.

Threads write to the same rows without locks (Recht et al. 2011, "Hogwild!", arXiv:1106.5730). What a chunk draws depends
on the seed, its epoch and its number only, so that one worker always does the same, also after a break.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from queue import SimpleQueue

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.nn.trainer import Trainee
from song2vec.sessions import Sessions
from song2vec.vectors.learner import Word2VecSettings
from song2vec.vectors.measures import Objective
from song2vec.vectors.training.draws import alias_table
from song2vec.vectors.training.kernel import HELD, KernelOptions, Log, Model, make_kernel
from song2vec.vectors.training.weights import Weights, aligned, count_plays

CHUNK = 100_000  # plays
ROUND = 64  # chunks in a block: between two moments at which training can stop and go on
WHOLE_SESSION = 1_000  # songs each way when the window is the session


class WeightsTrainee(Trainee):
    """Weights of word2vec in training, changed in place. Their loss is measured after each epoch, always on the same examples."""

    weights: Weights

    def __init__(self, sessions: Sessions, rows: Array, settings: Word2VecSettings) -> None:
        self._settings, self._epoch = settings, 0
        self._objective = Objective.sample(sessions, rows, settings)

    def epoch_loss(self, counted: float) -> float:
        return self._objective.loss(self.weights)

    def arrays(self) -> dict[str, Array]:
        return {"inputs": self.weights.inputs.copy(), "outputs": self.weights.outputs.copy()}

    def load(self, arrays: dict[str, Array]) -> None:
        self.weights.inputs[:], self.weights.outputs[:] = arrays["inputs"], arrays["outputs"]


class KernelTrainee(WeightsTrainee):
    """Weights that the kernel trains in place.

    Args:
        sessions: whose songs and offsets may lie on disk; they are read, never copied.
        rows: (songs of the sessions' catalogue,) int32, the row of each in ``weights``.
        song_weights: (rows,) float32: how much a play counts as what is to be predicted.
        old: of how many songs and outputs the weights were there before; those learn slower, by ``learning_rate_scale``.
    """

    def __init__(
        self,
        sessions: Sessions,
        rows: Array,
        weights: Weights,
        settings: Word2VecSettings,
        song_weights: Array,
        *,
        old: tuple[int, int] = (0, 0),
        learning_rate_scale: float = 1.0,
    ) -> None:
        super().__init__(sessions, rows, settings)
        self.weights = weights
        self._workers = settings.workers or os.cpu_count() or 1
        self._log = Log(*map(_read_only, (sessions.songs, sessions.offsets, rows, _keep(sessions, rows, weights, settings), song_weights)))
        window = WHOLE_SESSION if settings.window == "session" else int(settings.window)
        most = 1 + settings.n_negatives if weights.tree is None else weights.tree.depth
        self._plan = KernelOptions(window, bool(settings.dynamic_window), settings.n_negatives, most, *old, np.float32(learning_rate_scale))
        self._own: SimpleQueue[int] = SimpleQueue()  # where the rows of outputs begin that one thread has for itself
        for worker in range(self._workers):
            self._own.put(len(weights.outputs) + 2 * HELD * worker)
        self._model = _model(weights, settings, 2 * HELD * self._workers)
        self._kernel = make_kernel(weights.inputs.shape[1], settings.algorithm == "skip-gram", weights.tree is not None)
        chunk = min(CHUNK, -(-sessions.plays // (8 * self._workers)))
        self._bounds = np.unique([*np.searchsorted(sessions.offsets, np.arange(0, sessions.plays, chunk)), len(sessions)]).tolist()
        # on no session at all: the kernel is compiled, or read from disk where it was compiled before
        self._kernel(self._log, self._model, self._plan, 0, 0, 0, 0.0, 0.0, np.uint64(1))

    def begin(self, epoch: int) -> int:
        self._epoch = epoch
        return -(-(len(self._bounds) - 1) // ROUND)

    def run(self, block: int) -> tuple[float, int]:
        chunks = list(enumerate(pairwise(self._bounds)))[block * ROUND : (block + 1) * ROUND]
        train = partial(self._chunk, self._epoch + 1)
        if self._workers == 1:
            for chunk in chunks:
                train(chunk)
        else:
            with ThreadPoolExecutor(self._workers) as pool:
                list(pool.map(train, chunks))
        return 0.0, int(self._log.offsets[chunks[-1][1][1]] - self._log.offsets[chunks[0][1][0]])

    def _chunk(self, epoch: int, chunk: tuple[int, tuple[int, int]]) -> None:
        number, (first, last) = chunk
        state = generator(self._settings.seed, f"word2vec {epoch} {number}").integers(1, 2**63, dtype=np.uint64)
        own = self._own.get()
        self._kernel(self._log, self._model, self._plan, own, first, last, self._rate(epoch, first), self._rate(epoch, last), state)
        self._own.put(own)

    def _rate(self, epoch: int, session: int) -> float:
        """The learning rate when so many sessions of an epoch, numbered from 1, are done."""
        start, end = self._settings.learning_rate, self._settings.min_learning_rate
        done = epoch - 1 + int(self._log.offsets[session]) / max(1, len(self._log.songs))
        return float(start + (end - start) * done / self._settings.epochs)


def _model(weights: Weights, settings: Word2VecSettings, more: int) -> Model:
    """What the kernel is given; with a tree, outputs are moved to where so many more rows lie behind them."""
    tree = weights.tree
    if tree is None:
        none = np.empty(0, np.int32)
        aliases = alias_table(weights.plays.astype(float) ** settings.negative_exponent)
        return Model(weights.inputs, weights.outputs, aliases, none, none)
    outputs = aligned(len(weights.outputs) + more, weights.size)
    outputs[: len(weights.outputs)] = weights.outputs
    weights.outputs = outputs[: len(weights.outputs)]
    return Model(weights.inputs, outputs, np.empty((0, 2), np.uint32), tree.songs, tree.nodes)


def _keep(sessions: Sessions, rows: Array, weights: Weights, settings: Word2VecSettings) -> Array:
    """(rows,) float32: the chance that a play is kept, as word2vec.c has it: (sqrt(p / t) + 1) t / p for a song of share p."""
    if settings.subsample == 0:
        return np.ones(len(weights.plays), np.float32)
    counts, shares = count_plays(sessions), np.zeros(len(weights.plays))
    shares[rows[counts > 0]] = counts[counts > 0] / sessions.plays
    with np.errstate(divide="ignore"):
        ratio = settings.subsample / shares
    return np.minimum(np.sqrt(ratio) + ratio, 1).astype(np.float32)


def _read_only(array: Array) -> Array:
    """The array itself, of which numba knows one kind only: writable or not, on disk or not, it is compiled for once."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
