"""MetaProd2vec: the artist of a song is part of its context, and stands in for songs that nobody has heard yet."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Self

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.config import FloatRange, IntRange, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors.learner import WHOLE, WINDOW, SampledLearner, Window
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.training.songs import check_plays
from song2vec.vectors.word2vec import Word2Vec

logger = logging.getLogger("song2vec")


class MetaProd2Vec(SampledLearner):
    """Skip-gram over songs and their artists in one space (Vasile, Smirnova & Conneau 2016, arXiv:1607.07326, equation 8).

    Every song of a session is followed by its artist, and a window reaches over twice as many: songs predict the songs and the
    artists around them, artists both as well, and a song its own artist. That is J|I, M|I, J|M, M|M and I|M of the paper,
    in one softmax over songs and artists. Songs without an artist are trained as :class:`song2vec.Word2Vec` does.

    Any other label of songs will do, an album or a genre: a catalogue's ``artists`` are what is read.

    On radio playlists (yes.com) it finds songs never heard among the first ten more often than word2vec by the mean of the artist's
    songs, and the next song a little less often than word2vec (``benchmarks/bench_learners.py``).

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
        artist_vectors_: SongVectors with a row for each artist of those songs, by name, in the space of the songs.
    """

    name = "metaprod2vec"
    window: Window = setting(
        WINDOW, default=3, tune=IntRange(1, 10), help=f"songs before and after that count as context, each with its artist; {WHOLE}"
    )
    artist_weight: float = setting(
        FloatRange(0),
        default=1.0,
        tune=FloatRange(0, 1),
        help="how much an artist counts as what is predicted, against a song; the lambda of the paper",
    )
    artist_vectors_: SongVectors = learned(SongVectors)

    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions`` and of their artists; returns self.

        Raises ArgumentError for a hyperparameter outside its range, and for sessions of which none has two plays.
        """
        self.check()
        check_plays("sessions", sessions)
        words, artists = with_artists(sessions)
        songs = len(sessions.catalogue)
        weights: dict[SongId, float] = dict.fromkeys(range(songs, songs + len(artists)), self.artist_weight)
        window = self.window if self.window == "session" else 2 * self.window + 1  # up to the artist of the last song within reach
        settings = {name: value for name, value in self.settings.items() if name != "artist_weight"} | {"window": window}
        word2vec = Word2Vec(**settings).fit(words, song_weights=weights)
        found, self.history_ = word2vec.vectors_, word2vec.history_
        ids = found.catalogue.ids.to_numpy()
        self.vectors_ = SongVectors(found.matrix[ids < songs], sessions.catalogue.subset(ids[ids < songs]))
        named = Catalogue([artists[word - songs] for word in ids[ids >= songs]], found.catalogue.plays[ids >= songs])
        self.artist_vectors_ = SongVectors(found.matrix[ids >= songs], named)
        if not len(named):
            logger.warning("metaprod2vec: no song of these sessions has an artist; the vectors are those of word2vec")
        return self

    def vectors_for(self, catalogue: Catalogue) -> SongVectors:
        """Vectors of the songs in a catalogue: their own, or for songs never heard that of their artist.

        Songs with neither are left out. Raises ArgumentError before ``fit`` and when no song has either.
        """
        self._check_fitted()
        own = catalogue.rows_in(self.vectors_.catalogue)
        both = np.concatenate([self.vectors_.unit, self.artist_vectors_.unit])
        rows = np.where(own >= 0, own, self._rows_of_artists(catalogue))
        if not (rows >= 0).any():
            raise ArgumentError("catalogue: neither a song nor an artist of it was heard in training; at least one is needed")
        return SongVectors(both[rows[rows >= 0]], catalogue.subset(np.flatnonzero(rows >= 0)))

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
