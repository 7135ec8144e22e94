"""The contract of models of ratings: ratings in, and what listeners will give songs in later periods out."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array, pack_ids, unpack_ids
from song2vec.core.errors import ArgumentError
from song2vec.core.progress import progress_bar
from song2vec.core.settings import Configured
from song2vec.core.storage import Part, load_folder, prefixed, save_folder, understood, within
from song2vec.ratings.table import Ratings, check_period

KIND = "ratings model"
_BEYOND = 1e4  # times the mean square of all values: no error of a model that learns


class RatingModel(Configured, ABC):
    """Says what a listener will give a song in a period.

    A subclass names itself, takes keyword hyperparameters, lays everything out in ``_begin``, learns in ``_epoch`` and
    predicts by rows in ``_predict``.

    Attributes:
        history_: root mean squared error of each epoch, as training saw it.
        catalogue_, listeners_: the songs and listeners of the ratings it was fitted to.
    """

    name: ClassVar[str]
    epochs: int
    learning_rate: float
    progress: bool | None
    history_: list[float]
    catalogue_: Catalogue
    listeners_: pl.Series

    @abstractmethod
    def _begin(self, ratings: Ratings) -> None:
        """Lay out what is to be learned, and from what. Raises ArgumentError for a bad hyperparameter."""

    @abstractmethod
    def _epoch(self, epoch: int) -> float:
        """Learn once from all ratings; returns the mean squared error on the way."""

    @abstractmethod
    def _predict(self, listener: Array, song: Array, period: Array) -> Array:
        """(n,) float32 for (n,) int64 rows, -1 for listeners and songs that training lacks."""

    @abstractmethod
    def _to_part(self) -> Part:
        """What was learned."""

    @abstractmethod
    def _from_part(self, part: Part) -> None:
        """The inverse of ``_to_part``, on a model that has its settings, songs and listeners."""

    def fit(self, ratings: Ratings) -> Self:
        """Learn from ratings; returns self.

        Raises ArgumentError for a bad hyperparameter, for no ratings, and for an error that grows beyond bounds.
        """
        if not isinstance(ratings, Ratings) or not len(ratings):
            raise ArgumentError("ratings: Ratings are allowed, one at least, as count_plays(sessions) makes them")
        self._begin(ratings)
        self.history_, bound = [], _BEYOND * (1 + float(np.mean(np.square(ratings.value, dtype=np.float64))))
        with progress_bar(self.name, self.epochs, self.progress) as advance:
            for epoch in range(self.epochs):
                error = self._epoch(epoch)
                if not error < bound:  # nor is it when it is no number
                    raise ArgumentError(f"learning_rate={self.learning_rate!r}: the error grew beyond bounds; a lower one is needed")
                self.history_.append(float(np.sqrt(error)))
                advance(f"epoch {epoch + 1}: RMSE {self.history_[-1]:.4f}")
        self.catalogue_, self.listeners_ = ratings.catalogue, ratings.listeners
        return self

    def predict(self, ratings: Ratings) -> Array:
        """(n,) float32: what the listeners of these ratings will give the songs in those periods; their values are not looked at.

        Listeners and songs that training lacks get what is known of the others. Raises ArgumentError before ``fit``, and for what
        are no Ratings.
        """
        listener, song = self._rows(ratings)
        return self._predict(listener, song, ratings.period.astype(np.int64))

    def rmse(self, ratings: Ratings) -> float:
        """Root mean squared error of the predictions. Raises ArgumentError as :meth:`predict`, and for no ratings."""
        predicted = self.predict(ratings)
        if not len(ratings):
            raise ArgumentError("ratings: are none; one at least is needed")
        return float(np.sqrt(np.mean((predicted - ratings.value) ** 2, dtype=np.float64)))

    def rate(self, listener: SongId, songs: list[SongId], period: int) -> dict[SongId, float]:
        """What a listener will give some songs in a period, by song.

        Raises UnknownSongError for songs that training lacks, ArgumentError for such a listener, and for what is no period.
        """
        catalogue, period = self._fitted(), check_period(period)
        rows = catalogue.rows(songs)
        listeners = self.listeners_.filter(self.listeners_ == listener)
        if not len(listeners):
            raise ArgumentError(f"listener={listener!r}: is none of the {len(self.listeners_):,} that training knew")
        n = len(rows)
        asked = Ratings(np.zeros(n, np.int32), rows, np.full(n, period, np.int32), np.zeros(n, np.float32), listeners, catalogue)
        return dict(zip(catalogue.songs(rows), self.predict(asked).tolist(), strict=True))

    def rate_all(self, listener: int, period: int) -> Array:
        """(songs,) float32: what one listener will give every song in a period, in row order.

        Args:
            listener: a row of ``listeners_``, as ``listener_rows`` finds it; -1 for one who is not known.

        Raises ArgumentError for what is no such row or no period, and before ``fit``.
        """
        songs, period = np.arange(len(self._fitted())), check_period(period)
        row = isinstance(listener, int | np.integer) and not isinstance(listener, bool)
        if not row or not -1 <= listener < len(self.listeners_):
            raise ArgumentError(f"listener={listener!r}: a row from -1 to {len(self.listeners_) - 1} is allowed, as listener_rows finds it")
        return self._predict(np.full(len(songs), listener), songs, np.full(len(songs), period))

    def listener_rows(self, listeners: Iterable[SongId]) -> Array:
        """(n,) int64: the row of each of these listeners; -1 for those that training lacks."""
        rows = {known: row for row, known in enumerate(self.listeners_.to_list())}
        return np.array([rows.get(one, -1) for one in listeners], np.int64)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as a folder (checksummed, atomic, no pickle)."""
        known = prefixed("catalogue", self._fitted().to_parts()) | {"listeners": Part(arrays=pack_ids(self.listeners_))}
        part = self._to_part()
        return save_folder(path, KIND, known | {"model": Part({"model": self.name, "settings": self.settings, **part.meta}, part.arrays)})

    def _rows(self, ratings: Ratings) -> tuple[Array, Array]:
        """(n,) int64 rows of the listeners and songs of these ratings; -1 for those that training lacks."""
        catalogue = self._fitted()
        if not isinstance(ratings, Ratings):
            raise ArgumentError(f"ratings is a {type(ratings).__name__}; Ratings are allowed, as count_plays(sessions) makes them")
        return self.listener_rows(ratings.listeners)[ratings.listener], ratings.catalogue.rows_in(catalogue)[ratings.song].astype(np.int64)

    def _fitted(self) -> Catalogue:
        if not hasattr(self, "catalogue_"):
            raise ArgumentError(f"this {type(self).__name__} has learned nothing yet; call fit(ratings) first")
        return self.catalogue_


def loaded(path: str | os.PathLike[str], make: Callable[[str, Mapping[str, Any]], RatingModel]) -> RatingModel:
    """A model as it was saved, made by its name and settings. Raises SavedFolderError when it is corrupt or of another kind."""
    parts = load_folder(path, KIND)
    with understood(path):
        part = parts["model"]
        model = make(part.meta["model"], part.meta["settings"])
        model.catalogue_ = Catalogue.from_parts(within("catalogue", parts))
        model.listeners_ = unpack_ids("listener", parts["listeners"].arrays)
        model._from_part(part)
    return model
