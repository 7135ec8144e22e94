"""Factor models of ratings: biased matrix factorisation, and time-SVD++ with its time-blind twin."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import SavedFolderError
from song2vec.core.random import generator
from song2vec.core.settings import check_choice, check_real, check_whole
from song2vec.core.storage import Part
from song2vec.ratings.base import RatingModel
from song2vec.ratings.kernels import Factors, Known, Rules, learn, predict
from song2vec.ratings.table import Ratings


class BiasedMF(RatingModel):
    """r(u, i) = mu + b_u + b_i + p_u q_i, by stochastic gradient descent (Koren, Bell & Volinsky 2009, equation 5): blind to time.

    Args:
        size: numbers in a factor.
        epochs: passes over the ratings.
        learning_rate: of every step.
        penalty: weight of the squares of all that is learned.
        seed: of all randomness: the same seed gives the same bytes.
        progress: show a progress bar; None shows it on a terminal.
    """

    name: ClassVar[str] = "biased-mf"
    implicit: ClassVar[bool] = False
    _factors: Factors
    _known: Known
    _rules: Rules
    _learned: tuple[Array, Array, Array, Array]  # what is learned from; of the last fit

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

    def _begin(self, ratings: Ratings) -> None:
        self._check()
        order = np.lexsort((ratings.period, ratings.listener))
        listener, song, period, value = (getattr(ratings, name)[order] for name in ("listener", "song", "period", "value"))
        begin = np.searchsorted(listener, np.arange(len(ratings.listeners) + 1))
        periods = int(period.max()) + 1
        self._rules, self._known = self._new_rules(float(value.mean(dtype=np.float64)), periods), _known(listener, song, period, begin)
        self._factors = self._fresh(len(ratings.listeners), len(ratings.catalogue), periods)
        self._learned = begin, song, period, value

    def _epoch(self, epoch: int) -> float:
        begin, song, period, value = self._learned
        turns = generator(self.seed, f"order {epoch}").permutation(len(begin) - 1)
        return float(learn(self._factors, self._known, self._rules, turns, begin, song, period, value) / len(value))

    def _predict(self, listener: Array, song: Array, period: Array) -> Array:
        found = np.empty(len(listener), np.float32)
        predict(self._factors, self._known, self._rules, listener, song, period, found)
        return found

    def _to_part(self) -> Part:
        return Part({"rules": self._rules._asdict()}, self._factors._asdict() | self._known._asdict())

    def _from_part(self, part: Part) -> None:
        arrays = {name: np.array(array) for name, array in part.arrays.items()}
        if set(arrays) != {*Factors._fields, *Known._fields}:
            raise SavedFolderError(f"model: has the arrays {', '.join(sorted(arrays))}; others were saved")
        self._factors = Factors(**{name: arrays[name] for name in Factors._fields})
        self._known = Known(**{name: arrays[name] for name in Known._fields})
        self._rules = Rules(**part.meta["rules"])

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


def _known(listener: Array, song: Array, period: Array, begin: Array) -> Known:
    """Ratings in order of their listeners."""
    counts = np.diff(begin)
    sums = np.bincount(listener, weights=period, minlength=len(counts))
    both = np.unique(np.stack([listener, song]), axis=1)
    where = np.searchsorted(both[0], np.arange(len(counts) + 1))
    return Known(sums / np.maximum(counts, 1), both[1].astype(np.int64), where.astype(np.int64))
