"""Factor models of ratings: biased matrix factorisation, and time-SVD++ with its time-blind twin; and their inner loops."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import FLAG, FloatRange, IntRange, learned, setting
from song2vec.core.jit import jit
from song2vec.core.random import generator
from song2vec.nn.trainer import Trainee
from song2vec.ratings.base import RatingModel
from song2vec.ratings.table import Ratings


class Factors(NamedTuple):
    """What is learned of listeners (n) and songs (m); what a model does not learn stays 0.

    Attributes:
        bias, song_bias: (n,), (m,).
        drift: (n,) alpha_u, the slope of a listener's bias over dev.
        period_bias: (n, periods) b_ut, of single periods.
        bin_bias: (m, bins) b_i,Bin(t).
        taste, song_taste: (n, size) p_u, (m, size) q_i.
        taste_drift: (n, size), the slope of p_u over dev.
        history: (m, size) y_j, of the songs a listener rated.
    """

    bias: Array
    song_bias: Array
    drift: Array
    period_bias: Array
    bin_bias: Array
    taste: Array
    song_taste: Array
    taste_drift: Array
    history: Array


class Known(NamedTuple):
    """What training knew of each listener: mean period, and the songs rated, ``rated[begin[u]:begin[u + 1]]``."""

    middle: Array
    rated: Array
    begin: Array


class Terms(NamedTuple):
    """Mean of all ratings, which terms the model has beside biases and factors, and how they are learned."""

    mean: float
    temporal: bool
    implicit: bool
    beta: float
    bin_size: float
    rate: float
    l2: float


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
        _predict_ratings(self.factors_, self.known_, self.terms_, listener, song, period, found)
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
        return _learn(model.factors_, model.known_, model.terms_, self.order, *self.ratings), len(self.ratings[1])

    def arrays(self) -> dict[str, Array]:
        return {name: array.copy() for name, array in self.model.factors_._asdict().items()}

    def load(self, arrays: dict[str, Array]) -> None:
        for name, array in self.model.factors_._asdict().items():
            array[...] = arrays[name]


@jit
def _deviation(period: int, middle: float, beta: float) -> Any:
    """sign(t - t_u) |t - t_u|^beta (Koren 2010, equation 6)."""
    away = period - middle
    return np.sign(away) * np.abs(away) ** beta


@jit
def _implicit_taste(factors: Factors, known: Known, listener: int, total: Array) -> float:
    """Write |N(u)|^-1/2 sum y_j into ``total``; returns |N(u)|^-1/2."""
    total[:] = 0
    songs = known.rated[known.begin[listener] : known.begin[listener + 1]]
    norm = 1 / np.sqrt(len(songs)) if len(songs) else 0.0
    for song in songs:
        for f in range(len(total)):
            total[f] += norm * factors.history[song, f]
    return norm


@jit
def _rating(factors: Factors, terms: Terms, u: int, i: int, period: int, dev: float, implicit: Array) -> float:
    """Koren 2010, equations 10 and 12, of known or unknown (-1) listeners and songs; a period that training lacks has no bias."""
    found = terms.mean
    if u >= 0:
        found += factors.bias[u]
        if terms.temporal:
            found += factors.drift[u] * dev
            if period < factors.period_bias.shape[1]:
                found += factors.period_bias[u, period]
    if i >= 0:
        found += factors.song_bias[i]
        if terms.temporal:
            found += factors.bin_bias[i, min(int(period / terms.bin_size), factors.bin_bias.shape[1] - 1)]
    if u >= 0 and i >= 0:
        for f in range(factors.taste.shape[1]):
            found += factors.song_taste[i, f] * (factors.taste[u, f] + factors.taste_drift[u, f] * dev + implicit[f])
    return found


@jit
def _predict_ratings(factors: Factors, known: Known, terms: Terms, listeners: Array, songs: Array, periods: Array, found: Array) -> None:
    """Ratings into ``found``."""
    implicit = np.zeros(factors.taste.shape[1], np.float64)
    last = -1
    for n in range(len(listeners)):
        u = listeners[n]
        if terms.implicit and u >= 0 and u != last:
            _implicit_taste(factors, known, u, implicit)
            last = u
        dev = _deviation(periods[n], known.middle[u], terms.beta) if terms.temporal and u >= 0 else 0.0
        found[n] = _rating(factors, terms, u, songs[n], periods[n], dev, implicit)


@jit
def _learn(factors: Factors, known: Known, terms: Terms, order: Array, begin: Array, songs: Array, periods: Array, values: Array) -> float:
    """One pass, listener by listener in ``order``, whose ratings are [begin[u]:begin[u + 1]]; returns the sum of squared errors."""
    size = factors.taste.shape[1]
    implicit, pending = np.zeros(size, np.float64), np.zeros(size, np.float64)
    total, rate, l2 = 0.0, terms.rate, terms.l2
    for u in order:
        norm = _implicit_taste(factors, known, u, implicit) if terms.implicit else 0.0
        pending[:] = 0
        for n in range(begin[u], begin[u + 1]):
            i, period = songs[n], periods[n]
            dev = _deviation(period, known.middle[u], terms.beta) if terms.temporal else 0.0
            error = values[n] - _rating(factors, terms, u, i, period, dev, implicit)
            total += error * error
            factors.bias[u] += rate * (error - l2 * factors.bias[u])
            factors.song_bias[i] += rate * (error - l2 * factors.song_bias[i])
            if terms.temporal:
                place = int(period / terms.bin_size)
                factors.drift[u] += rate * (error * dev - l2 * factors.drift[u])
                factors.period_bias[u, period] += rate * (error - l2 * factors.period_bias[u, period])
                factors.bin_bias[i, place] += rate * (error - l2 * factors.bin_bias[i, place])
            for f in range(size):
                q, p, a = factors.song_taste[i, f], factors.taste[u, f], factors.taste_drift[u, f]
                factors.song_taste[i, f] += rate * (error * (p + a * dev + implicit[f]) - l2 * q)
                factors.taste[u, f] += rate * (error * q - l2 * p)
                if terms.temporal:
                    factors.taste_drift[u, f] += rate * (error * q * dev - l2 * a)
                pending[f] += error * q
        if terms.implicit:  # the y of all songs that the listener rated move once for all of the ratings
            for song in known.rated[known.begin[u] : known.begin[u + 1]]:
                for f in range(size):
                    factors.history[song, f] += rate * (norm * pending[f] - l2 * factors.history[song, f])
    return total
