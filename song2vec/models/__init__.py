"""Next-song models: one a file behind one contract."""

from __future__ import annotations

from song2vec.models.artist_popularity import ArtistPopularity
from song2vec.models.base import MODELS, NextSongModel, make_model
from song2vec.models.blend import Blend
from song2vec.models.factors import ALS, BPR
from song2vec.models.heard import RepeatLast, SessionPopularity
from song2vec.models.live import LiveSession
from song2vec.models.markov import MarkovChain
from song2vec.models.nearest import Nearest, NearestDoc2Vec, NearestMetaProd2Vec, NearestProduct2Vec, NearestSong
from song2vec.models.popularity import Popularity, RecentPopularity
from song2vec.models.rated import RatedSongs
from song2vec.models.rules import AssociationRules, ItemKNN, SequentialRules
from song2vec.models.sknn import SKNN
from song2vec.models.stan import STAN
from song2vec.models.vsknn import VSKNN
from song2vec.models.vstan import VSTAN

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
    "Blend",
    "CandidateNetwork",
    "GRU4Rec",
    "ItemKNN",
    "LiveSession",
    "MarkovChain",
    "Nearest",
    "NearestDoc2Vec",
    "NearestMetaProd2Vec",
    "NearestProduct2Vec",
    "NearestSong",
    "NextSongModel",
    "PlaylistRNN",
    "Popularity",
    "RatedSongs",
    "RecentPopularity",
    "RepeatLast",
    "SequentialRules",
    "SessionPopularity",
    "make_model",
]


def __getattr__(name: str) -> type[NextSongModel]:
    """Models that load torch, by the names of their classes."""
    return MODELS.class_named(name)
