"""What was heard in this session may come again: its most played songs first, or its latest."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.models.base import histories
from song2vec.models.old import OldStyle
from song2vec.models.popularity import standing
from song2vec.sessions import Sessions


class SessionPopularity(OldStyle):
    """Songs of this session by how often they were played in it, then all others by popularity ("S-POP", Hidasi et al. 2016).

    Of songs played equally often in the session the more popular is ahead.
    """

    name = "session-popularity"

    def _fit(self, sessions: Sessions) -> None:
        self.standing_ = standing(np.bincount(sessions.songs, minlength=len(sessions.catalogue)))

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = np.tile(self.standing_, (len(plays), 1))
        most_played_first(sessions.songs, *histories(sessions, plays), self.standing_, scores)
        return scores


class RepeatLast(OldStyle):
    """The last song again, then the earlier ones of the session, the latest first; every other song scores 0."""

    name = "repeat-last"

    def _fit(self, sessions: Sessions) -> None:
        """Nothing is to be learned."""

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = np.zeros((len(plays), len(self._fitted())), np.float32)
        latest_first(sessions.songs, *histories(sessions, plays), scores)
        return scores


@jit
def most_played_first(songs: Array, begin: Array, end: Array, standing: Array, scores: Array) -> None:
    """Lift the songs of each history over all others: of d different ones the most played scores m + d, the least m + 1."""
    m = len(standing)
    for i in range(len(begin)):
        heard = np.sort(songs[begin[i] : end[i]])
        keys = np.empty(len(heard), np.int64)
        d = count = 0
        for place in range(len(heard)):
            count += 1
            if place + 1 == len(heard) or heard[place + 1] != heard[place]:
                keys[d] = count * (m + 1) + np.int64(standing[heard[place]])
                heard[d] = heard[place]
                d += 1
                count = 0
        order = np.argsort(keys[:d])
        for rank in range(d):
            scores[i, heard[order[rank]]] = np.float32(m + 1 + rank)


@jit
def latest_first(songs: Array, begin: Array, end: Array, scores: Array) -> None:
    """Score each song of a history by the place of its latest play in it, from 1."""
    for i in range(len(begin)):
        for play in range(begin[i], end[i]):
            scores[i, songs[play]] = np.float32(play - begin[i] + 1)
