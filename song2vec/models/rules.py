"""Rules of two songs: what comes after the last song, what is played with it, and what is played by the same sessions.

All are transition tables: to each song a short list of others. Here of two songs; after song 0 come 1 (weight 3) and 0 (weight 1),
after song 1 comes 0 (weight 2)::

    offsets [0 2 3]     song i's list is songs[offsets[i]:offsets[i + 1]]
    songs   [1 0 | 0]
    weights [3 1 | 2]   heaviest first
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array, ranges
from song2vec.core.config import Choice, FloatRange, IntRange, learned, setting
from song2vec.models._transition_kernels import add_lists, find_lists
from song2vec.models.base import NextSongModel
from song2vec.models.songs import histories
from song2vec.sessions import Sessions

NEIGHBOURS = Choice((20, 50, 100, 200, 500))
_PAIRS = 1 << 24  # held at once while a table is made: 128 MiB
_EMPTY = np.empty(0)


class TransitionTable(NamedTuple):
    """The arrays above: offsets (m + 1,) int64; songs int32; weights float32."""

    offsets: Array
    songs: Array
    weights: Array


class TransitionModel(NextSongModel):
    """A model that scores songs by their weights in the list of the last song played; songs that are not in it score 0.

    Attributes:
        table_: the lists. Of equally heavy songs the one that was first seen there in training is ahead, by the last bit of
            its weight.
    """

    table_: TransitionTable = learned(TransitionTable)

    def _scores(self, sessions: Sessions, plays: Array, decay: float = 0.0) -> Array:
        """With a ``decay`` above 0 the lists of earlier songs are added, each counting ``decay`` times the one after it."""
        scores = np.zeros((len(plays), len(self._fitted())), np.float32)
        begin, end = histories(sessions, plays)
        add_lists(*self.table_, sessions.songs, begin, end, float(decay), scores)
        return scores


class MarkovChain(TransitionModel):
    """Scores songs by p(next = j | last = i), the share of j among the plays right after i.

    Of songs that followed equally often, the one that did so first in training is ahead, as in a dictionary of counts.
    Songs that never followed score 0.
    """

    name = "markov"

    def _fit(self, sessions: Sessions) -> None:
        self.table_ = transition_table(sessions, steps=1)


class AssociationRules(TransitionModel):
    """Scores songs by how often they are played in a session together with the last song ("AR").

    Each play of one with each play of the other counts 1 whichever comes first; the score is the share of song j in all that
    i is played with (Ludewig & Jannach 2018, "Evaluation of session-based recommendation algorithms", arXiv:1803.09587).
    Fitting takes time in the sum of squared session lengths.
    """

    name = "ar"
    neighbours: int | None = setting(IntRange(1, also=(None,)), default=100, tune=NEIGHBOURS, help="rules kept of a song; None keeps all")
    decay: float = setting(
        FloatRange(0, 1), default=0.0, tune=FloatRange(0, 1), help="so much of a rule counts a song further back; 0 for the last song alone"
    )

    def _fit(self, sessions: Sessions) -> None:
        self.table_ = transition_table(sessions, self.neighbours)

    def _scores(self, sessions: Sessions, plays: Array, decay: float = 0.0) -> Array:
        return super()._scores(sessions, plays, self.decay)


class SequentialRules(AssociationRules):
    """Scores songs by how often and how soon they came after the last song ("SR").

    A song d plays later counts 1 / d, up to ``steps``; the score is the share of song j in all that comes after i (Ludewig &
    Jannach 2018, arXiv:1803.09587).
    """

    name = "sr"
    steps: int = setting(IntRange(1), default=10, tune=IntRange(1, 30, log=True), help="plays after a song that are looked at")

    def _fit(self, sessions: Sessions) -> None:
        self.table_ = transition_table(sessions, self.neighbours, steps=self.steps)


class ItemKNN(AssociationRules):
    """Scores songs by the cosine of their sessions with those of the last song (Hidasi et al. 2016, arXiv:1511.06939).

    sim(i, j) = sessions that hold both / ((n_i + shrinkage)**alpha (n_j + shrinkage)**(1 - alpha)), n_i the sessions that hold i:
    shrinkage keeps rare songs from meeting by chance, an alpha below 1/2 takes more from popular songs.
    """

    name = "item-knn"
    shrinkage: float = setting(
        FloatRange(0), default=20.0, tune=FloatRange(0.1, 200, log=True), help="sessions added to those of each song"
    )
    alpha: float = setting(
        FloatRange(0, 1),
        default=0.5,
        tune=FloatRange(0, 1),
        help="1/2 for the cosine; 1 leaves the popularity of the other song in, 0 takes it out altogether",
    )

    def _fit(self, sessions: Sessions) -> None:
        songs = len(sessions.catalogue)
        once = np.unique(np.repeat(np.arange(len(sessions)) * songs, sessions.lengths) + sessions.songs) % songs
        held = np.bincount(once, minlength=songs) + float(self.shrinkage)  # sessions that hold each song
        held[held == 0] = 1  # never played
        factors = held**-self.alpha, held ** (self.alpha - 1)
        self.table_ = transition_table(sessions, self.neighbours, distinct=True, left=factors[0], right=factors[1])


def transition_table(
    sessions: Sessions,
    neighbours: int | None = None,
    *,
    steps: int = 0,
    distinct: bool = False,
    left: Array = _EMPTY,
    right: Array = _EMPTY,
) -> TransitionTable:
    """What comes up to ``steps`` plays after a song in a session, weight 1 / steps apart, or else what is played in the same session.

    Made for some songs after others. Weights are shares of the sum of a list.

    Args:
        neighbours: so many of the heaviest of each list are kept; None keeps all.
        steps: 0 counts each play of another song with each play of this one, whichever comes first.
        distinct: each session counts once for two songs.
        left, right: (m,) factors of a pair's weight by its songs, in place of shares.
    """
    m = len(sessions.catalogue)
    if steps:
        bounds = np.bincount(sessions.songs, minlength=m) * steps
    else:  # no song has met more others in its sessions than this
        bounds = np.bincount(sessions.songs, np.repeat(sessions.lengths, sessions.lengths), m).astype(np.int64)
    bounds = np.minimum(bounds, m if neighbours is None else min(neighbours, m))
    slots = np.concatenate([[0], np.cumsum(bounds)])
    session = np.repeat(np.arange(len(sessions), dtype=np.int32), sessions.lengths)
    by_song = np.argsort(sessions.songs, kind="stable")
    played = np.searchsorted(sessions.songs[by_song], np.arange(m + 1))
    cores = os.cpu_count() or 1
    workspaces = [(np.zeros(m), np.empty(m, np.int32), np.full(m, -1, np.int64)) for _ in range(cores)]
    log = (by_song, played, sessions.songs, session, sessions.offsets)

    def piece(first: int, last: int) -> tuple[Array, Array, Array]:
        at = slots[first : last + 1] - slots[first]
        found = np.empty(at[-1], np.int32), np.empty(at[-1], np.float32), np.zeros(last - first, np.int64)

        def find(core: int) -> None:
            find_lists(first + core, last, cores, log, steps, distinct, left, right, workspaces[core], at, first, *found)

        list(pool.map(find, range(cores)))
        songs, weights, counts = found
        kept = ranges(at[:-1], counts)[1]
        return counts, songs[kept], weights[kept]

    borders = np.unique(np.searchsorted(slots, np.arange(0, slots[-1] + _PAIRS, _PAIRS))).clip(max=m)
    with ThreadPoolExecutor(cores) as pool:
        pieces = [piece(first, last) for first, last in pairwise(np.unique([0, *borders, m]).tolist())]
    counts, songs, weights = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    return TransitionTable(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), songs, weights)
