"""What followed the last song before: a first-order Markov chain."""

from __future__ import annotations

import numpy as np

from song2vec.arrays import Array
from song2vec.next_song.base import NextSongModel
from song2vec.next_song.followers import adjacent, followers, rank_scores
from song2vec.sessions import Sessions


class MarkovChain(NextSongModel):
    """Ranks songs by p(next = j | last = i), the share of j among the plays right after i.

    Of songs that followed equally often, the one that did so first in training is ahead, as in a dictionary of counts; the
    score is 1 / rank, which keeps that order. Songs that never followed score 0.
    """

    name = "markov"

    def _fit(self, sessions: Sessions) -> None:
        self.offsets_, self.songs_, _ = followers(*adjacent(sessions), None, len(sessions.catalogue))

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = np.zeros((len(plays), len(self.catalogue_)), np.float32)
        rank_scores(self.offsets_, self.songs_, sessions.songs[plays], scores)
        return scores
