"""Every registered next-song model as the tests make it: small where the defaults are slow, and what it can learn."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.models import MODELS, NextSongModel, make_model
from song2vec.sessions import Sessions
from song2vec.testing.models import ModelCase, model_case
from tests.small import SETTINGS

NAMES = tuple(MODELS)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # matrix products differ in the last bits with their shape

# settings of models that are slow, or need much data, with their defaults
SMALL: dict[str, dict[str, Any]] = {
    "als": {"size": 12, "epochs": 5},
    "bpr": {"size": 12, "epochs": 60},
    "nearest": {"learner": {"name": "word2vec", "settings": {**SETTINGS, "epochs": 12}}},
    "item-knn": {"shrinkage": 1.0},
    "gru4rec": {"hidden": 16, "n_negatives": 32, "batch_size": 16, "learning_rate": 0.1, "workers": 1, "progress": False},
    "hrnn": {
        "hidden": 16,
        "listener_hidden": 8,
        "n_negatives": 32,
        "batch_size": 48,
        "learning_rate": 0.2,
        "workers": 1,
        "progress": False,
    },
    "ratings": {"rater": {"name": "time-svd++", "settings": {"size": 4, "epochs": 10, "progress": False}}},
    "blend": {"models": ["markov", "vsknn"]},
    "playlist-rnn": {"hidden": 16, "learning_rate": 0.1, "workers": 1, "progress": False},
    "autoencoder": {"hidden": 16, "epochs": 20, "batch_size": 16, "learning_rate": 0.1, "repeats": True, "workers": 1, "progress": False},
    "youtube": {
        "hidden": 16,
        "size": 16,
        "n_negatives": 32,
        "batch_size": 48,
        "learning_rate": 0.1,
        "window": 1,
        "workers": 1,
        "progress": False,
    },
}
# the structure of song2vec.testing.listen that a model finds; all others find "follows"
LEARNS = {
    "popularity": "popular",
    "recent-popularity": "recent",
    "session-popularity": "repeats",
    "repeat-last": "repeats",
    "artist-popularity": "group",
    "ar": "group",
    "item-knn": "group",
    "als": "group",
    "bpr": "group",
    "nearest": "group",
    "sknn": "group",
    "autoencoder": "group",
    "ratings": "popular",
}
# models that learn from songs which follow each other, and refuse a log without any
NEED_PAIRS = ("nearest", "gru4rec", "playlist-rnn", "hrnn", "youtube")


def make(name: str, **settings: Any) -> NextSongModel:
    """A model by its name, small unless these settings say otherwise."""
    return make_model(name, SMALL.get(name, {}) | settings)


@cache
def case(name: str) -> ModelCase:
    """A model as the battery asks for it; tests share it."""
    return model_case(make(name), LEARNS.get(name, "follows"))


def log() -> tuple[Sessions, Sessions]:
    """(train, test) of the small log of the battery."""
    return case("popularity").data, case("popularity").test


def fitted(name: str) -> NextSongModel:
    """A model of the small log; tests share it."""
    return case(name).fitted


def some_plays(sessions: Sessions, n: int = 40) -> Array:
    """Plays of all sessions, in no order."""
    return np.random.default_rng(0).permutation(sessions.plays)[:n]
