"""HRNN: a network over sessions, started by a network over listeners (Quadrana et al. 2017, arXiv:1706.04148)."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.config import Choice, IntRange, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator
from song2vec.models.networks.recurrent.live import CarriedSession
from song2vec.models.networks.recurrent.model import SampledRecurrentModel
from song2vec.models.networks.recurrent.network import GRULayer, RecurrentNetwork, States
from song2vec.nn.batching import NEW_LISTENER, NEW_SESSION, BatchPlan, listener_parallel
from song2vec.nn.losses import LossName
from song2vec.nn.module import SongNetwork, glorot
from song2vec.nn.trainer import Scores
from song2vec.sessions import Sessions


class ListenerNetwork(RecurrentNetwork):
    """A GRU over the songs of a session, and a GRU over the sessions of a listener, whose state is the last of the states.

    Args:
        listener_hidden: units of the network over sessions.
        everywhere: the listener's state is an input of every step, too.
    """

    def __init__(self, songs: int, hidden: int, listener_hidden: int, *, everywhere: bool) -> None:
        super().__init__(songs, hidden, input="constrained", size=hidden)
        self.listener = GRULayer(hidden, listener_hidden)
        self.initial = nn.Linear(listener_hidden, hidden)
        self.everywhere = nn.Linear(listener_hidden, GRULayer.gates * hidden, bias=False) if everywhere else None
        nn.init.zeros_(self.initial.bias)
        self.widths.append(listener_hidden)

    def draw(self, random: np.random.Generator) -> None:
        super().draw(random)
        self.listener.draw(random)
        glorot(self.initial.weight, random)
        if self.everywhere is not None:
            glorot(self.everywhere.weight, random, rows=GRULayer.gates)

    def first_state(self, listener: Tensor) -> Tensor:
        """tanh(W_init c + b), what a session of this listener begins with."""
        return torch.tanh(self.initial(listener))

    def after_session(self, final: Tensor, listener: Tensor) -> Tensor:
        """c_m = GRU(s_m, c_(m-1)): the state of a listener after a session that ended with the state s_m."""
        after: Tensor = self.listener(final, listener)
        return after

    def begun(self, states: States, starts: Tensor) -> States:
        session, listener = states
        starts = starts[:, None]
        listener = torch.where(starts == NEW_SESSION, self.after_session(session, listener), listener)
        session = torch.where(starts == NEW_SESSION, self.first_state(listener), session)
        known = starts != NEW_LISTENER
        return [session * known, listener * known]

    def step(self, x: Tensor, states: States, masks: Tensor | None = None, shift: Tensor | None = None) -> tuple[Tensor, States]:
        *sessions, listener = states
        shift = None if self.everywhere is None else self.everywhere(listener)
        output, after = super().step(x, sessions, masks, shift)
        return output, [*after, listener]

    @torch.inference_mode()
    def listener_states(self, sessions: Sessions) -> Tensor:
        """(listeners, listener_hidden) the state of each listener after all their sessions of two plays and more; zero without any."""
        start = np.zeros(len(sessions), np.int8) if sessions.start is None else sessions.start
        order = np.lexsort((start, sessions.listener))
        order = order[sessions.lengths[order] > 1]
        listener = sessions.listener[order]
        number = np.arange(len(order)) - np.searchsorted(listener, listener)  # the first session of each listener, the second, ...
        _, states = self.blank_states(len(sessions.listeners))
        for each in range(int(number.max(initial=-1)) + 1):
            now = np.sort(order[number == each])
            who = torch.from_numpy(sessions.listener[now].astype(np.int64)).to(self.device)
            before = states[who]
            first = self.first_state(before) if each else self.blank_states(len(now))[0]
            final = self.walk(sessions, sessions.offsets[now + 1] - 2, [first, before])
            states[who] = self.after_session(final, before)
        return states


class HRNN(SampledRecurrentModel):
    """A GRU over the songs of a session, and a GRU over the sessions of a listener: c_m = GRU(s_m, c_(m-1)).

    A session begins with tanh(W_init c + b); that of a listener without sessions in training begins with zero. s_m is the state
    after the last play that had a next one, in training and in use alike. After ``fit`` each listener's state is that after
    all their training sessions.

    Attributes:
        listener_states_: (listeners, listener_hidden) float32.
        listeners_: their ids.
    """

    name = "hrnn"
    listener_hidden: int = setting(
        IntRange(1), default=100, tune=IntRange(64, 512, log=True), help="units of the network over the sessions of a listener"
    )
    variant: Literal["init", "all"] = setting(
        Choice(("init", "all")),
        default="init",
        tune=Choice(("init", "all")),
        help='"init", a session begins with what is known of its listener; "all", and this is an input of every step too',
    )
    loss: LossName = setting(
        Choice(get_args(LossName)),
        default="cross-entropy",
        tune=Choice(("cross-entropy", "top1", "bpr-max")),
        help="that ranks the next song",
    )
    batch_size: int = setting(IntRange(1), default=64, help="listeners side by side, each with one session after the other")
    network_: ListenerNetwork = learned(saved=False)
    listener_states_: Array = learned()
    listeners_: pl.Series = learned()

    def session(self, listener: SongId | None = None) -> ListenerSession:
        """A session of this listener that goes on; when it is over, ``finish`` it. Raises ArgumentError before ``fit``."""
        self._fitted()
        return ListenerSession(self, listener)

    def knows(self, listener: SongId | None) -> bool:
        self._fitted()
        like_ours = listener is not None and isinstance(listener, str) == (self.listeners_.dtype == pl.String)
        return like_ours and self.listeners_.index_of(listener) is not None

    def with_history(self, sessions: Sessions) -> Self:
        """This model for somebody who played these sessions before: those of nobody begin with the state that they lead to."""
        self._fitted()
        if not (sessions.lengths > 1).any():
            return self
        return self._starting(self.network_.listener_states(sessions)[0].cpu().numpy())

    def remember(self, listener: SongId, state: Array) -> None:
        """Keep (listener_hidden,) as the state of a listener, old or new."""
        place = self.listeners_.index_of(listener)
        states = self.listener_states_.copy()
        if place is None:
            new = pl.Series("listener", [listener], dtype=self.listeners_.dtype)
            self.listeners_, states = pl.concat([self.listeners_, new]), np.append(states, state[None], axis=0)
        else:
            states[place] = state
        self.listener_states_ = states

    def _validate(self, network: SongNetwork, sessions: Sessions, queries: tuple[Sessions, Array]) -> Scores:
        self._warm_up(network, sessions)
        return super()._validate(network, sessions, queries)

    def _fit(self, sessions: Sessions, *args: Any, **kwargs: Any) -> None:
        super()._fit(sessions, *args, **kwargs)
        self._warm_up(self.network_, sessions)

    def _warm_up(self, network: Any, sessions: Sessions) -> None:
        self.listener_states_, self.listeners_ = network.listener_states(sessions).cpu().numpy(), sessions.listeners

    def _network(self, songs: int, size: int | None) -> ListenerNetwork:
        return ListenerNetwork(songs, self.hidden, self.listener_hidden, everywhere=self.variant == "all")

    def _plan(self, sessions: Sessions, epoch: int) -> BatchPlan:
        order = generator(self.seed, f"order {epoch}").permutation(len(sessions.listeners))
        return listener_parallel(sessions, order, self.batch_size)

    @torch.inference_mode()
    def _first_states(self, listeners: list[SongId | None]) -> States:
        """What sessions of these listeners begin with: zeros for those without sessions in training."""
        row_of = {listener: row for row, listener in enumerate(self.listeners_.to_list())}
        rows = np.array([row_of.get(listener, -1) for listener in listeners], np.int64)
        kept = self.listener_states_[np.maximum(rows, 0)] * (rows >= 0)[:, None]
        if len(self.start_):  # the state of whoever nobody is
            kept[[listener is None for listener in listeners]] = self.start_
        state = torch.from_numpy(kept.astype(np.float32)).to(self.network_.device)
        return [self.network_.first_state(state) * (state != 0).any(1, keepdim=True), state]


class ListenerSession(CarriedSession):
    """A live session of a listener, who is remembered: what ``finish`` adds, the next session begins with."""

    _model: HRNN
    network: ListenerNetwork

    @torch.inference_mode()
    def finish(self) -> Self:
        """The session is over: the listener's state moves on by it, if it has two plays. Raises ArgumentError for nobody's session."""
        if self.listener is None:
            raise ArgumentError("listener=None: nobody's session leaves nothing behind; session(listener=...) is needed")
        if self.earlier is not None:
            moved = self.network.after_session(self.earlier, self.states[-1])
            self._model.remember(self.listener, moved[0].cpu().numpy())
        return self
