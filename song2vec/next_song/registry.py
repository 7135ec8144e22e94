"""Models by name; those that need an optional package are loaded when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from song2vec.next_song.artist_popularity import ArtistPopularity
from song2vec.next_song.base import NextSongModel
from song2vec.next_song.factors import ALS, BPR
from song2vec.next_song.heard import RepeatLast, SessionPopularity
from song2vec.next_song.markov import MarkovChain
from song2vec.next_song.nearest import NearestDoc2Vec, NearestMetaProd2Vec, NearestProduct2Vec, NearestSong
from song2vec.next_song.popularity import Popularity, RecentPopularity
from song2vec.next_song.rated import RatedSongs
from song2vec.next_song.rules import AssociationRules, ItemKNN, SequentialRules
from song2vec.next_song.sknn import SKNN
from song2vec.next_song.stan import STAN
from song2vec.next_song.vsknn import VSKNN
from song2vec.next_song.vstan import VSTAN
from song2vec.registry import Registry
from song2vec.settings import make

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
    NearestProduct2Vec,
    NearestMetaProd2Vec,
    NearestDoc2Vec,
    RatedSongs,
)
MODELS: Registry[NextSongModel] = Registry(
    "song2vec.next_song",
    _CLASSES,
    {
        "gru4rec": "rnn.gru4rec:GRU4Rec",
        "playlist-rnn": "rnn.playlist_rnn:PlaylistRNN",
        "hrnn": "rnn.hrnn:HRNN",
        "youtube": "feedforward.youtube:CandidateNetwork",
        "autoencoder": "feedforward.autoencoder:AutoEncoder",
        "blend": "blend:Blend",  # asks this registry for its members
    },
)


def make_model(name: str, settings: Mapping[str, Any] | None = None) -> NextSongModel:
    """A model by its name in ``MODELS``. Raises ArgumentError for an unknown name or setting."""
    return make("model", MODELS, name, settings or {})
