"""What is played, ever or lately, in this session or by its artists: the floor under every other model."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import FloatRange, learned, setting
from song2vec.core.jit import jit
from song2vec.models.base import NextSongModel
from song2vec.models.songs import histories
from song2vec.sessions import Sessions


class Popularity(NextSongModel):
    """Scores a song by its plays in training: the most played has the score m, the least played 1 ("POP").

    Attributes:
        scores_: (m,) float32.
    """

    name = "popularity"
    scores_: Array = learned()

    def _fit(self, sessions: Sessions) -> None:
        self.scores_ = _by_rank(np.bincount(sessions.songs, minlength=len(sessions.catalogue)))

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return np.broadcast_to(self.scores_, (len(plays), len(self.scores_)))


class RecentPopularity(Popularity):
    """Scores a song by its plays in training, a play of age a counting 2**(-a / half_life).

    Ages run from the end of the log as shares of its length: of its time where sessions have a start, else of its plays,
    in the order of the log. So the same half-life suits a log of a week and one of a year.
    """

    name = "recent-popularity"
    half_life: float = setting(
        FloatRange(0, above=True), default=0.03, tune=FloatRange(0.003, 1, log=True), help="after this share of the log a play counts half"
    )

    def _fit(self, sessions: Sessions) -> None:
        weights = np.exp2(-_ages(sessions) / self.half_life)
        self.scores_ = _by_rank(np.bincount(sessions.songs, weights, len(sessions.catalogue)))


class SessionPopularity(Popularity):
    """Songs of this session by how often they were played in it, then all others by popularity ("S-POP", Hidasi et al. 2016).

    Of songs played equally often in the session the more popular is ahead.
    """

    name = "session-popularity"

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = np.tile(self.scores_, (len(plays), 1))
        _most_played_first(sessions.songs, *histories(sessions, plays), self.scores_, scores)
        return scores


class RepeatLast(NextSongModel):
    """The last song again, then the earlier ones of the session, the latest first; every other song scores 0."""

    name = "repeat-last"

    def _fit(self, sessions: Sessions) -> None:
        """Nothing is to be learned."""

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = np.zeros((len(plays), len(self._fitted())), np.float32)
        _latest_first(sessions.songs, *histories(sessions, plays), scores)
        return scores


class ArtistPopularity(Popularity):
    """Songs by the artists of this session first, the most popular ahead, then all others by popularity.

    Where the catalogue names no artists it is popularity.

    Attributes:
        artist_: (m,) int32 number of each song's artist; empty where the catalogue names none.
        offsets_, songs_: artist a's songs are ``songs_[offsets_[a]:offsets_[a + 1]]``.
    """

    name = "artist-popularity"
    artist_: Array = learned()
    offsets_: Array = learned()
    songs_: Array = learned()

    def _fit(self, sessions: Sessions) -> None:
        super()._fit(sessions)
        named = sessions.catalogue.artist_codes
        codes = np.empty(0, np.int64) if named is None else np.unique(named, return_inverse=True)[1]
        self.artist_ = codes.astype(np.int32)
        self.offsets_ = np.concatenate([[0], np.cumsum(np.bincount(codes))]).astype(np.int64)
        self.songs_ = np.argsort(codes, kind="stable").astype(np.int32)

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = np.tile(self.scores_, (len(plays), 1))
        if len(self.artist_):
            _lift_artists(self.artist_, self.offsets_, self.songs_, sessions.songs, *histories(sessions, plays), scores)
        return scores


def _by_rank(weights: Array) -> Array:
    """(m,) float32: m for the heaviest song down to 1 for the lightest; of equal weights the lower row is ahead."""
    scores = np.empty(len(weights), np.float32)
    scores[np.argsort(-weights, kind="stable")] = np.arange(len(weights), 0, -1)
    return scores


def _ages(sessions: Sessions) -> Array:
    """(plays,) float64: 0 for the latest play, 1 for the first."""
    if sessions.start is None:
        return np.linspace(1, 0, sessions.plays)
    start = np.repeat(sessions.start, sessions.lengths)
    age: Array = (start.max() - start) / max(1, int(start.max() - start.min()))
    return age


@jit
def _most_played_first(songs: Array, begin: Array, end: Array, popularity: Array, scores: Array) -> None:
    """Lift the songs of each history over all others: of d different ones the most played scores m + d, the least m + 1."""
    m = len(popularity)
    for i in range(len(begin)):
        history = np.sort(songs[begin[i] : end[i]])
        keys = np.empty(len(history), np.int64)
        d = count = 0
        for place in range(len(history)):
            count += 1
            if place + 1 == len(history) or history[place + 1] != history[place]:
                keys[d] = count * (m + 1) + np.int64(popularity[history[place]])
                history[d] = history[place]
                d += 1
                count = 0
        order = np.argsort(keys[:d])
        for rank in range(d):
            scores[i, history[order[rank]]] = np.float32(m + 1 + rank)


@jit
def _latest_first(songs: Array, begin: Array, end: Array, scores: Array) -> None:
    """Score each song of a history by the place of its latest play in it, from 1."""
    for i in range(len(begin)):
        for play in range(begin[i], end[i]):
            scores[i, songs[play]] = np.float32(play - begin[i] + 1)


@jit
def _lift_artists(artist: Array, offsets: Array, songs: Array, played: Array, begin: Array, end: Array, scores: Array) -> None:
    """Add m to the score of every song by an artist of the history, once, so that they keep their order over all others."""
    m = len(artist)
    for i in range(len(begin)):
        for play in range(begin[i], end[i]):
            code = artist[played[play]]
            if scores[i, played[play]] > m:  # this artist is lifted
                continue
            for place in range(offsets[code], offsets[code + 1]):
                scores[i, songs[place]] += np.float32(m)
