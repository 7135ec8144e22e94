"""What is played, ever or lately, in this session or by its artists: the floor under every other model."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array, ranges
from song2vec.core.config import FloatRange, learned, setting
from song2vec.models.base import NextSongModel
from song2vec.models.songs import histories, plays_of_histories
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
        if sessions.start is None:
            age = np.linspace(1, 0, sessions.plays)
        else:
            start = np.repeat(sessions.start, sessions.lengths)
            age = (start.max() - start) / max(1, int(start.max() - start.min()))
        weights = np.exp2(-age / self.half_life)
        self.scores_ = _by_rank(np.bincount(sessions.songs, weights, len(sessions.catalogue)))


class SessionPopularity(Popularity):
    """Songs of this session by how often they were played in it, then all others by popularity ("S-POP", Hidasi et al. 2016).

    Of songs played equally often in the session the more popular is ahead: of d different ones the best scores m + d, the least m + 1.
    """

    name = "session-popularity"

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores, m = np.tile(self.scores_, (len(plays), 1)), len(self.scores_)
        owner, song = plays_of_histories(sessions, plays)
        keys, times = np.unique(owner * m + song, return_counts=True)
        owner, song = np.divmod(keys, m)
        order = np.lexsort((self.scores_[song], times, owner))
        scores[owner, song[order]] = m + 1 + np.arange(len(order)) - np.searchsorted(owner, owner)
        return scores


class RepeatLast(NextSongModel):
    """The last song again, then the earlier ones of the session, the latest first; every other song scores 0."""

    name = "repeat-last"

    def _fit(self, sessions: Sessions) -> None:
        """Nothing is to be learned."""

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = np.zeros((len(plays), len(self._fitted())), np.float32)
        begin, end = histories(sessions, plays)
        owner, play = ranges(begin, end - begin)
        scores[owner, sessions.songs[play]] = play - begin[owner] + 1  # of a song that came several times, the last is written last
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
        scores, artists = np.tile(self.scores_, (len(plays), 1)), len(self.offsets_) - 1
        if artists:
            owner, song = plays_of_histories(sessions, plays)
            owner, artist = np.divmod(np.unique(owner * artists + self.artist_[song]), artists)
            which, place = ranges(self.offsets_[artist], self.offsets_[artist + 1] - self.offsets_[artist])
            scores[owner[which], self.songs_[place]] += len(self.artist_)
        return scores


def _by_rank(weights: Array) -> Array:
    """(m,) float32: m for the heaviest song down to 1 for the lightest; of equal weights the lower row is ahead."""
    scores = np.empty(len(weights), np.float32)
    scores[np.argsort(-weights, kind="stable")] = np.arange(len(weights), 0, -1)
    return scores
