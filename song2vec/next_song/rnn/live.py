"""Live sessions that carry the state of the network: a play costs one step, however long the session is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import polars as pl
import torch

from song2vec.arrays import Array
from song2vec.catalogue import Catalogue, SongId
from song2vec.errors import ArgumentError, UnknownSongError
from song2vec.next_song.base import best_songs, check_k
from song2vec.next_song.live import LiveSession
from song2vec.next_song.rnn.network import Network, States
from song2vec.storage import Part, load_folder, save_folder, understood

KIND = "live session"


class CarriedSession(LiveSession):
    """One listening session as it goes on.

    Args:
        model: a fitted recurrent model.
        start: states to begin with, of one row; zero without them.

    Attributes:
        songs: what was heard so far, in order.
    """

    def __init__(self, model: Any, listener: SongId | None = None, start: States | None = None) -> None:
        super().__init__(model, listener)
        self.catalogue: Catalogue = model.catalogue_
        self.network: Network = model.network_
        self.states = self.network.zero_states(1) if start is None else start
        self.shift: torch.Tensor | None = None  # added to the gated inputs
        self.output: torch.Tensor | None = None
        self.earlier: torch.Tensor | None = None  # the output before the last play

    def listen(self, song: SongId) -> Self:
        """A song was heard; returns self. Raises UnknownSongError for one that the model does not know."""
        listen_together([self], [song])
        return self

    @torch.inference_mode()
    def scores(self) -> Array:
        """(songs,) float32 scores of every song as the next, in row order. Raises UnknownSongError before the first song."""
        scores: Array = self.network.scores(self._heard())[0].cpu().numpy()
        return scores

    def next(self, k: int = 10, *, exclude: Sequence[SongId] = ()) -> pl.DataFrame:
        """The k songs most likely to come next: the table of :meth:`NextSongModel.recommend`.

        Raises UnknownSongError before the first song, and ArgumentError for a k below 1.
        """
        check_k(k)
        return best_songs(self.catalogue, self.scores(), k, exclude)

    def _heard(self) -> torch.Tensor:
        """(1, hidden) the output after the last song."""
        if self.output is None:
            raise UnknownSongError("songs: no song was heard yet; at least one is needed")
        return self.output

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save where the session is, so that it goes on later: with the same model, :func:`load_session`."""
        arrays: dict[str, Array] = {"songs": self.catalogue.rows(self.songs)}
        arrays |= {f"state_{layer}": state.cpu().numpy() for layer, state in enumerate(self.states)}
        if self.output is not None:
            arrays["output"] = self.output.cpu().numpy()
        meta = {"catalogue": self.catalogue.fingerprint, "listener": self.listener}
        return save_folder(path, KIND, {"session": Part(meta=meta, arrays=arrays)})


def load_session(model: Any, path: str | os.PathLike[str]) -> CarriedSession:
    """A session that :meth:`CarriedSession.save` wrote. Raises ArgumentError when it is of a model of other songs."""
    part = load_folder(path, KIND)["session"]
    with understood(path):
        fingerprint = part.meta["catalogue"]
    if fingerprint != model.catalogue_.fingerprint:
        raise ArgumentError(f"{os.fspath(path)}: is a session over other songs than this model was fitted to")
    with understood(path):
        arrays, device = part.arrays, model.network_.device
        states = [torch.from_numpy(arrays[f"state_{layer}"]).to(device) for layer in range(model.network_.shape.layers)]
        session = CarriedSession(model, part.meta["listener"], states)
        session.songs = model.catalogue_.songs(arrays["songs"])
        session.output = torch.from_numpy(arrays["output"]).to(device) if "output" in arrays else None
    return session


@torch.inference_mode()
def listen_together(sessions: Sequence[CarriedSession], songs: Sequence[SongId]) -> None:
    """A song was heard in each of several different sessions of one model: one step of the network for all of them.

    Raises UnknownSongError for a song that the model does not know, and ArgumentError for sessions of several models; then
    nothing was heard in any.
    """
    if len(sessions) != len(songs):
        raise ArgumentError(f"songs: {len(songs)} for {len(sessions)} sessions; one a session is allowed")
    if not sessions:
        return
    network = sessions[0].network
    if any(session.network is not network for session in sessions) or len({id(session) for session in sessions}) < len(sessions):
        raise ArgumentError("sessions: different ones of one model are allowed")
    rows = torch.from_numpy(sessions[0].catalogue.rows(songs)).to(network.device)
    states = [torch.cat(layer) for layer in zip(*(session.states for session in sessions), strict=True)]
    shifts = [session.shift for session in sessions if session.shift is not None]
    output, states = network.step(network.inputs.index_select(0, rows), states, shift=torch.cat(shifts) if shifts else None)
    for i, (session, song) in enumerate(zip(sessions, songs, strict=True)):
        session.earlier = session.output
        session.states, session.output = [state[i : i + 1] for state in states], output[i : i + 1]
        session.songs.append(song)
