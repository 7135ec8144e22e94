"""Word2vec over other words than the songs in their order: sets of them (product2vec), and songs with their artists (metaprod2vec)."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Self

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.config import FloatRange, IntRange, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors.learner import WHOLE, WINDOW, SampledLearner, Window
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.training.weights import check_plays
from song2vec.vectors.word2vec import Word2Vec

logger = logging.getLogger("song2vec")


class Product2Vec(SampledLearner):
    """Skip-gram over sets (item2vec: Barkan & Koenigstein 2016, arXiv:1603.04259; after prod2vec: Grbovic et al. 2015).

    A session counts as the set of its songs: neither their order nor how often each comes matters, not even to the last
    bit. The work grows with the square of a set's size, up to 1,000 songs each way.

    On radio playlists (yes.com) the mean of its vectors finds the other half of a playlist better than any other learner's; the
    next song it finds worse than all of them: for that :class:`song2vec.Word2Vec` is better (``benchmarks/bench_learners.py``).
    """

    name = "product2vec"

    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions``; returns self. Raises ArgumentError when none has two plays of different songs."""
        self.check()
        check_plays("sessions", sessions)
        word2vec = Word2Vec(**self.settings, window="session").fit(as_sets(sessions))
        self.vectors_, self.history_ = word2vec.vectors_, word2vec.history_
        return self


def as_sets(sessions: Sessions) -> Sessions:
    """Each song of a session once, the most played first, so that sessions with the same songs are the same: [3 1 3 0] becomes [0 1 3]."""
    session = np.repeat(np.arange(len(sessions)), sessions.lengths)
    order = np.lexsort([sessions.songs, session])
    songs = sessions.songs[order]
    first = np.ones(len(songs), bool)
    first[1:] = (songs[1:] != songs[:-1]) | (session[1:] != session[:-1])
    return replace(sessions, songs=songs, dwell=None).keep(plays=first)


class MetaProd2Vec(SampledLearner):
    """Skip-gram over songs and their artists in one space (Vasile, Smirnova & Conneau 2016, arXiv:1607.07326, equation 8).

    Every song of a session is followed by its artist, and a window reaches over twice as many: songs predict the songs and the
    artists around them, artists both as well, and a song its own artist. That is J|I, M|I, J|M, M|M and I|M of the paper,
    in one softmax over songs and artists. Songs without an artist are trained as :class:`song2vec.Word2Vec` does.

    Any other label of songs will do, an album or a genre: a catalogue's ``artists`` are what is read.

    On radio playlists (yes.com) it finds songs never played among the first ten more often than word2vec by the mean of the artist's
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
        FloatRange(0), default=1.0, tune=FloatRange(0, 1), help="how much an artist counts as what is predicted; lambda of the paper"
    )
    artist_vectors_: SongVectors = learned(SongVectors)

    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions`` and of their artists; returns self. Raises ArgumentError where Word2Vec does."""
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
        """Vectors of a catalogue's songs, their own or else their artist's, less songs with neither; raises ArgumentError for none."""
        self._check_fitted()
        own = catalogue.rows_in(self.vectors_.catalogue)
        both = np.concatenate([self.vectors_.unit, self.artist_vectors_.unit])
        artists, songs = self.artist_vectors_.catalogue, len(self.vectors_)
        names: list[str | None] = [None] * len(catalogue) if catalogue.artists is None else catalogue.artists.to_list()
        of_artist = np.array([songs + artists.row(name) if name is not None and name in artists else -1 for name in names], np.int64)
        rows = np.where(own >= 0, own, of_artist)
        if not (rows >= 0).any():
            raise ArgumentError("catalogue: neither a song nor an artist of it was seen in training; at least one is needed")
        return SongVectors(both[rows[rows >= 0]], catalogue.subset(np.flatnonzero(rows >= 0)))


def with_artists(sessions: Sessions) -> tuple[Sessions, list[str]]:
    """Every play followed by its song's artist, as words, and the artists: songs 0 1 2 by X, none and X become 0 3 1 2 3, where 3 is X."""
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
