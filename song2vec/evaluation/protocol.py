"""The protocol of the house: after every play of a test session but the last, which song comes next, of all there are?"""

from __future__ import annotations

from time import perf_counter

import numba
import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int, named_options
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import jit, parallel_jit
from song2vec.core.random import generator
from song2vec.evaluation.queries import Queries, queries
from song2vec.evaluation.results import Evaluation, Speed
from song2vec.models import NextSongModel
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

_STEP = 64  # songs looked at together: where none is better than the k-th best so far, none is looked at singly
_INFINITY = np.float32(np.inf)


@named_options
def evaluate(
    model: NextSongModel,
    test: Sessions,
    *,
    k: int = 20,
    vectors: SongVectors | None = None,
    max_queries: int | None = None,
    timed: int = 200,
    lists: bool = True,
    seed: int = 0,
) -> Evaluation:
    """Ask a model for the next song after every play of each test session but the last, among all songs it knows.

    Songs scored as high as the right one count as ahead of it. A model starts each session knowing nothing of another.
    A test over another catalogue than the model's is taken by song ids; songs that the model does not know are left out
    of the sessions, and counted. A song that the model knows by name only, as splits keep it, is asked for like any other.

    Args:
        test: sessions that the model did not see.
        k: length of the lists.
        vectors: tell how varied the lists are, found by song id; left out otherwise.
        max_queries: a random part of the sessions, of at most so many queries, as tuning does with. All by default.
        timed: queries that are also scored one by one, for the milliseconds; 0 for none.
        lists: False for recall, MRR and NDCG alone: what is recommended is not looked at, and a recurrent model need not score
            every song for it. Ranks beyond k are then k + 1.
        seed: which queries ``max_queries`` and ``timed`` draw.

    Raises ArgumentError for a bad argument and for scores that are not finite, NothingLeftError when nothing can be asked.
    """
    asked = queries(test, [check_model(model)], max_queries, seed)
    if not lists and vectors is not None:
        raise ArgumentError("vectors: tell how varied lists are; None is allowed with lists=False")
    return ask(model, asked, k=k, vectors=vectors, timed=timed, seed=seed, lists=lists)


def ask(
    model: NextSongModel, asked: Queries, *, k: int, vectors: SongVectors | None, timed: int, seed: int, lists: bool = True
) -> Evaluation:
    """Evaluate by given queries, over any catalogue that the model's has all songs of."""
    catalogue = check_model(model)
    check_int("k", k)
    asked = asked.over(catalogue)
    targets, began = asked.targets, perf_counter()
    if lists:
        ranks, top, seconds = _with_lists(model, asked, k)
    else:
        ranks, top = model.ranks(asked.sessions, asked.plays, targets, k), None
        seconds = perf_counter() - began
    if not ranks.all():
        raise ArgumentError(
            f"model: {model!r} left {int((ranks == 0).sum())} of {len(asked)} queries without finite scores; all are to have them"
        )
    speed = Speed(seconds, len(asked), _milliseconds(model, asked, timed, seed))
    unit = None if vectors is None else vectors.unit_of(catalogue)
    return Evaluation(model.name, k, catalogue, ranks, top, targets, asked.repeat, asked.session, asked.dropped, speed, unit)


def _with_lists(model: NextSongModel, asked: Queries, k: int) -> tuple[Array, Array, float]:
    """(n,) ranks, (n, k) best songs, and the seconds that scoring took."""
    ranks, targets = np.zeros(len(asked), np.int32), asked.targets
    top = np.empty((len(asked), min(k, len(asked.sessions.catalogue))), np.int32)
    seconds, began = 0.0, perf_counter()
    for plays, scores in model.score_blocks(asked.sessions, asked.plays):
        seconds += perf_counter() - began
        where = np.searchsorted(asked.plays, plays)
        rows = scores[:1] if scores.strides[0] == 0 else scores  # broadcast: one row for all
        ranks[where], top[where] = rank_and_top(rows, targets[where], top.shape[1])
        began = perf_counter()
    return ranks, top, seconds


def check_model(model: NextSongModel) -> Catalogue:
    """The songs that a model knows; raises ArgumentError unless it is one and fitted."""
    if not isinstance(model, NextSongModel) or not hasattr(model, "catalogue_"):
        raise ArgumentError(f"model={model!r}: a next-song model that was fitted is allowed")
    return model.catalogue_


def _milliseconds(model: NextSongModel, asked: Queries, timed: int, seed: int) -> tuple[float, ...]:
    """Single queries drawn at random, one more scored before the clock runs, as the first is slow."""
    if not timed:
        return ()
    check_int("timed", timed)
    drawn = generator(seed, "timed").choice(asked.plays, timed + 1)
    taken = []
    for play in drawn[:, None]:
        began = perf_counter()
        model.score(asked.sessions, play)
        taken.append(1000 * (perf_counter() - began))
    return tuple(sorted(taken[1:]))


def rank_and_top(scores: Array, targets: Array, k: int) -> tuple[Array, Array]:
    """Ranks (n,) and best songs (n, k) int32 by (n, songs) scores, or one row for all, and (n,) targets; k is at most songs.

    Rank is the number of songs scored as high as the target or higher; 0 says that some score is not finite. Of equal
    scores the lower row is ahead in top.
    """
    ranks, top = np.empty(len(targets), np.int32), np.empty((len(targets), k), np.int32)
    _rank_and_top(np.ascontiguousarray(scores, np.float32), targets, ranks, top)
    return ranks, top


@parallel_jit
def _rank_and_top(scores: Array, targets: Array, ranks: Array, top: Array) -> None:
    for i in numba.prange(len(targets)):
        ranks[i] = _rank_and_top_of(scores[i] if len(scores) > 1 else scores[0], targets[i], top[i])


@jit
def _rank_and_top_of(row: Array, target: int, top: Array) -> int:
    goal, worst = row[target], -_INFINITY
    rank = finite = filled = 0
    for begin in range(0, len(row), _STEP):
        step = row[begin : begin + _STEP]
        better = 0
        for i in range(len(step)):  # whole-number sums without a branch, from 0 on: so LLVM puts them on vector registers
            rank += step[i] >= goal
            better += step[i] > worst
            finite += abs(step[i]) < _INFINITY
        if better or filled < len(top):
            for song in range(begin, begin + len(step)):
                if filled < len(top) or row[song] > worst:
                    filled = _insert(row, song, top, filled)
                    worst = row[top[filled - 1]] if filled == len(top) else worst
    return rank if finite == len(row) else 0


@jit
def _insert(row: Array, song: int, top: Array, filled: int) -> int:
    """Put a song behind all that are as good; the last falls out of a full list."""
    place = min(filled, len(top) - 1)
    while place > 0 and row[song] > row[top[place - 1]]:
        top[place] = top[place - 1]
        place -= 1
    top[place] = song
    return min(filled + 1, len(top))
