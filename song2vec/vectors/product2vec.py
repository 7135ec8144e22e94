"""Product2vec: songs of a session as a set, in which every song is the context of every other."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np

from song2vec.sessions import Sessions
from song2vec.vectors.learner import SampledLearner
from song2vec.vectors.training.songs import check_plays
from song2vec.vectors.word2vec import Word2Vec


class Product2Vec(SampledLearner):
    """Skip-gram over sets (item2vec: Barkan & Koenigstein 2016, arXiv:1603.04259; after prod2vec: Grbovic et al. 2015).

    A session counts as the set of its songs: neither their order nor how often each comes matters, not even to the last
    bit. The work grows with the square of a set's size, up to 1,000 songs each way.

    On radio playlists (yes.com) the mean of its vectors finds the other half of a playlist better than any other learner's; the
    next song it finds worse than all of them: for that :class:`song2vec.Word2Vec` is better (``benchmarks/bench_learners.py``).

    """

    name = "product2vec"

    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions``; returns self.

        Raises ArgumentError for a hyperparameter outside its range, and when no session has two plays of different songs.
        """
        self.check()
        check_plays("sessions", sessions)
        word2vec = Word2Vec(**self.settings, window="session").fit(as_sets(sessions))
        self.vectors_, self.history_ = word2vec.vectors_, word2vec.history_
        return self


def as_sets(sessions: Sessions) -> Sessions:
    """Each song of a session once, the most played of the log first: the session [3 1 3 0] becomes [0 1 3].

    Songs in an order of their own, not by chance: two sessions with the same songs are the same.
    """
    session = np.repeat(np.arange(len(sessions)), sessions.lengths)
    order = np.lexsort([sessions.songs, session])
    songs = sessions.songs[order]
    first = np.ones(len(songs), bool)
    first[1:] = (songs[1:] != songs[:-1]) | (session[1:] != session[:-1])
    return replace(sessions, songs=songs, dwell=None).keep(plays=first)
