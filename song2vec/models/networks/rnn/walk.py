"""The states of a trained network along sessions: many sessions side by side, each play fed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array
from song2vec.models.networks.rnn.network import Network, States, with_ones
from song2vec.models.networks.rnn.ranking import Ranker
from song2vec.nn.trainer import Scores
from song2vec.sessions import Sessions

GROUP = 65_536  # plays whose outputs are held at once: 26 MB of 100 numbers
CUT_OFF = 20


@torch.inference_mode()
def outputs(network: Network, sessions: Sessions, plays: Array, start: States | None = None, shift: Tensor | None = None) -> Tensor:
    """(n, hidden) what the network puts out after each of n different plays, in ascending order.

    Args:
        start: states that the sessions of the plays begin with, in order of the sessions; zero without it.
        shift: (sessions, gates), what is added to the gated inputs of each; nothing without it.
    """
    session = np.searchsorted(sessions.offsets, plays, side="right") - 1
    which, last = np.unique(session, return_index=False), np.append(np.flatnonzero(np.diff(session)), len(session) - 1)
    begin = sessions.offsets[which]
    lengths = plays[last] + 1 - begin
    order = np.argsort(-lengths, kind="stable")  # the longest first: who ends drops out at the bottom
    begin, lengths = begin[order], lengths[order]
    chosen = torch.from_numpy(order).to(network.device)
    states = network.zero_states(len(order)) if start is None else [state[chosen] for state in start]
    added = None if shift is None else shift[chosen]
    found = torch.empty((len(plays), network.shape.hidden), device=network.device)
    for step in range(int(lengths.max(initial=0))):
        live = int(np.searchsorted(-lengths, -step, side="left"))
        now = begin[:live] + step
        songs = torch.from_numpy(sessions.songs[now].astype(np.int64)).to(network.device)
        out, states = network.step(
            network.inputs.index_select(0, songs), [state[:live] for state in states], shift=None if added is None else added[:live]
        )
        place = np.minimum(np.searchsorted(plays, now), len(plays) - 1)
        asked = np.flatnonzero(plays[place] == now)
        found[torch.from_numpy(place[asked])] = out[torch.from_numpy(asked)]
    return found


def groups(sessions: Sessions, plays: Array) -> Iterator[Array]:
    """Ascending plays in groups of whole sessions, not much larger than ``GROUP``."""
    first = 0
    while first < len(plays):
        last = min(first + GROUP, len(plays)) - 1
        end = sessions.offsets[np.searchsorted(sessions.offsets, plays[last], side="right")]
        stop = int(np.searchsorted(plays, end))
        yield plays[first:stop]
        first = stop


@torch.inference_mode()
def validation(network: Network, sessions: Sessions, queries: Array, feed: Callable[[Sessions, Array], Tensor]) -> Scores:
    """Recall@20 and MRR@20 of the play after each query; a song that scores as high as the target counts as ahead of it.

    ``feed`` gives the outputs after plays, as :func:`outputs`.
    """
    hits, reciprocal, ranker = 0, 0.0, Ranker(network.scored())
    for group in groups(sessions, queries):
        targets = torch.from_numpy(sessions.songs[group + 1].astype(np.int64)).to(network.device)
        ranks = ranker.ranks(with_ones(feed(sessions, group)), targets, CUT_OFF)
        found = ranks[(ranks > 0) & (ranks <= CUT_OFF)].double()
        hits, reciprocal = hits + len(found), reciprocal + float((1 / found).sum())
    return {"recall@20": hits / max(1, len(queries)), "mrr@20": reciprocal / max(1, len(queries))}
