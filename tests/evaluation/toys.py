"""Small models with known answers, and a small test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import Choice, learned, setting
from song2vec.models import MarkovChain, NextSongModel
from song2vec.sessions import Sessions


class Fixed(NextSongModel):
    """Gives every query the same scores, those it is given by row."""

    name = "fixed"

    scores: tuple[float, ...] = setting(Choice(()), default=(), help="of all songs")
    scores_: Array = learned()

    def check(self) -> None:
        """Any scores are allowed."""

    def _fit(self, sessions: Sessions) -> None:
        self.scores_ = np.array(self.scores, np.float32)

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return np.broadcast_to(self.scores_, (len(plays), len(self.scores_)))


class OutOfOrder(MarkovChain):
    """A Markov chain that answers in blocks of one to three, in random order."""

    name = "out of order"

    def score_blocks(self, sessions: Sessions, plays: Array) -> Iterator[tuple[Array, Array]]:
        random = np.random.default_rng(0)
        left = random.permutation(plays)
        while len(left):
            size = random.integers(1, 4)
            block, left = left[:size], left[size:]
            yield block, self.score(sessions, block)


class Forgetful(MarkovChain):
    """Leaves the last query out."""

    name = "forgetful"

    def score_blocks(self, sessions: Sessions, plays: Array) -> Iterator[tuple[Array, Array]]:
        return super().score_blocks(sessions, plays[:-1])


def random_log(sessions: int = 200, songs: int = 30, seed: int = 0) -> Sessions:
    """Sessions in which the next song is the next number or a random one."""
    random = np.random.default_rng(seed)
    lists = []
    for _ in range(sessions):
        played = [int(random.integers(songs))]
        for _ in range(random.integers(1, 9)):
            played.append(int((played[-1] + 1) % songs if random.random() < 0.5 else random.integers(songs)))
        lists.append(played)
    return Sessions.from_lists(lists)


def halves(log: Sessions) -> tuple[Sessions, Sessions]:
    """The first half to learn from, the second to test by."""
    half = len(log) // 2
    return log.keep(np.arange(half)), log.keep(np.arange(half, len(log)))
