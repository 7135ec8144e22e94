"""A session that goes on: a song is played, and the next ones are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array, FloatArray, pack_ids, unpack_ids
from song2vec.core.checks import check_int
from song2vec.core.storage import Part, Saved
from song2vec.models.songs import best_songs


@dataclass
class SessionState(Saved):
    """A live session as it is kept: whose it is, what was played, and what the model's own kind of session adds."""

    listener: SongId | None
    songs: pl.Series
    details: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)

    kind = "live session"

    def to_parts(self) -> dict[str, Part]:
        """The songs as one part, what is added as another."""
        return {"session": Part({"listener": self.listener}, pack_ids(self.songs)), "state": Part(self.details, self.arrays)}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        session, state = parts["session"], parts["state"]
        return cls(session.meta["listener"], unpack_ids("song", session.arrays), dict(state.meta), dict(state.arrays))


class Fitted(Protocol):
    """What a live session asks: a fitted next-song model."""

    catalogue_: Catalogue

    @property
    def score_after(self) -> Callable[..., FloatArray]: ...


class LiveSession:
    """One listening session as it goes on; a model that carries a state from play to play has a quicker one of its own.

    Attributes:
        listener: whose session it is, for models that know listeners; None for nobody's.
        songs: what was played so far, in order.
    """

    def __init__(self, model: Fitted, listener: SongId | None = None) -> None:
        self.listener = listener
        self.songs: list[SongId] = []
        self._model = model

    def __repr__(self) -> str:
        return f"LiveSession({len(self.songs)} songs played)"

    def listen(self, song: SongId) -> Self:
        """A song was played; returns self. Raises UnknownSongError for one that the model does not know."""
        self._model.catalogue_.row(song)
        self.songs.append(song)
        return self

    def scores(self) -> FloatArray:
        """(songs,) float32 scores of every song as the next, in row order. Raises UnknownSongError before the first song."""
        return self._model.score_after(self.songs, **self._asked)

    def next(self, k: int = 10, *, exclude: Iterable[SongId] = ()) -> pl.DataFrame:
        """The k songs most likely to come next: the table of :meth:`NextSongModel.next`.

        Raises UnknownSongError before the first song, and ArgumentError for a k below 1.
        """
        check_int("k", k)
        return best_songs(self._model.catalogue_, self.scores(), k, exclude)

    @property
    def _asked(self) -> dict[str, Any]:
        """What the model is given beside the songs."""
        return {"listener": self.listener}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save where the session is, so that it goes on later: ``model.load_session(path)``."""
        return self.state().save(path)

    def state(self) -> SessionState:
        """What was played, and where that has led."""
        return SessionState(self.listener, pl.Series("song", self.songs, self._model.catalogue_.ids.dtype))

    def resume(self, state: SessionState) -> Self:
        """Go on from there; returns self. Raises UnknownSongError for a song that the model does not know."""
        for song in state.songs:
            self.listen(song)
        return self
