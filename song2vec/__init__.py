"""song2vec: song similarity from listening logs. Sessions are sentences, songs are words."""

from song2vec.catalogue import Catalogue
from song2vec.engine import Engine
from song2vec.errors import Song2VecError
from song2vec.listens import Listens, read_listens
from song2vec.maps import SongMap, song_map
from song2vec.samples import classic_rock
from song2vec.search import AnnoyIndex, ExactIndex, Filters
from song2vec.sessions import Sessions, cut_sessions
from song2vec.splits import split_at_random
from song2vec.vectors import SongVectors, Word2Vec

__version__ = "0.1.0"

__all__ = [
    "AnnoyIndex",
    "Catalogue",
    "Engine",
    "ExactIndex",
    "Filters",
    "Listens",
    "Sessions",
    "Song2VecError",
    "SongMap",
    "SongVectors",
    "Word2Vec",
    "classic_rock",
    "cut_sessions",
    "read_listens",
    "song_map",
    "split_at_random",
]
