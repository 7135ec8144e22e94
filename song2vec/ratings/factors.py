"""Factor models of ratings: biased matrix factorisation, and time-SVD++ with its time-blind twin."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from song2vec.arrays import Array, pack_ids, unpack_ids
from song2vec.catalogue import Catalogue, SongId
from song2vec.errors import ArgumentError, SavedFolderError
from song2vec.next_song.checks import check_choice, check_real, check_whole
from song2vec.progress import progress_bar
from song2vec.ratings.kernels import Factors, Known, Rules, learn, predict
from song2vec.ratings.table import Ratings
from song2vec.seeding import generator
from song2vec.settings import Configured, make
from song2vec.storage import Part, load_folder, save_folder, understood

KIND = "ratings model"


class BiasedMF(Configured):
    """r(u, i) = mu + b_u + b_i + p_u q_i, by stochastic gradient descent (Koren, Bell & Volinsky 2009, equation 5): blind to time.

    Args:
        size: numbers in a factor.
        epochs: passes over the ratings.
        learning_rate: of every step.
        penalty: weight of the squares of all that is learned.
        seed: of all randomness: the same seed gives the same bytes.
        progress: show a progress bar; None shows it on a terminal.

    Attributes:
        history_: root mean squared error of each epoch, as training saw it.
    """

    name: ClassVar[str] = "biased-mf"
    implicit: ClassVar[bool] = False
    history_: list[float]
    _factors: Factors
    _known: Known
    _rules: Rules

    def __init__(
        self,
        *,
        size: int = 16,
        epochs: int = 30,
        learning_rate: float = 0.01,
        penalty: float = 0.02,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.size = size
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.penalty = penalty
        self.seed = seed
        self.progress = progress

    def fit(self, ratings: Ratings) -> Self:
        """Learn from ratings; returns self. Raises ArgumentError for a bad hyperparameter and for no ratings."""
        self._check()
        if not isinstance(ratings, Ratings) or not len(ratings):
            raise ArgumentError("ratings: Ratings are allowed, one at least, as count_plays(sessions) makes them")
        order = np.lexsort((ratings.period, ratings.listener))
        listener, song, period, value = (getattr(ratings, name)[order] for name in ("listener", "song", "period", "value"))
        begin = np.searchsorted(listener, np.arange(len(ratings.listeners) + 1))
        periods = int(period.max()) + 1
        self._rules, self._known = self._new_rules(float(value.mean(dtype=np.float64)), periods), _known(listener, song, period, begin)
        self._factors = self._fresh(len(ratings.listeners), len(ratings.catalogue), periods)
        self.history_ = []
        with progress_bar(self.name, self.epochs, self.progress) as advance:
            for epoch in range(self.epochs):
                turns = generator(self.seed, f"order {epoch}").permutation(len(ratings.listeners))
                squares = learn(self._factors, self._known, self._rules, turns, begin, song, period, value)
                if not np.isfinite(squares):
                    raise ArgumentError(f"learning_rate={self.learning_rate!r}: the error grew beyond bounds; a lower one is needed")
                self.history_.append(float(np.sqrt(squares / len(value))))
                advance(f"epoch {epoch + 1}: RMSE {self.history_[-1]:.4f}")
        self.catalogue_, self.listeners_ = ratings.catalogue, ratings.listeners
        return self

    def predict(self, ratings: Ratings) -> Array:
        """(n,) float32: what the listeners of these ratings will give the songs in those periods; their values are not looked at.

        Listeners and songs that training lacks get what is known of the others. Raises ArgumentError before ``fit``.
        """
        self._fitted()
        rows = {known: row for row, known in enumerate(self.listeners_.to_list())}
        listener = np.array([rows.get(one, -1) for one in ratings.listeners.to_list()], np.int64)[ratings.listener]
        song = ratings.catalogue.rows_in(self.catalogue_)[ratings.song].astype(np.int64)
        found = np.empty(len(ratings), np.float32)
        predict(self._factors, self._known, self._rules, listener, song, ratings.period.astype(np.int64), found)
        return found

    def rmse(self, ratings: Ratings) -> float:
        """Root mean squared error of the predictions."""
        return float(np.sqrt(np.mean((self.predict(ratings) - ratings.value) ** 2, dtype=np.float64)))

    def rate(self, listener: SongId, songs: list[SongId], period: int) -> dict[SongId, float]:
        """What a listener will give some songs in a period, by song. Raises UnknownSongError for songs that training lacks."""
        catalogue = self._fitted()
        rows = catalogue.rows(songs)
        listeners = self.listeners_.filter(self.listeners_ == listener)
        if not len(listeners):
            raise ArgumentError(f"listener={listener!r}: is none of the {len(self.listeners_):,} that training knew")
        n = len(rows)
        asked = Ratings(np.zeros(n, np.int32), rows, np.full(n, period, np.int32), np.zeros(n, np.float32), listeners, catalogue)
        return dict(zip(catalogue.songs(rows), self.predict(asked).tolist(), strict=True))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as a folder (checksummed, atomic, no pickle)."""
        parts = {"catalogue": self._fitted().to_part(), "listeners": Part(meta={}, arrays=pack_ids(self.listeners_))}
        meta = {"model": self.name, "settings": self.settings, "rules": self._rules._asdict()}
        return save_folder(path, KIND, parts | {"model": Part(meta=meta, arrays=self._factors._asdict() | self._known._asdict())})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BiasedMF:
        """A model of either kind as it was saved. Raises SavedFolderError when it is corrupt or of another kind."""
        parts = load_folder(path, KIND)
        with understood(path):
            part = parts["model"]
            model = make("model", RATERS, part.meta["model"], part.meta["settings"])
            arrays: Mapping[str, Array] = {name: np.array(array) for name, array in part.arrays.items()}
            if set(arrays) != {*Factors._fields, *Known._fields}:
                raise SavedFolderError(f"{os.fspath(path)}: has the arrays {', '.join(sorted(arrays))}; others were saved")
            model._factors = Factors(**{name: arrays[name] for name in Factors._fields})
            model._known = Known(**{name: arrays[name] for name in Known._fields})
            model._rules = Rules(**part.meta["rules"])
            model.catalogue_ = Catalogue.from_part(parts["catalogue"])
            model.listeners_ = unpack_ids("listener", parts["listeners"].arrays)
        return model

    def _new_rules(self, mean: float, periods: int) -> Rules:
        return Rules(mean, False, False, 1.0, float(periods), self.learning_rate, self.penalty)

    def _fresh(self, listeners: int, songs: int, periods: int) -> Factors:
        random = generator(self.seed, "factors")
        rules, size = self._rules, self.size
        bins = int((periods - 1) / rules.bin_size) + 1

        def zeros(*shape: int) -> Array:
            return np.zeros(shape, np.float64)

        def drawn(rows: int) -> Array:
            return random.normal(0, 0.1 / np.sqrt(size), (rows, size))

        return Factors(
            bias=zeros(listeners),
            song_bias=zeros(songs),
            drift=zeros(listeners),
            period_bias=zeros(listeners if rules.temporal else 0, periods),
            bin_bias=zeros(songs if rules.temporal else 0, bins),
            taste=drawn(listeners),
            song_taste=drawn(songs),
            taste_drift=zeros(listeners, size),
            heard=zeros(songs, size),
        )

    def _check(self) -> None:
        check_whole(self, "size", 1)
        check_whole(self, "epochs", 1)
        check_real(self, "learning_rate", 0, above=True)
        check_real(self, "penalty", 0)

    def _fitted(self) -> Catalogue:
        if not hasattr(self, "catalogue_"):
            raise ArgumentError(f"this {type(self).__name__} has learned nothing yet; call fit(ratings) first")
        return self.catalogue_

    catalogue_: Catalogue


class TimeSVDpp(BiasedMF):
    """Biases and tastes that drift with time, and what a listener rated at all (Koren 2010, doi:10.1145/1721654.1721677).

    r(u, i, t) = mu + b_u + alpha_u dev_u(t) + b_ut + b_i + b_i,Bin(t) + q_i (p_u + alpha_pu dev_u(t) + |N(u)|^-1/2 sum y_j), where
    dev_u(t) = sign(t - t_u) |t - t_u|^beta and t_u is the mean period of the listener's ratings. A period later than all of
    training has no b_ut, and the last Bin(t). Single periods have no bias of taste.

    Args:
        temporal: False for the time-blind twin, SVD++: all terms of t are left out.
        beta: of dev.
        bins: into how many stretches of equal length a song's bias is cut.
        size, epochs, learning_rate, penalty, seed, progress: as in :class:`BiasedMF`.
    """

    name = "time-svd++"
    implicit = True

    def __init__(
        self,
        *,
        temporal: bool = True,
        beta: float = 0.4,
        bins: int = 10,
        size: int = 16,
        epochs: int = 30,
        learning_rate: float = 0.01,
        penalty: float = 0.02,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        super().__init__(size=size, epochs=epochs, learning_rate=learning_rate, penalty=penalty, seed=seed, progress=progress)
        self.temporal = temporal
        self.beta = beta
        self.bins = bins

    def _new_rules(self, mean: float, periods: int) -> Rules:
        return Rules(mean, self.temporal, True, self.beta, max(1.0, periods / self.bins), self.learning_rate, self.penalty)

    def _check(self) -> None:
        super()._check()
        check_choice(self, "temporal", (True, False))
        check_real(self, "beta", 0, above=True)
        check_whole(self, "bins", 1)


RATERS: dict[str, type[BiasedMF]] = {model.name: model for model in (BiasedMF, TimeSVDpp)}


def _known(listener: Array, song: Array, period: Array, begin: Array) -> Known:
    """Ratings in order of their listeners."""
    counts = np.diff(begin)
    sums = np.bincount(listener, weights=period, minlength=len(counts))
    both = np.unique(np.stack([listener, song]), axis=1)
    where = np.searchsorted(both[0], np.arange(len(counts) + 1))
    return Known(sums / np.maximum(counts, 1), both[1].astype(np.int64), where.astype(np.int64))
