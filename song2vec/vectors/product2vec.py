"""Product2vec: songs of a session as a set, in which every song is the context of every other."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from song2vec.core.settings import Choice, Configured, Real, Space, Whole
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.training.songs import check_sessions
from song2vec.vectors.word2vec import Word2Vec


class Product2Vec(Configured):
    """Skip-gram over sets (item2vec: Barkan & Koenigstein 2016, arXiv:1603.04259; after prod2vec: Grbovic et al. 2015).

    A session counts as the set of its songs: neither their order nor how often each comes matters, not even to the last
    bit. The work grows with the square of a set's size, up to 1,000 songs each way.

    On radio playlists (yes.com) the mean of its vectors finds the other half of a playlist better than any other learner's; the
    next song it finds worse than all of them: for that :class:`song2vec.Word2Vec` is better (``benchmarks/bench_learners.py``).

    Args:
        loss, size, n_negatives, negative_exponent, context_weight, subsample, learning_rate, epochs, workers, seed, progress:
            as in :class:`song2vec.Word2Vec`.

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
    """

    space: ClassVar[Space] = {
        "loss": Choice(("hierarchical-softmax", "negative-sampling")),
        "size": Whole(32, 256, log=True),
        "context_weight": Real(0, 1),
        "learning_rate": Real(0.005, 0.1, log=True),
        "epochs": Whole(5, 60, log=True),
    }
    vectors_: SongVectors

    def __init__(
        self,
        *,
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

    def fit(self, sessions: Sessions) -> Product2Vec:
        """Learn vectors of the songs in ``sessions``; returns self.

        Raises ArgumentError for a hyperparameter outside its range, and when no session has two plays of different songs.
        """
        word2vec = Word2Vec(**self.settings, window="session")
        word2vec.check()
        check_sessions("sessions", sessions)
        self.vectors_ = word2vec.fit(as_sets(sessions)).vectors_
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
