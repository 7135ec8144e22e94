"""HRNN: a network over sessions, started by a network over users (Quadrana et al. 2017, arXiv:1706.04148)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, get_args

import numpy as np
import polars as pl
import torch
from torch import Tensor

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array, pack_ids, unpack_ids
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator
from song2vec.core.settings import Choice, Real, Space, Whole, check_choice, check_real, check_whole
from song2vec.models.networks.rnn import users
from song2vec.models.networks.rnn.batches import Plan, user_parallel
from song2vec.models.networks.rnn.cells import CELLS
from song2vec.models.networks.rnn.live import CarriedSession
from song2vec.models.networks.rnn.losses import LossName
from song2vec.models.networks.rnn.negatives import Negatives
from song2vec.models.networks.rnn.network import Network, Shape
from song2vec.models.networks.rnn.recurrent import RecurrentModel
from song2vec.models.networks.rnn.task import Recipe
from song2vec.models.networks.rnn.walk import outputs
from song2vec.nn.trainer import Scores
from song2vec.sessions import Sessions


class HRNN(RecurrentModel):
    """A GRU over the songs of a session, and a GRU over the sessions of a listener: c_m = GRU_usr(s_m, c_(m-1)).

    A session begins with tanh(W_init c + b); that of a listener without sessions in training begins with zero. s_m is the state
    after the last play that had a next one, in training and in use alike. After ``fit`` each listener's state is that after
    all their training sessions.

    Args:
        hidden, user_hidden: units of the network over songs, and over sessions.
        variant: "init", the user tells the first state of a session; "all", and is an input of every step too.
        loss, n_sample, sample_alpha, bpreg, elu_param: as of GRU4Rec.
        epochs: passes over the sessions.
        batch_size: listeners side by side, each with one session after the other.
        bptt: steps that gradients go back through time; 1 for none, as published.
        learning_rate, momentum: of Adagrad.
        dropout_input, dropout_hidden: share of the input vector, and of the output, dropped in training.
        patience: stop when recall@20 on the validation sessions has not risen for so many epochs.
        device: "cpu", "cuda", or another that torch has.
        workers: threads; None for as many as torch takes. The same seed gives the same bytes with one worker only.
        seed: of all randomness.
        progress: show a progress bar; None shows it on a terminal.

    Attributes:
        users_: (listeners, user_hidden) float32, the listeners' states.
        listeners_: their ids.
    """

    name = "hrnn"
    users_: Tensor
    listeners_: pl.Series
    space: ClassVar[Space] = {
        "hidden": Whole(64, 512, log=True),
        "user_hidden": Whole(64, 512, log=True),
        "variant": Choice(("init", "all")),
        "loss": Choice(("cross-entropy", "top1", "bpr-max")),
        "learning_rate": Real(0.01, 0.25, log=True),
        "momentum": Real(0.0, 0.9),
        "dropout_input": Real(0.0, 0.5),
        "dropout_hidden": Real(0.0, 0.5),
    }

    def __init__(
        self,
        *,
        hidden: int = 100,
        user_hidden: int = 100,
        variant: Literal["init", "all"] = "init",
        loss: LossName = "cross-entropy",
        n_sample: int = 2048,
        sample_alpha: float = 0.5,
        bpreg: float = 1.0,
        elu_param: float = 0.5,
        epochs: int = 10,
        batch_size: int = 64,
        bptt: int = 1,
        learning_rate: float = 0.05,
        momentum: float = 0.0,
        dropout_input: float = 0.0,
        dropout_hidden: float = 0.0,
        patience: int | None = None,
        device: str = "cpu",
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.hidden = hidden
        self.user_hidden = user_hidden
        self.variant = variant
        self.loss = loss
        self.n_sample = n_sample
        self.sample_alpha = sample_alpha
        self.bpreg = bpreg
        self.elu_param = elu_param
        self.epochs = epochs
        self.batch_size = batch_size
        self.bptt = bptt
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.dropout_input = dropout_input
        self.dropout_hidden = dropout_hidden
        self.patience = patience
        self.device = device
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def session(self, listener: SongId | None = None) -> UserSession:
        """A session of this listener that goes on; when it is over, ``finish`` it. Raises ArgumentError before ``fit``."""
        self._fitted()
        return UserSession(self, listener)

    def remember(self, listener: SongId, user: Tensor) -> None:
        """Keep (1, user_hidden) as the state of a listener, old or new."""
        place = self.listeners_.index_of(listener)
        if place is None:
            new = pl.Series("listener", [listener], dtype=self.listeners_.dtype)
            self.listeners_, self.users_ = pl.concat([self.listeners_, new]), torch.cat([self.users_, user])
        else:
            self.users_ = self.users_.clone()
            self.users_[place] = user[0]

    def _validate(self, network: Network, sessions: Sessions, queries: tuple[Sessions, Array]) -> Scores:
        self.users_, self.listeners_ = users.warmed(network, sessions, self.user_hidden), sessions.listeners
        return super()._validate(network, sessions, queries)

    def _fit(self, sessions: Sessions) -> None:
        super()._fit(sessions)
        self.users_, self.listeners_ = users.warmed(self.network_, sessions, self.user_hidden), sessions.listeners

    def _shape(self, songs: int, size: int | None) -> Shape:
        extra = users.extra(self.hidden, self.user_hidden, self.variant == "all")
        return Shape(songs, CELLS["gru"], self.hidden, 1, "constrained", self.hidden, extra)

    def _recipe(self, sessions: Sessions) -> Recipe:
        support = np.bincount(sessions.songs, minlength=len(sessions.catalogue))
        return Recipe(
            loss_name=self.loss,
            negatives=Negatives(support, self.sample_alpha, self.n_sample, self.seed),
            batch_size=self.batch_size,
            bptt=self.bptt,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            dropout_input=self.dropout_input,
            dropout_hidden=self.dropout_hidden,
            bpreg=self.bpreg,
            elu=self.elu_param,
            seed=self.seed,
        )

    def _new_task(self, network: Network, recipe: Recipe, sessions: Sessions) -> users.UserTask:
        return users.UserTask(network, recipe, sessions, lambda epoch: self._plan(sessions, epoch))

    def _plan(self, sessions: Sessions, epoch: int, lane: int = 0, lanes: int = 1) -> Plan:
        order = generator(self.seed, f"order {epoch}").permutation(len(sessions.listeners))
        return user_parallel(sessions, order, self.batch_size)

    def _outputs(self, sessions: Sessions, plays: Array) -> Tensor:
        which = np.unique(np.searchsorted(sessions.offsets, plays, side="right") - 1)
        state, user = self._begin(sessions.listeners.gather(sessions.listener[which]).to_list())
        return outputs(self.network_, sessions, plays, [state], users.shift(self.network_, user))

    @torch.inference_mode()
    def _begin(self, listeners: list[SongId | None]) -> tuple[Tensor, Tensor]:
        """What sessions of these listeners begin with, and the listeners' states: zero for those without sessions in training."""
        row_of = {listener: row for row, listener in enumerate(self.listeners_.to_list())}
        rows = torch.tensor([row_of.get(listener, -1) for listener in listeners]).to(self.network_.device)
        user = self.users_[rows.clamp(min=0)] * (rows >= 0)[:, None]
        known = (user != 0).any(1, keepdim=True)
        return users.first_state(self.network_, user) * known, user

    def _arrays(self) -> dict[str, Array]:
        listeners = {f"listener_{name}_": array for name, array in pack_ids(self.listeners_).items()}
        return super()._arrays() | {"users_": self.users_.cpu().numpy()} | listeners

    def _restore_arrays(self, arrays: dict[str, Array]) -> None:
        packed = {name[9:-1]: arrays.pop(name) for name in list(arrays) if name.startswith("listener_")}
        self.listeners_ = unpack_ids("listener", packed)
        found = torch.from_numpy(np.array(arrays.pop("users_")))
        super()._restore_arrays(arrays)
        self.users_ = found.to(self.network_.device)

    def _check(self) -> None:
        check_choice(self, "variant", ("init", "all"))
        check_choice(self, "loss", get_args(LossName))
        for name in ("hidden", "user_hidden", "bptt"):
            check_whole(self, name, 1)
        check_whole(self, "n_sample", 0)
        for name in ("sample_alpha", "bpreg", "elu_param"):
            check_real(self, name, 0)
        check_real(self, "learning_rate", 0, above=True)
        for name in ("momentum", "dropout_input", "dropout_hidden"):
            check_real(self, name, 0, 0.99)


class UserSession(CarriedSession):
    """A live session of a listener, who is remembered: what ``finish`` adds, the next session begins with."""

    def __init__(self, model: HRNN, listener: SongId | None = None) -> None:
        state, self.user = model._begin([listener])
        super().__init__(model, listener, [state])
        self.shift = users.shift(model.network_, self.user)
        self._hrnn = model

    @torch.inference_mode()
    def finish(self) -> Self:
        """The session is over: the listener's state moves on by it, if it has two plays. Raises ArgumentError for nobody's session."""
        if self.listener is None:
            raise ArgumentError("listener=None: nobody's session leaves nothing behind; session(listener=...) is needed")
        if self.earlier is not None:
            moved = users.after_session(self.network, self.earlier, self.user)
            self._hrnn.remember(self.listener, moved)
        return self
