"""MetaProd2vec: the artist of a song is part of its context, and stands in for songs that nobody has heard yet."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.settings import Choice, Configured, Real, Space, Whole
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.training.songs import check_sessions
from song2vec.vectors.word2vec import Word2Vec

logger = logging.getLogger("song2vec")


class MetaProd2Vec(Configured):
    """Skip-gram over songs and their artists in one space (Vasile, Smirnova & Conneau 2016, arXiv:1607.07326, equation 8).

    Every song of a session is followed by its artist, and a window reaches over twice as many: songs foretell the songs and the
    artists around them, artists both as well, and a song its own artist. That is J|I, M|I, J|M, M|M and I|M of the paper,
    in one softmax over songs and artists. Songs without an artist are trained as :class:`song2vec.Word2Vec` does.

    Any other label of songs will do, an album or a genre: a catalogue's ``artists`` are what is read.

    On radio playlists (yes.com) it finds songs never heard among the first ten more often than word2vec by the mean of the artist's
    songs, and the next song a little less often than word2vec (``benchmarks/bench_learners.py``).

    Args:
        window: songs before and after that count as context, each with its artist; "session" for all of the session.
        artist_weight: how much an artist counts as what is foretold, against a song; the lambda of the paper.
        loss, size, n_negatives, negative_exponent, context_weight, subsample, learning_rate, epochs, workers, seed, progress:
            as in :class:`song2vec.Word2Vec`.

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
        artist_vectors_: SongVectors with a row for each artist of those songs, by name, in the space of the songs.
    """

    space: ClassVar[Space] = {
        "loss": Choice(("hierarchical-softmax", "negative-sampling")),
        "size": Whole(32, 256, log=True),
        "window": Whole(1, 10),
        "artist_weight": Real(0, 1),
        "context_weight": Real(0, 1),
        "learning_rate": Real(0.005, 0.1, log=True),
        "epochs": Whole(5, 60, log=True),
    }
    vectors_: SongVectors
    artist_vectors_: SongVectors

    def __init__(
        self,
        *,
        window: int | Literal["session"] = 3,
        artist_weight: float = 1.0,
        loss: Literal["negative-sampling", "hierarchical-softmax"] = "hierarchical-softmax",
        size: int = 128,
        n_negatives: int = 5,
        negative_exponent: float = 0.75,
        context_weight: float = 0.3,
        subsample: float = 1e-3,
        learning_rate: float = 0.025,
        epochs: int = 30,
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.window = window
        self.artist_weight = artist_weight
        self.loss = loss
        self.size = size
        self.n_negatives = n_negatives
        self.negative_exponent = negative_exponent
        self.context_weight = context_weight
        self.subsample = subsample
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def fit(self, sessions: Sessions) -> MetaProd2Vec:
        """Learn vectors of the songs in ``sessions`` and of their artists; returns self.

        Raises ArgumentError for a hyperparameter outside its range, and for sessions of which none has two plays.
        """
        word2vec = self._word2vec()
        check_sessions("sessions", sessions)
        words, artists = with_artists(sessions)
        songs = len(sessions.catalogue)
        weights: dict[SongId, float] = dict.fromkeys(range(songs, songs + len(artists)), self.artist_weight)
        learned = word2vec.fit(words, song_weights=weights).vectors_
        ids = learned.catalogue.ids.to_numpy()
        self.vectors_ = SongVectors(learned.matrix[ids < songs], sessions.catalogue.subset(ids[ids < songs]))
        named = Catalogue([artists[word - songs] for word in ids[ids >= songs]], learned.catalogue.plays[ids >= songs])
        self.artist_vectors_ = SongVectors(learned.matrix[ids >= songs], named)
        if not len(named):
            logger.warning("metaprod2vec: no song of these sessions has an artist; the vectors are those of word2vec")
        return self

    def vectors_for(self, catalogue: Catalogue) -> SongVectors:
        """Vectors of the songs in a catalogue: their own, or for songs never heard that of their artist.

        Songs with neither are left out. Raises ArgumentError before ``fit`` and when no song has either.
        """
        if not hasattr(self, "vectors_"):
            raise ArgumentError("this MetaProd2Vec has learned nothing yet; call fit(sessions) first")
        own = catalogue.rows_in(self.vectors_.catalogue)
        both = np.concatenate([self.vectors_.unit, self.artist_vectors_.unit])
        rows = np.where(own >= 0, own, self._rows_of_artists(catalogue))
        if not (rows >= 0).any():
            raise ArgumentError("catalogue: neither a song nor an artist of it was heard in training; at least one is needed")
        return SongVectors(both[rows[rows >= 0]], catalogue.subset(np.flatnonzero(rows >= 0)))

    def _word2vec(self) -> Word2Vec:
        """What trains, its hyperparameters checked."""
        if not isinstance(self.artist_weight, int | float | np.number) or not 0 <= self.artist_weight < np.inf:
            raise ArgumentError(f"artist_weight={self.artist_weight!r}: a number from 0 is allowed")
        word2vec = Word2Vec(**{name: value for name, value in self.settings.items() if name != "artist_weight"})
        word2vec.check()
        if self.window != "session":
            word2vec.window = 2 * self.window + 1  # up to the artist of the last song within reach
        return word2vec

    def _rows_of_artists(self, catalogue: Catalogue) -> Array:
        """(m,): where the artist of each song lies behind the songs, -1 for one not heard."""
        names: list[str | None] = [None] * len(catalogue) if catalogue.artists is None else catalogue.artists.to_list()
        known, songs = self.artist_vectors_.catalogue, len(self.vectors_)
        return np.array([songs + known.row(name) if name is not None and name in known else -1 for name in names], np.int64)


def with_artists(sessions: Sessions) -> tuple[Sessions, list[str]]:
    """Every play followed by its song's artist, as words; and the artists of the songs that are played.

    Of three songs by the artists X, none and X, a session of all three becomes the words 0 3 1 2 3: word 3 is X.
    """
    catalogue = sessions.catalogue
    names = catalogue.artists
    artists = [] if names is None else names.gather(np.unique(sessions.songs)).drop_nulls().unique(maintain_order=True).to_list()
    place = {name: len(catalogue) + number for number, name in enumerate(artists)}
    word = np.array([-1] * len(catalogue) if names is None else [place.get(name, -1) for name in names.to_list()], np.int32)
    pairs = np.stack([sessions.songs, word[sessions.songs]], axis=1)
    there = pairs.ravel() >= 0
    plays = np.bincount(pairs.ravel()[there], minlength=len(catalogue) + len(artists))
    words = Catalogue(range(len(plays)), plays)
    doubled = sessions.keep(plays=1 + (pairs[:, 1] >= 0))
    return replace(doubled, songs=pairs.ravel()[there], catalogue=words, dwell=None), artists
