"""Models by name; those that need an optional package are loaded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from song2vec.errors import MissingExtraError
from song2vec.next_song.artist_popularity import ArtistPopularity
from song2vec.next_song.base import NextSongModel
from song2vec.next_song.factors import ALS, BPR
from song2vec.next_song.heard import RepeatLast, SessionPopularity
from song2vec.next_song.markov import MarkovChain
from song2vec.next_song.nearest import NearestDoc2Vec, NearestMetaProd2Vec, NearestProduct2Vec, NearestSong
from song2vec.next_song.popularity import Popularity, RecentPopularity
from song2vec.next_song.rules import AssociationRules, ItemKNN, SequentialRules
from song2vec.next_song.sknn import SKNN
from song2vec.next_song.stan import STAN
from song2vec.next_song.vsknn import VSKNN
from song2vec.next_song.vstan import VSTAN
from song2vec.settings import make


class Models(Mapping[str, type[NextSongModel]]):
    """Names of models and their classes.

    Args:
        ready: classes, named by themselves.
        later: names, and "module:Class" within ``next_song``: what imports torch, or this registry.

    Looking up a model raises MissingExtraError where torch is not installed.
    """

    def __init__(self, ready: tuple[type[NextSongModel], ...], later: Mapping[str, str]) -> None:
        self._ready = {model.name: model for model in ready}
        self._later = dict(later)

    def __getitem__(self, name: str) -> type[NextSongModel]:
        if name not in self._later:
            return self._ready[name]
        module, _, kind = self._later[name].partition(":")
        try:
            model: type[NextSongModel] = getattr(import_module(f"song2vec.next_song.{module}"), kind)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "torch":
                raise
            raise MissingExtraError("torch", "rnn", f"the model {name!r}") from error
        return model

    def __contains__(self, name: object) -> bool:
        return name in self._ready or name in self._later

    def __iter__(self) -> Iterator[str]:
        yield from self._ready
        yield from self._later

    def __len__(self) -> int:
        return len(self._ready) + len(self._later)

    def class_named(self, kind: str) -> type[NextSongModel]:
        """A model that is loaded late, by the name of its class. Raises AttributeError for any other name."""
        for name, place in self._later.items():
            if place.partition(":")[2] == kind:
                return self[name]
        raise AttributeError(f"module 'song2vec.next_song' has no attribute {kind!r}")


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
)
MODELS = Models(
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
