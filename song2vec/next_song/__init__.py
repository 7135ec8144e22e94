"""Next-song models: one a file behind one contract."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from song2vec.next_song.artist_popularity import ArtistPopularity
from song2vec.next_song.base import NextSongModel, load_parts, restore_model
from song2vec.next_song.factors import ALS, BPR
from song2vec.next_song.heard import RepeatLast, SessionPopularity
from song2vec.next_song.live import LiveSession
from song2vec.next_song.markov import MarkovChain
from song2vec.next_song.nearest import NearestSong
from song2vec.next_song.popularity import Popularity, RecentPopularity
from song2vec.next_song.registry import Models
from song2vec.next_song.rules import AssociationRules, ItemKNN, SequentialRules
from song2vec.next_song.sknn import SKNN
from song2vec.next_song.stan import STAN
from song2vec.next_song.vsknn import VSKNN
from song2vec.next_song.vstan import VSTAN
from song2vec.settings import make

__all__ = [
    "ALS",
    "BPR",
    "HRNN",
    "MODELS",
    "SKNN",
    "STAN",
    "VSKNN",
    "VSTAN",
    "ArtistPopularity",
    "AssociationRules",
    "AutoEncoder",
    "CandidateNetwork",
    "GRU4Rec",
    "ItemKNN",
    "LiveSession",
    "MarkovChain",
    "NearestSong",
    "NextSongModel",
    "PlaylistRNN",
    "Popularity",
    "RecentPopularity",
    "RepeatLast",
    "SequentialRules",
    "SessionPopularity",
    "load_model",
    "make_model",
]

_CLASSES: tuple[type[NextSongModel], ...] = (
    Popularity,
    RecentPopularity,
    SessionPopularity,
    RepeatLast,
    ArtistPopularity,
    MarkovChain,
    AssociationRules,
    SequentialRules,
    ItemKNN,
    SKNN,
    VSKNN,
    STAN,
    VSTAN,
    ALS,
    BPR,
    NearestSong,
)
MODELS = Models(
    _CLASSES,
    {
        "gru4rec": "rnn.gru4rec:GRU4Rec",
        "playlist-rnn": "rnn.playlist_rnn:PlaylistRNN",
        "hrnn": "rnn.hrnn:HRNN",
        "youtube": "feedforward.youtube:CandidateNetwork",
        "autoencoder": "feedforward.autoencoder:AutoEncoder",
    },
)


def __getattr__(name: str) -> type[NextSongModel]:
    """Models that load torch, by the names of their classes."""
    return MODELS.class_named(name)


def make_model(name: str, settings: Mapping[str, Any] | None = None) -> NextSongModel:
    """A model by its name in ``MODELS``. Raises ArgumentError for an unknown name or setting."""
    return make("model", MODELS, name, settings or {})


def load_model(path: str | os.PathLike[str]) -> NextSongModel:
    """Load a next-song model that its ``save`` wrote. Raises SavedFolderError when it is corrupt or of another kind."""
    return restore_model(load_parts(path), MODELS, path)
