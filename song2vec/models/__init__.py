"""Next-song models: one a file behind one contract."""

from __future__ import annotations

from song2vec.models.base import MODELS, NextSongModel, make_model
from song2vec.models.blend import Blend
from song2vec.models.factors import ALS, BPR
from song2vec.models.live import LiveSession
from song2vec.models.nearest import Nearest
from song2vec.models.neighbours import SKNN, STAN, VSKNN, VSTAN
from song2vec.models.popularity import ArtistPopularity, Popularity, RecentPopularity, RepeatLast, SessionPopularity
from song2vec.models.rated import RatedSongs
from song2vec.models.rules import AssociationRules, ItemKNN, MarkovChain, SequentialRules

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
