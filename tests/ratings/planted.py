"""Raters as the tests make them: small, and fitted to listeners whose tastes drift."""

from __future__ import annotations

from functools import cache

from song2vec.ratings import RATERS
from song2vec.testing.raters import LAST, drifting

OWN = {"rrn": {"batch_size": 48, "learning_rate": 0.04, "workers": 1}}


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
