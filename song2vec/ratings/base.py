"""The contract of raters: ratings in, and what listeners will give songs in later periods out."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable
from typing import Self

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array, FloatArray
from song2vec.core.checks import check_int, check_type
from song2vec.core.config import FLAG, SEED, FloatRange, IntRange, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.core.estimator import Estimator
from song2vec.core.registry import Registry
from song2vec.nn.checkpoint import Checkpoint, identity_of
from song2vec.nn.trainer import Epoch, Trainee, Trainer
from song2vec.ratings.table import Ratings, check_period

RATERS: Registry[RatingModel] = Registry(
    "rater", {"biased-mf": "ratings.factors:BiasedMF", "time-svd++": "ratings.factors:TimeSVDpp", "rrn": "ratings.rrn.model:RRN"}
)
_BEYOND = 1e4  # times the mean square of all values: no error of a model that learns


class RatingModel(Estimator):
    """Says what a listener will give a song in a period.

    A subclass lays out what it learns in ``_begin``, which returns what the epoch loop trains, and predicts by rows in ``_predict``.

    Attributes:
        catalogue_, listeners_: the songs and listeners of the ratings it was fitted to.
        history_: what each epoch came to; its loss is the mean squared error, as training saw it. Not saved.
    """

    kind = "rater"
    size: int = setting(IntRange(1), default=16, tune=IntRange(4, 64, log=True), help="numbers in a factor")
    epochs: int = setting(IntRange(1), default=30, tune=IntRange(5, 60, log=True), help="passes over the ratings")
    learning_rate: float = setting(FloatRange(0, above=True), default=0.01, tune=FloatRange(0.002, 0.05, log=True), help="of every step")
    l2: float = setting(FloatRange(0), default=0.02, tune=FloatRange(0.01, 0.5, log=True), help="weight of the squares of what is learned")
    patience: int | None = setting(IntRange(1), default=None, help="stop when the validation error has not sunk for so many epochs")
    seed: int = setting(SEED, default=0, help="of all randomness")
    progress: bool | None = setting(FLAG, default=None, help="show a progress bar; None shows it on a terminal")
    catalogue_: Catalogue = learned(Catalogue)
    listeners_: pl.Series = learned()
    history_: list[Epoch] = learned(saved=False)

    @classmethod
    def registry(cls) -> Registry[RatingModel]:
        return RATERS

    @abstractmethod
    def _begin(self, ratings: Ratings) -> Trainee:
        """Lay out what is to be learned; returns what trains it, with squared errors as its loss."""

    @abstractmethod
    def _predict(self, listener: Array, song: Array, period: Array) -> Array:
        """(n,) float32 for (n,) int64 rows, -1 for listeners and songs that training lacks."""

    def fit(
        self,
        ratings: Ratings,
        *,
        validation: Ratings | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_minutes: float = 10.0,
    ) -> Self:
        """Learn from ratings; returns self.

        Args:
            validation: ratings held out of ``ratings``; the root of their mean squared error ("rmse") is measured after every epoch,
                and what was learned by the best epoch is kept.
            checkpoint: a folder that the training is saved in every ``checkpoint_minutes``. When it holds a training of the same
                ratings and settings that was cut short, that goes on; ``epochs`` may have grown since.

        Raises ArgumentError for a setting that is not allowed, for no ratings, and for an error that grows beyond bounds.
        """
        self.check()
        _check_ratings("ratings", ratings)
        if validation is not None:
            _check_ratings("validation", validation)
        elif self.patience is not None:
            raise ArgumentError("patience: needs validation ratings to watch, fit(ratings, validation=...)")
        saved_in = None
        if checkpoint is not None:
            data = {"ratings": ratings.fingerprint, "validation": "" if validation is None else validation.fingerprint}
            saved_in = Checkpoint(checkpoint, identity_of(self, **data), checkpoint_minutes)
        self.catalogue_, self.listeners_ = ratings.catalogue, ratings.listeners
        trainer = Trainer(
            self._begin(ratings),
            name=self.name,
            epochs=self.epochs,
            validate=None if validation is None else lambda: {"rmse": self.rmse(validation)},
            patience=self.patience,
            lower_is_better=True,
            bound=_BEYOND * (1 + float(np.mean(np.square(ratings.value, dtype=np.float64)))),
            checkpoint=saved_in,
            progress=self.progress,
        )
        try:
            self.history_ = trainer.run()
        except BaseException:  # what is half learned answers nothing
            del self.catalogue_, self.listeners_
            raise
        return self

    def predict(self, ratings: Ratings) -> FloatArray:
        """(n,) float32: what the listeners of these ratings will give the songs in those periods; their values are not looked at.

        Listeners and songs that training lacks get what is known of the others. Raises ArgumentError before ``fit``, and for what
        are no Ratings.
        """
        return self._predict(*self._rows(ratings))

    def rmse(self, ratings: Ratings) -> float:
        """Root mean squared error of the predictions. Raises ArgumentError as :meth:`predict`, and for no ratings."""
        self._check_fitted()
        _check_ratings("ratings", ratings)
        errors = self.predict(ratings) - ratings.value
        return float(np.sqrt(np.mean(errors**2, dtype=np.float64)))

    def rate(self, listener: SongId, songs: list[SongId], period: int) -> dict[SongId, float]:
        """What a listener will give some songs in a period, by song.

        Raises UnknownSongError for songs that training lacks, ArgumentError for such a listener, and for what is no period.
        """
        self._check_fitted()
        period, rows = check_period(period), self.catalogue_.rows(songs)
        row = int(self.listener_rows([listener])[0])
        if row < 0:
            raise ArgumentError(f"listener={listener!r}: is none of the {len(self.listeners_):,} that training knew")
        found = self._predict(np.full(len(rows), row), rows, np.full(len(rows), period))
        return dict(zip(self.catalogue_.songs(rows), found.tolist(), strict=True))

    def rate_all(self, listener: int, period: int) -> FloatArray:
        """(songs,) float32: what one listener will give every song in a period, in row order.

        Args:
            listener: a row of ``listeners_``, as ``listener_rows`` finds it; -1 for one who is not known.

        Raises ArgumentError for what is no such row or no period, and before ``fit``.
        """
        self._check_fitted()
        songs, period = np.arange(len(self.catalogue_)), check_period(period)
        row = check_int("listener", listener, -1, len(self.listeners_) - 1)
        return self._predict(np.full(len(songs), row), songs, np.full(len(songs), period))

    def listener_rows(self, listeners: Iterable[SongId]) -> Array:
        """(n,) int64: the row of each of these listeners; -1 for those that training lacks."""
        rows = {listener: row for row, listener in enumerate(self.listeners_.to_list())}
        return np.array([rows.get(listener, -1) for listener in listeners], np.int64)

    def _rows(self, ratings: Ratings) -> tuple[Array, Array, Array]:
        """Rows of listeners and songs, and periods, as ``_predict`` takes them. Raises ArgumentError before ``fit`` and for no Ratings."""
        self._check_fitted()
        _check_ratings("ratings", ratings, least=0)
        listener = self.listener_rows(ratings.listeners)[ratings.listener]
        song = ratings.catalogue.rows_in(self.catalogue_)[ratings.song]
        return listener, song.astype(np.int64), ratings.period.astype(np.int64)


def _check_ratings(name: str, ratings: Ratings, *, least: int = 1) -> None:
    """Raises ArgumentError for what are no Ratings, and for too few."""
    check_type(name, ratings, Ratings, "Ratings are allowed, as count_plays(sessions) makes them")
    if len(ratings) < least:
        raise ArgumentError(f"{name}: are none; one at least is needed")
