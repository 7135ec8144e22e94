"""Live sessions that carry the state of the network: a play costs one step, however long the session is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import polars as pl
import torch

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.models.base import BLOCK_BYTES
from song2vec.models.live import LiveSession, SessionState
from song2vec.models.networks.recurrent.network import RecurrentNetwork, States
from song2vec.models.songs import best_songs


class CarriedSession(LiveSession):
    """One listening session as it goes on.

    Args:
        model: a fitted recurrent model.

    Attributes:
        songs: what was played so far, in order.
    """

    def __init__(self, model: Any, listener: SongId | None = None) -> None:
        super().__init__(model, listener)
        self.catalogue: Catalogue = model.catalogue_
        self.network: RecurrentNetwork = model.network_
        self.states: States = model._first_states([listener])
        self.output: torch.Tensor | None = None
        self.index: Any = None  # an OutputIndex, asked instead of scoring every song
        self.earlier: torch.Tensor | None = None  # the output before the last play

    def listen(self, song: SongId) -> Self:
        """A song was played; returns self. Raises UnknownSongError for one that the model does not know."""
        listen_together([self], [song])
        return self

    @torch.inference_mode()
    def scores(self) -> Array:
        """(songs,) float32 scores of every song as the next, in row order. Raises UnknownSongError before the first song."""
        scores: Array = self.network.scores(self.last_output())[0].cpu().numpy()
        return scores

    def next(self, k: int = 10, *, exclude: Iterable[SongId] = ()) -> pl.DataFrame:
        """The k songs most likely to come next: the table of :meth:`NextSongModel.next`.

        Raises UnknownSongError before the first song, and ArgumentError for a k below 1.
        """
        return next_together([self], k, exclude=exclude)[0]

    def last_output(self) -> torch.Tensor:
        """(1, hidden) the output after the last song."""
        if self.output is None:
            raise UnknownSongError("songs: no song was played yet; at least one is needed")
        return self.output

    def state(self) -> SessionState:
        """What was played, and the states that it led to in this network."""
        state = super().state()
        outputs = {"output": self.output, "earlier": self.earlier, **{f"state_{layer}": state for layer, state in enumerate(self.states)}}
        state.arrays = {name: output.cpu().numpy() for name, output in outputs.items() if output is not None}
        state.details = {"network": self.network.fingerprint}
        return state

    def resume(self, state: SessionState) -> Self:
        """Go on from there: with its states, or, where they are of another network, by playing its songs anew."""
        if state.details.get("network") != self.network.fingerprint:
            return super().resume(state)
        songs = state.songs.to_list()
        self.catalogue.rows(songs)
        saved = {name: torch.from_numpy(array).to(self.network.device) for name, array in state.arrays.items()}
        self.states = [saved[f"state_{layer}"] for layer in range(len(self.network.widths))]
        self.songs, self.output, self.earlier = songs, saved.get("output"), saved.get("earlier")
        return self


@torch.inference_mode()
def listen_together(sessions: Sequence[CarriedSession], songs: Sequence[SongId]) -> None:
    """A song was played in each of several different sessions of one model: one step of the network for all of them.

    Raises UnknownSongError for a song that the model does not know, and ArgumentError for sessions of several models; then
    nothing was played in any.
    """
    if len(sessions) != len(songs):
        raise ArgumentError(f"songs: {len(songs)} for {len(sessions)} sessions; one a session is allowed")
    if not sessions:
        return
    network = _network_of(sessions)
    rows = torch.from_numpy(sessions[0].catalogue.rows(songs)).to(network.device)
    states = [torch.cat(layer) for layer in zip(*(session.states for session in sessions), strict=True)]
    output, states = network.step(network.embed(rows), states)
    for i, (session, song) in enumerate(zip(sessions, songs, strict=True)):
        session.earlier = session.output
        session.states, session.output = [state[i : i + 1] for state in states], output[i : i + 1]
        session.songs.append(song)


@torch.inference_mode()
def next_together(sessions: Sequence[CarriedSession], k: int = 10, *, exclude: Iterable[SongId] = ()) -> list[pl.DataFrame]:
    """The k songs most likely to come next in each of several different sessions of one model, as :meth:`CarriedSession.next`.

    Raises UnknownSongError where no song was played yet, and ArgumentError for a k below 1 and sessions of several models.
    """
    check_int("k", k)
    if not sessions:
        return []
    network, hidden = _network_of(sessions), list(exclude)
    outputs = torch.cat([session.last_output() for session in sessions])
    if sessions[0].index is not None:
        found: list[pl.DataFrame] = sessions[0].index.tables(outputs, k, hidden)
        return found
    catalogue = sessions[0].catalogue
    blocks = torch.split(outputs, max(1, BLOCK_BYTES // (4 * len(catalogue))))
    return [best_songs(catalogue, scores, k, hidden) for block in blocks for scores in network.scores(block).cpu().numpy()]


def _network_of(sessions: Sequence[CarriedSession]) -> RecurrentNetwork:
    """The network that all of these have. Raises ArgumentError where they have several, and where one comes twice."""
    first = sessions[0]
    alike = all(session.network is first.network and session.index is first.index for session in sessions)
    if not alike or len({id(session) for session in sessions}) < len(sessions):
        raise ArgumentError("sessions: different ones of one model are allowed")
    return first.network
