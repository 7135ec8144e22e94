"""A session that goes on: a song is heard, and the next ones are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, Self

import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array, pack_ids, unpack_ids
from song2vec.core.storage import Part, load_folder, save_folder, understood

KIND = "live session"


class Fitted(Protocol):
    """What a live session asks: a fitted next-song model."""

    catalogue_: Catalogue

    @property
    def next(self) -> Callable[..., pl.DataFrame]: ...

    @property
    def score_after(self) -> Callable[..., Array]: ...


class LiveSession:
    """One listening session as it goes on; a model that carries a state from play to play has a quicker one of its own.

    Attributes:
        listener: whose session it is, for models that know listeners; None for nobody's.
        songs: what was heard so far, in order.
    """

    def __init__(self, model: Fitted, listener: SongId | None = None) -> None:
        self.listener = listener
        self.songs: list[SongId] = []
        self._model = model

    def __repr__(self) -> str:
        return f"LiveSession({len(self.songs)} songs heard)"

    def listen(self, song: SongId) -> Self:
        """A song was heard; returns self. Raises UnknownSongError for one that the model does not know."""
        self._model.catalogue_.row(song)
        self.songs.append(song)
        return self

    def scores(self) -> Array:
        """(songs,) float32 scores of every song as the next, in row order. Raises UnknownSongError before the first song."""
        return self._model.score_after(self.songs, **self._asked)

    def next(self, k: int = 10, *, exclude: list[SongId] | tuple[SongId, ...] = ()) -> pl.DataFrame:
        """The k songs most likely to come next: the table of :meth:`NextSongModel.next`.

        Raises UnknownSongError before the first song.
        """
        return self._model.next(self.songs, k, exclude=list(exclude), **self._asked)

    @property
    def _asked(self) -> dict[str, Any]:
        """What the model is told beside the songs."""
        return {}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save where the session is, so that it goes on later: ``model.load_session(path)``."""
        return save_folder(path, KIND, {"session": self.to_part()})

    def to_part(self) -> Part:
        """What was heard, as a part of a saved folder."""
        return Part(meta={"listener": self.listener}, arrays=pack_ids(pl.Series("song", self.songs, self._model.catalogue_.ids.dtype)))

    def resume(self, songs: list[SongId], part: Part) -> None:
        """Go on where the session was that ``part`` is of. Raises UnknownSongError for a song that the model does not know."""
        for song in songs:
            self.listen(song)


def resumed(begin: Callable[[SongId | None], LiveSession], path: str | os.PathLike[str]) -> LiveSession:
    """A session that its ``save`` wrote, begun anew for its listener by ``begin``."""
    part = load_folder(path, KIND)["session"]
    with understood(path):
        listener, songs = part.meta["listener"], unpack_ids("song", part.arrays).to_list()
    session = begin(listener)
    session.resume(songs, part)
    return session
