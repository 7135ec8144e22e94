"""Models by name; those that need an optional package are loaded when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from song2vec.core.registry import Registry
from song2vec.models.base import NextSongModel

MODELS: Registry[NextSongModel] = Registry(
    "model",
    {
        "popularity": "models.popularity:Popularity",
        "recent-popularity": "models.popularity:RecentPopularity",
        "session-popularity": "models.heard:SessionPopularity",
        "repeat-last": "models.heard:RepeatLast",
        "artist-popularity": "models.artist_popularity:ArtistPopularity",
        "markov": "models.markov:MarkovChain",
        "ar": "models.rules:AssociationRules",
        "sr": "models.rules:SequentialRules",
        "item-knn": "models.rules:ItemKNN",
        "sknn": "models.sknn:SKNN",
        "vsknn": "models.vsknn:VSKNN",
        "stan": "models.stan:STAN",
        "vstan": "models.vstan:VSTAN",
        "als": "models.factors:ALS",
        "bpr": "models.factors:BPR",
        "nearest": "models.nearest:NearestSong",
        "product2vec": "models.nearest:NearestProduct2Vec",
        "metaprod2vec": "models.nearest:NearestMetaProd2Vec",
        "doc2vec": "models.nearest:NearestDoc2Vec",
        "ratings": "models.rated:RatedSongs",
        "gru4rec": "models.networks.rnn.gru4rec:GRU4Rec",
        "playlist-rnn": "models.networks.rnn.playlist_rnn:PlaylistRNN",
        "hrnn": "models.networks.rnn.hrnn:HRNN",
        "youtube": "models.networks.feedforward.youtube:CandidateNetwork",
        "autoencoder": "models.networks.feedforward.autoencoder:AutoEncoder",
        "blend": "models.blend:Blend",
    },
)


def make_model(name: str, settings: Mapping[str, Any] | None = None) -> NextSongModel:
    """A model by its name in ``MODELS``. Raises ArgumentError for an unknown name or setting, with the nearest known one."""
    return MODELS.make(name, settings)
