"""The inner loops of factor models over time: a pass of stochastic gradient descent, and prediction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit


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


@jit
def deviation(period: int, middle: float, beta: float) -> Any:
    """sign(t - t_u) |t - t_u|^beta (Koren 2010, equation 6)."""
    away = period - middle
    return np.sign(away) * np.abs(away) ** beta


@jit
def implicit_taste(factors: Factors, known: Known, listener: int, total: Array) -> float:
    """Write |N(u)|^-1/2 sum y_j into ``total``; returns |N(u)|^-1/2."""
    total[:] = 0
    songs = known.rated[known.begin[listener] : known.begin[listener + 1]]
    norm = 1 / np.sqrt(len(songs)) if len(songs) else 0.0
    for song in songs:
        for f in range(len(total)):
            total[f] += norm * factors.history[song, f]
    return norm


@jit
def rating(factors: Factors, terms: Terms, u: int, i: int, period: int, dev: float, implicit: Array) -> float:
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
def predict(factors: Factors, known: Known, terms: Terms, listeners: Array, songs: Array, periods: Array, found: Array) -> None:
    """Ratings into ``found``."""
    implicit = np.zeros(factors.taste.shape[1], np.float64)
    last = -1
    for n in range(len(listeners)):
        u = listeners[n]
        if terms.implicit and u >= 0 and u != last:
            implicit_taste(factors, known, u, implicit)
            last = u
        dev = deviation(periods[n], known.middle[u], terms.beta) if terms.temporal and u >= 0 else 0.0
        found[n] = rating(factors, terms, u, songs[n], periods[n], dev, implicit)


@jit
def learn(factors: Factors, known: Known, terms: Terms, order: Array, begin: Array, songs: Array, periods: Array, values: Array) -> float:
    """One pass, listener by listener in ``order``, whose ratings are [begin[u]:begin[u + 1]]; returns the sum of squared errors."""
    size = factors.taste.shape[1]
    implicit, pending = np.zeros(size, np.float64), np.zeros(size, np.float64)
    total, rate, l2 = 0.0, terms.rate, terms.l2
    for u in order:
        norm = implicit_taste(factors, known, u, implicit) if terms.implicit else 0.0
        pending[:] = 0
        for n in range(begin[u], begin[u + 1]):
            i, period = songs[n], periods[n]
            dev = deviation(period, known.middle[u], terms.beta) if terms.temporal else 0.0
            error = values[n] - rating(factors, terms, u, i, period, dev, implicit)
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
