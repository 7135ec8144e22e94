"""The network over users of HRNN: what a session leaves behind, and what the next one begins with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from song2vec.models.networks.rnn.batches import NEW_SESSION, NEW_USER, Plan
from song2vec.models.networks.rnn.cells import gru
from song2vec.models.networks.rnn.network import Network, States
from song2vec.models.networks.rnn.task import Recipe, Task
from song2vec.models.networks.rnn.walk import outputs
from song2vec.sessions import Sessions


def extra(hidden: int, units: int, everywhere: bool) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Names and shapes of the weights of the network over users, and of what ties it to that over songs."""
    weights = [("Wuser", (3 * units, hidden)), ("Uuser", (3 * units, units)), ("auser", (3 * units,)), ("buser", (3 * units,))]
    weights += [("Winit", (hidden, units)), ("ainit", (hidden,))]
    return (*weights, ("Wall", (3 * hidden, units))) if everywhere else tuple(weights)


def after_session(network: Network, final: Tensor, user: Tensor) -> Tensor:
    """c_m = GRU_usr(s_m, c_(m-1))."""
    dense = network.dense
    return gru(torch.addmm(dense["auser"], final, dense["Wuser"].T), user, dense["Uuser"], dense["buser"])


def first_state(network: Network, user: Tensor) -> Tensor:
    """tanh(W_init c + b), what a session of this user begins with."""
    return torch.tanh(torch.addmm(network.dense["ainit"], user, network.dense["Winit"].T))


def shift(network: Network, user: Tensor) -> Tensor | None:
    """What a user adds to the gated inputs of each step; None when users tell the first state only."""
    return user @ network.dense["Wall"].T if "Wall" in network.dense else None


class UserTask(Task):
    """As ``Task``, with the state of a slot's user beside that of its session."""

    def __init__(self, network: Network, recipe: Recipe, sessions: Sessions, plan: Callable[[int], Plan]) -> None:
        super().__init__(network, recipe, sessions, plan)
        self._units = network.dense["Winit"].shape[1]

    def carry(self, begin: int, stop: int, moved: bool) -> States:
        if not len(self.states[0]):
            return [*self.network.zero_states(stop - begin), torch.zeros((stop - begin, self._units), device=self.device)]
        carried, starts = self._carried[begin:stop], self._starts[begin:stop, None]
        session, user = (state.index_select(0, carried) for state in self.states)
        new = starts == NEW_SESSION
        user = torch.where(new, after_session(self.network, session, user), user)
        session = torch.where(new, first_state(self.network, user), session)
        known = starts != NEW_USER
        return [session * known, user * known]

    def advance(self, x: Tensor, states: States, masks: Tensor | None) -> tuple[Tensor, States]:
        session, user = states
        output, after = self.network.step(x, [session], masks, shift(self.network, user))
        return output, [*after, user]


@torch.inference_mode()
def warmed(network: Network, sessions: Sessions, units: int) -> Tensor:
    """(listeners, units) the state of each listener after all their sessions of two plays and more; zero without any."""
    start = np.zeros(len(sessions), np.int8) if sessions.start is None else sessions.start
    order = np.lexsort((start, sessions.listener))
    order = order[sessions.lengths[order] > 1]
    listener = sessions.listener[order]
    turn = np.arange(len(order)) - np.searchsorted(listener, listener)  # the first session of each listener, the second, ...
    users = torch.zeros((len(sessions.listeners), units), device=network.device)
    for number in range(int(turn.max(initial=-1)) + 1):
        now = np.sort(order[turn == number])
        who = torch.from_numpy(sessions.listener[now].astype(np.int64)).to(network.device)
        before = users[who]
        begin = first_state(network, before) if number else network.zero_states(len(now))[0]
        final = outputs(network, sessions, sessions.offsets[now + 1] - 2, [begin], shift(network, before))
        users[who] = after_session(network, final, before)
    return users
