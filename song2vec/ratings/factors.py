"""Factor models of ratings: biased matrix factorisation, and time-SVD++ with its time-blind twin."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import FLAG, FloatRange, IntRange, learned, setting
from song2vec.core.random import generator
from song2vec.nn.trainer import Trainee
from song2vec.ratings._kernels import Factors, Known, Terms, learn, predict
from song2vec.ratings.base import RatingModel
from song2vec.ratings.table import Ratings


class BiasedMF(RatingModel):
    """r(u, i) = mu + b_u + b_i + p_u q_i, by stochastic gradient descent (Koren, Bell & Volinsky 2009, equation 5): blind to time."""

    name: ClassVar[str] = "biased-mf"
    factors_: Factors = learned(Factors)
    known_: Known = learned(Known)
    terms_: Terms = learned(Terms)

    def _begin(self, ratings: Ratings) -> Trainee:
        order = np.lexsort((ratings.period, ratings.listener))
        listener, song, period, value = (getattr(ratings, name)[order] for name in ("listener", "song", "period", "value"))
        begin = np.searchsorted(listener, np.arange(len(ratings.listeners) + 1))
        periods, counts = int(period.max()) + 1, np.diff(begin)
        rated = np.unique(np.stack([listener, song]), axis=1).astype(np.int64)
        middle = np.bincount(listener, weights=period, minlength=len(counts)) / np.maximum(counts, 1)
        self.known_ = Known(middle, rated[1].copy(), np.searchsorted(rated[0], np.arange(len(begin))))
        self.terms_ = self._new_terms(float(value.mean(dtype=np.float64)), periods)
        self.factors_ = self._new_factors(len(ratings.listeners), len(ratings.catalogue), periods)
        return _Descent(self, begin, song, period, value)

    def _predict(self, listener: Array, song: Array, period: Array) -> Array:
        found = np.empty(len(listener), np.float32)
        predict(self.factors_, self.known_, self.terms_, listener, song, period, found)
        return found

    def _new_terms(self, mean: float, periods: int) -> Terms:
        return Terms(mean, False, False, 1.0, float(periods), self.learning_rate, self.l2)

    def _new_factors(self, listeners: int, songs: int, periods: int) -> Factors:
        random, terms, size = generator(self.seed, "factors"), self.terms_, self.size
        bins = int((periods - 1) / terms.bin_size) + 1

        def drawn(rows: int) -> Array:
            return random.normal(0, 0.1 / np.sqrt(size), (rows, size))

        return Factors(
            bias=np.zeros(listeners),
            song_bias=np.zeros(songs),
            drift=np.zeros(listeners),
            period_bias=np.zeros((listeners if terms.temporal else 0, periods)),
            bin_bias=np.zeros((songs if terms.temporal else 0, bins)),
            taste=drawn(listeners),
            song_taste=drawn(songs),
            taste_drift=np.zeros((listeners, size)),
            history=np.zeros((songs, size)),
        )


class TimeSVDpp(BiasedMF):
    """Biases and tastes that drift with time, and what a listener rated at all (Koren 2010, doi:10.1145/1721654.1721677).

    r(u, i, t) = mu + b_u + alpha_u dev_u(t) + b_ut + b_i + b_i,Bin(t) + q_i (p_u + alpha_pu dev_u(t) + |N(u)|^-1/2 sum y_j), where
    dev_u(t) = sign(t - t_u) |t - t_u|^beta and t_u is the mean period of the listener's ratings. A period later than all of
    training has no b_ut, and the last Bin(t). Single periods have no bias of taste.
    """

    name = "time-svd++"
    temporal: bool = setting(FLAG, default=True, help="False for the time-blind twin, SVD++: all terms of t are left out")
    beta: float = setting(FloatRange(0, above=True), default=0.4, tune=FloatRange(0.1, 1.0), help="of dev")
    bins: int = setting(IntRange(1), default=10, help="into how many stretches of equal length a song's bias is cut")

    def _new_terms(self, mean: float, periods: int) -> Terms:
        return Terms(mean, self.temporal, True, self.beta, max(1.0, periods / self.bins), self.learning_rate, self.l2)


class _Descent(Trainee):
    """Stochastic gradient descent through ratings in order of their listeners, whose turns are drawn anew for each epoch."""

    def __init__(self, model: BiasedMF, begin: Array, song: Array, period: Array, value: Array) -> None:
        self.model, self.ratings, self.order = model, (begin, song, period, value), np.empty(0, np.int64)

    def begin(self, epoch: int) -> int:
        self.order = generator(self.model.seed, f"order {epoch}").permutation(len(self.ratings[0]) - 1)
        return 1

    def run(self, block: int) -> tuple[float, int]:
        model = self.model
        return learn(model.factors_, model.known_, model.terms_, self.order, *self.ratings), len(self.ratings[1])

    def arrays(self) -> dict[str, Array]:
        return {name: array.copy() for name, array in self.model.factors_._asdict().items()}

    def load(self, arrays: dict[str, Array]) -> None:
        for name, array in self.model.factors_._asdict().items():
            array[...] = arrays[name]
