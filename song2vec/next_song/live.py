"""A session that goes on: a song is heard, and the next ones are asked for."""

from __future__ import annotations

from typing import Protocol, Self

import polars as pl

from song2vec.arrays import Array
from song2vec.catalogue import Catalogue, SongId


class Recommender(Protocol):
    """What a live session asks: a fitted next-song model."""

    catalogue_: Catalogue

    def recommend(self, songs: list[SongId], k: int = 10, *, exclude: list[SongId]) -> pl.DataFrame: ...

    def score_after(self, songs: list[SongId]) -> Array: ...


class LiveSession:
    """One listening session as it goes on; a model that carries a state from play to play has a quicker one of its own.

    Attributes:
        listener: whose session it is, for models that know listeners; None for nobody's.
        songs: what was heard so far, in order.
    """

    def __init__(self, model: Recommender, listener: SongId | None = None) -> None:
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
        return self._model.score_after(self.songs)

    def next(self, k: int = 10, *, exclude: list[SongId] | tuple[SongId, ...] = ()) -> pl.DataFrame:
        """The k songs most likely to come next: the table of :meth:`NextSongModel.recommend`.

        Raises UnknownSongError before the first song.
        """
        return self._model.recommend(self.songs, k, exclude=list(exclude))
