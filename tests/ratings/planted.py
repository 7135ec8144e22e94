"""Listeners whose tastes drift: what they think of songs moves, at a pace of their own, from one kind of music to another."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.ratings import RATERS, Ratings

LISTENERS, SONGS, PERIODS = 80, 60, 12
LAST = PERIODS - 2  # the last two periods are predicted
OWN = {"rrn": {"batch_size": 16, "workers": 1}}


def drifting(seed=0, drift=1.0, noise=0.2, share=0.3):
    """Ratings 3 + taste(t) kind + noise: kind is +-1 a song, taste(t) runs from -drift to drift, or back, over the periods."""
    random = np.random.default_rng(seed)
    kind, way = random.choice([-1.0, 1.0], SONGS), random.choice([-1.0, 1.0], LISTENERS)
    offset = random.normal(0, 0.3, LISTENERS)
    listener, song, period = np.nonzero(random.random((LISTENERS, SONGS, PERIODS)) < share)
    taste = drift * way[listener] * (2 * period / (PERIODS - 1) - 1)
    value = 3 + offset[listener] + taste * kind[song] + random.normal(0, noise, len(song))
    rows = [array.astype(np.int32) for array in (listener, song, period)]
    return Ratings(*rows, value.astype(np.float32), pl.Series("listener", [f"u{n}" for n in range(LISTENERS)]), catalogue())


def noise(seed=0):
    """Ratings of nothing but chance."""
    ratings = drifting(seed)
    value = np.random.default_rng(seed).normal(3, 1, len(ratings)).astype(np.float32)
    return Ratings(ratings.listener, ratings.song, ratings.period, value, ratings.listeners, ratings.catalogue)


def catalogue():
    return Catalogue([f"s{n}" for n in range(SONGS)], np.arange(SONGS, 0, -1))


def make(name, **settings):
    return RATERS[name](**{"size": 4, "epochs": 40, "learning_rate": 0.02, "progress": False, **OWN.get(name, {}), **settings})


def fitted(model, ratings):
    return model.fit(ratings.before(LAST))


@cache
def learned(name, **settings):
    """Fitted to :func:`drifting`, once for all tests that leave it as it is."""
    return fitted(make(name, **settings), drifting())


def errors(model, ratings):
    asked = ratings.select(ratings.period >= LAST)
    return (model.predict(asked) - asked.value) ** 2
