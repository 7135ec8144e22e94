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
        heard: (m, size) y_j, of the songs a listener rated.
    """

    bias: Array
    song_bias: Array
    drift: Array
    period_bias: Array
    bin_bias: Array
    taste: Array
    song_taste: Array
    taste_drift: Array
    heard: Array


class Known(NamedTuple):
    """What training knew of each listener: mean period, and the songs rated, ``rated[begin[u]:begin[u + 1]]``."""

    middle: Array
    rated: Array
    begin: Array


class Rules(NamedTuple):
    """Mean of all ratings, what is learned beside biases and factors, and how."""

    mean: float
    temporal: bool
    implicit: bool
    beta: float
    bin_size: float
    rate: float
    penalty: float


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
            total[f] += norm * factors.heard[song, f]
    return norm


@jit
def rating(factors: Factors, rules: Rules, u: int, i: int, period: int, dev: float, implicit: Array) -> float:
    """Koren 2010, equations 10 and 12, of known or unknown (-1) listeners and songs; a period that training lacks has no bias."""
    found = rules.mean
    if u >= 0:
        found += factors.bias[u]
        if rules.temporal:
            found += factors.drift[u] * dev
            if period < factors.period_bias.shape[1]:
                found += factors.period_bias[u, period]
    if i >= 0:
        found += factors.song_bias[i]
        if rules.temporal:
            found += factors.bin_bias[i, min(int(period / rules.bin_size), factors.bin_bias.shape[1] - 1)]
    if u >= 0 and i >= 0:
        for f in range(factors.taste.shape[1]):
            found += factors.song_taste[i, f] * (factors.taste[u, f] + factors.taste_drift[u, f] * dev + implicit[f])
    return found


@jit
def predict(factors: Factors, known: Known, rules: Rules, listeners: Array, songs: Array, periods: Array, found: Array) -> None:
    """Ratings into ``found``."""
    implicit = np.zeros(factors.taste.shape[1], np.float64)
    last = -1
    for n in range(len(listeners)):
        u = listeners[n]
        if rules.implicit and u >= 0 and u != last:
            implicit_taste(factors, known, u, implicit)
            last = u
        dev = deviation(periods[n], known.middle[u], rules.beta) if rules.temporal and u >= 0 else 0.0
        found[n] = rating(factors, rules, u, songs[n], periods[n], dev, implicit)


@jit
def learn(factors: Factors, known: Known, rules: Rules, order: Array, begin: Array, songs: Array, periods: Array, values: Array) -> float:
    """One pass, listener by listener in ``order``, whose ratings are [begin[u]:begin[u + 1]]; returns the sum of squared errors."""
    size = factors.taste.shape[1]
    implicit, owed = np.zeros(size, np.float64), np.zeros(size, np.float64)
    total, rate, penalty = 0.0, rules.rate, rules.penalty
    for u in order:
        norm = implicit_taste(factors, known, u, implicit) if rules.implicit else 0.0
        owed[:] = 0
        for n in range(begin[u], begin[u + 1]):
            i, period = songs[n], periods[n]
            dev = deviation(period, known.middle[u], rules.beta) if rules.temporal else 0.0
            error = values[n] - rating(factors, rules, u, i, period, dev, implicit)
            total += error * error
            factors.bias[u] += rate * (error - penalty * factors.bias[u])
            factors.song_bias[i] += rate * (error - penalty * factors.song_bias[i])
            if rules.temporal:
                place = int(period / rules.bin_size)
                factors.drift[u] += rate * (error * dev - penalty * factors.drift[u])
                factors.period_bias[u, period] += rate * (error - penalty * factors.period_bias[u, period])
                factors.bin_bias[i, place] += rate * (error - penalty * factors.bin_bias[i, place])
            for f in range(size):
                q, p, a = factors.song_taste[i, f], factors.taste[u, f], factors.taste_drift[u, f]
                factors.song_taste[i, f] += rate * (error * (p + a * dev + implicit[f]) - penalty * q)
                factors.taste[u, f] += rate * (error * q - penalty * p)
                if rules.temporal:
                    factors.taste_drift[u, f] += rate * (error * q * dev - penalty * a)
                owed[f] += error * q
        if rules.implicit:
            _pay(factors, known, u, norm, owed, rate, penalty)
    return total


@jit
def _pay(factors: Factors, known: Known, u: int, norm: float, owed: Array, rate: float, penalty: float) -> None:
    """Move the y of all songs a listener rated, once for all of the ratings."""
    for song in known.rated[known.begin[u] : known.begin[u + 1]]:
        for f in range(len(owed)):
            factors.heard[song, f] += rate * (norm * owed[f] - penalty * factors.heard[song, f])
