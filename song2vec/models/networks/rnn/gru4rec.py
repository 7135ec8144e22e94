"""GRU4Rec (Hidasi et al. 2016, arXiv:1511.06939; Hidasi and Karatzoglou 2018, arXiv:1706.03847)."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.settings import Choice, Real, Space, Whole, check_choice, check_real, check_whole
from song2vec.models.networks.rnn.cells import CELLS, CellName
from song2vec.models.networks.rnn.dwell import DwellUnit, sliced_by_dwell
from song2vec.models.networks.rnn.losses import LossName
from song2vec.models.networks.rnn.negatives import Negatives
from song2vec.models.networks.rnn.network import InputName, Shape
from song2vec.models.networks.rnn.recurrent import RecurrentModel
from song2vec.models.networks.rnn.task import Recipe
from song2vec.sessions import Sessions


class GRU4Rec(RecurrentModel):
    """A recurrent network over sessions side by side, trained by ranking the next song before sampled others.

    The defaults did best of those tried on sessions held out of the training part of nowplaying.

    Args:
        cell: "gru", "lstm" or "rnn" (tanh).
        hidden: units of each layer.
        layers: how many layers.
        input: "constrained", the output table is the input table too; "embedding", a table of its own; "one-hot", rows that
            feed the gates directly; "vectors", a table that begins as the song vectors given to ``fit``.
        size: numbers in a song's input vector, for "embedding"; None for ``hidden``.
        frozen: song vectors stay as they were given.
        loss: "cross-entropy", "bpr", "bpr-max", "top1" or "top1-max".
        n_sample: additional negatives a step, shared by the batch; 0 for the other targets of the batch alone.
        sample_alpha: negatives are drawn in proportion to plays**alpha: 0 all alike, 1 by popularity.
        logq: strength of the correction of cross-entropy, and of no other loss, for how often songs are drawn; 0 to 1.
        bpreg: weight of the score regularisation of bpr-max.
        elu_param: of the ELU on scores in bpr-max; 0 for none.
        epochs: passes over the sessions.
        batch_size: sessions side by side.
        bptt: steps that gradients go back through time; 1 for none, as published.
        learning_rate, momentum: of Adagrad.
        dropout_input, dropout_hidden: share of the input vector, and of each layer's output, dropped in training.
        dwell_slice: each play is learned from once, and once more for every so much that it lasted; None for once.
        dwell_unit: of ``dwell_slice``: "seconds", or "ratio" of the song's median dwell (``sliced_by_dwell``).
        shuffle: sessions in an order drawn anew each epoch; else as they began, or as they are in the log.
        patience: stop when recall@20 on the validation sessions has not risen for so many epochs.
        precision: "float32", or "bfloat16" for the products with the output table, which are most of the work; for a GPU.
        device: "cpu", "cuda", or another that torch has.
        workers: threads; None for as many as torch takes. The same seed gives the same bytes with one worker only.
        seed: of all randomness.
        progress: show a progress bar; None shows it on a terminal.
    """

    name = "gru4rec"
    space: ClassVar[Space] = {
        "hidden": Whole(64, 512, log=True),
        "loss": Choice(("cross-entropy", "bpr-max")),
        "batch_size": Whole(32, 256, log=True),
        "learning_rate": Real(0.01, 0.25, log=True),
        "momentum": Real(0.0, 0.9),
        "dropout_input": Real(0.0, 0.5),
        "dropout_hidden": Real(0.0, 0.7),
        "sample_alpha": Real(0.0, 1.0),
        "logq": Real(0.0, 1.0),
        "bpreg": Real(0.0, 2.0),
        "elu_param": Real(0.0, 1.0),
    }

    def __init__(
        self,
        *,
        cell: CellName = "gru",
        hidden: int = 128,
        layers: int = 1,
        input: InputName = "constrained",
        size: int | None = None,
        frozen: bool = False,
        loss: LossName = "cross-entropy",
        n_sample: int = 2048,
        sample_alpha: float = 0.5,
        logq: float = 0.5,
        bpreg: float = 1.0,
        elu_param: float = 0.5,
        epochs: int = 10,
        batch_size: int = 64,
        bptt: int = 1,
        learning_rate: float = 0.1,
        momentum: float = 0.0,
        dropout_input: float = 0.4,
        dropout_hidden: float = 0.0,
        dwell_slice: float | None = None,
        dwell_unit: DwellUnit = "seconds",
        shuffle: bool = True,
        patience: int | None = None,
        precision: Literal["float32", "bfloat16"] = "float32",
        device: str = "cpu",
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.cell = cell
        self.hidden = hidden
        self.layers = layers
        self.input = input
        self.size = size
        self.frozen = frozen
        self.loss = loss
        self.n_sample = n_sample
        self.sample_alpha = sample_alpha
        self.logq = logq
        self.bpreg = bpreg
        self.elu_param = elu_param
        self.epochs = epochs
        self.batch_size = batch_size
        self.bptt = bptt
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.dropout_input = dropout_input
        self.dropout_hidden = dropout_hidden
        self.dwell_slice = dwell_slice
        self.dwell_unit = dwell_unit
        self.shuffle = shuffle
        self.patience = patience
        self.precision = precision
        self.device = device
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def _shape(self, songs: int, size: int | None) -> Shape:
        return Shape(songs, CELLS[self.cell], self.hidden, self.layers, self.input, size or self.size or self.hidden)

    def _recipe(self, sessions: Sessions) -> Recipe:
        support = np.bincount(sessions.songs, minlength=len(sessions.catalogue))
        return Recipe(
            loss_name=self.loss,
            bpreg=self.bpreg,
            elu=self.elu_param,
            negatives=Negatives(support, self.sample_alpha, self.n_sample, self.seed),
            batch_size=self.batch_size,
            bptt=self.bptt,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            dropout_input=self.dropout_input,
            dropout_hidden=self.dropout_hidden,
            logq=self.logq if self.loss == "cross-entropy" else 0.0,
            frozen=self.frozen,
            half=self.precision == "bfloat16",
            seed=self.seed,
        )

    def _training_sessions(self, sessions: Sessions) -> Sessions:
        return sessions if self.dwell_slice is None else sliced_by_dwell(sessions, self.dwell_slice, self.dwell_unit)

    def _order(self, sessions: Sessions, epoch: int) -> Array:
        if self.shuffle:
            return super()._order(sessions, epoch)
        return np.arange(len(sessions)) if sessions.start is None else np.argsort(sessions.start, kind="stable")

    def _check(self) -> None:
        check_choice(self, "cell", tuple(CELLS))
        check_choice(self, "input", get_args(InputName))
        check_choice(self, "loss", get_args(LossName))
        check_choice(self, "dwell_unit", get_args(DwellUnit))
        if self.dwell_slice is not None:
            check_real(self, "dwell_slice", 0, above=True)
        check_choice(self, "precision", ("float32", "bfloat16"))
        for name in ("hidden", "layers", "bptt"):
            check_whole(self, name, 1)
        check_whole(self, "size", 1, none=True)
        check_whole(self, "n_sample", 0)
        for name in ("sample_alpha", "bpreg", "elu_param"):
            check_real(self, name, 0)
        check_real(self, "learning_rate", 0, above=True)
        for name in ("logq", "momentum", "dropout_input", "dropout_hidden"):
            check_real(self, name, 0, 1 if name == "logq" else 0.99)
        for name in ("frozen", "shuffle"):
            check_choice(self, name, (True, False))
        if self.size is not None and self.input != "embedding":
            raise ArgumentError(f"size={self.size!r}: belongs to input='embedding'; None is allowed with {self.input!r}")
        if self.frozen and self.input != "vectors":
            raise ArgumentError(f"frozen={self.frozen!r}: belongs to input='vectors'; False is allowed with {self.input!r}")
