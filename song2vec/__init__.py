"""song2vec: song similarity and next songs from listening logs. Sessions are sentences, songs are words."""

from typing import TYPE_CHECKING

from song2vec.catalogue import Catalogue
from song2vec.core.checks import suggestion
from song2vec.core.errors import Song2VecError
from song2vec.engine import Engine, EngineInfo
from song2vec.evaluation import compare, evaluate, tune, tune_weight
from song2vec.listens import Listens, classic_rock, read_listens
from song2vec.maps import SongMap, song_map
from song2vec.models import (
    ALS,
    BPR,
    MODELS,
    SKNN,
    STAN,
    VSKNN,
    VSTAN,
    ArtistPopularity,
    AssociationRules,
    Blend,
    ItemKNN,
    MarkovChain,
    Nearest,
    NextSongModel,
    Popularity,
    RatedSongs,
    RecentPopularity,
    RepeatLast,
    SequentialRules,
    SessionPopularity,
    make_model,
)
from song2vec.playlists import Pick, Playlist, Radio, bridge, playlist, radio
from song2vec.ratings import RATERS, BiasedMF, RatingModel, Ratings, TimeSVDpp, count_plays
from song2vec.search import AnnoyIndex, ExactIndex, Filters, HNSWIndex, SongIndex
from song2vec.search.listeners import Listener, listener
from song2vec.sessions import Sessions, cut_sessions
from song2vec.sessions.splits import split_at_random, split_by_listener, split_by_time, split_last_session, split_predefined
from song2vec.vectors import SIF, Doc2Vec, MetaProd2Vec, Product2Vec, SongVectors, Word2Vec, Word2VecEnsemble

__version__ = "0.1.0"

__all__ = [
    "ALS",
    "BPR",
    "HRNN",
    "MODELS",
    "RATERS",
    "RRN",
    "SIF",
    "SKNN",
    "STAN",
    "VSKNN",
    "VSTAN",
    "AnnoyIndex",
    "ArtistPopularity",
    "AssociationRules",
    "AutoEncoder",
    "BiasedMF",
    "Blend",
    "CandidateNetwork",
    "Catalogue",
    "Doc2Vec",
    "Engine",
    "EngineInfo",
    "ExactIndex",
    "Filters",
    "GRU4Rec",
    "HNSWIndex",
    "ItemKNN",
    "Listener",
    "Listens",
    "MarkovChain",
    "MetaProd2Vec",
    "Nearest",
    "NextSongModel",
    "Pick",
    "Playlist",
    "PlaylistRNN",
    "Popularity",
    "Product2Vec",
    "Radio",
    "RatedSongs",
    "RatingModel",
    "Ratings",
    "RecentPopularity",
    "RepeatLast",
    "SequentialRules",
    "SessionPopularity",
    "Sessions",
    "Song2VecError",
    "SongIndex",
    "SongMap",
    "SongVectors",
    "TimeSVDpp",
    "Word2Vec",
    "Word2VecEnsemble",
    "bridge",
    "classic_rock",
    "compare",
    "count_plays",
    "cut_sessions",
    "evaluate",
    "listener",
    "make_model",
    "playlist",
    "radio",
    "read_listens",
    "song_map",
    "split_at_random",
    "split_by_listener",
    "split_by_time",
    "split_last_session",
    "split_predefined",
    "tune",
    "tune_weight",
]


if TYPE_CHECKING:  # these load torch, when they are asked for
    from song2vec.models.networks.autoencoder.model import AutoEncoder
    from song2vec.models.networks.candidates.model import CandidateNetwork
    from song2vec.models.networks.gru4rec.model import GRU4Rec
    from song2vec.models.networks.hrnn import HRNN
    from song2vec.models.networks.playlist_rnn import PlaylistRNN
    from song2vec.ratings.rrn.model import RRN
else:

    def __getattr__(name: str) -> type:
        """Models that load torch, by the names of their classes. Raises AttributeError, with the nearest name there is."""
        if name in __all__:
            return RATERS.class_named(name) if name == "RRN" else MODELS.class_named(name)
        raise AttributeError(f"module 'song2vec' has no attribute {name!r}{suggestion(name, __all__)}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
