"""The protocol of the house: after every play of a test session but the last, which song comes next, of all there are?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int, check_type, named_options
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.core.random import generator
from song2vec.evaluation.metrics import rank_and_top
from song2vec.evaluation.results import Dropped, Evaluation, Speed
from song2vec.models import NextSongModel
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors


@dataclass(frozen=True, eq=False)
class Queries:
    """Plays of sessions after which the next song is asked for.

    Attributes:
        sessions: the histories; all their songs are known to whoever is asked.
        plays: (n,) int64, positions in ``sessions.songs``, rising, never the last of a session; the right answer is the next.
        session: (n,) int64, the number of the test session each belongs to.
        dropped: what of the test is not asked.
    """

    sessions: Sessions
    plays: Array
    session: Array
    dropped: Dropped

    def __len__(self) -> int:
        return len(self.plays)

    @property
    def targets(self) -> Array:
        """(n,) int32: rows of the right answers."""
        songs: Array = self.sessions.songs[self.plays + 1]
        return songs

    @property
    def repeat(self) -> Array:
        """(n,) bool: was the right answer played before in its session."""
        sessions = self.sessions
        key = np.repeat(np.arange(len(sessions)), sessions.lengths) * len(sessions.catalogue) + sessions.songs
        again = np.ones(sessions.plays, bool)
        again[np.unique(key, return_index=True)[1]] = False
        repeat: Array = again[self.plays + 1]
        return repeat

    def over(self, catalogue: Catalogue) -> Queries:
        """The same queries in the rows of another catalogue, which must have their songs."""
        if self.sessions.catalogue == catalogue:
            return self
        return replace(self, sessions=self.sessions.over(catalogue, self.sessions.catalogue.rows_in(catalogue)))


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


def queries(test: Sessions, catalogues: Sequence[Catalogue], max_queries: int | None = None, seed: int = 0) -> Queries:
    """Every play of the test but the last of each session, once the songs that some catalogue lacks are gone.

    A session A X B without X asks what follows A, and the answer is B.

    Args:
        max_queries: whole sessions, drawn at random while all their queries are at most so many. All sessions by default.

    Raises ArgumentError for a test that is no Sessions or too small a number, NothingLeftError when no query is left.
    """
    check_type("test", test, Sessions, "Sessions are allowed, as a split makes them")
    known = np.all([test.catalogue.rows_in(catalogue) >= 0 for catalogue in catalogues], axis=0)[test.songs]
    sessions, numbers = test, np.arange(len(test))
    if not (known.all() and test.lengths.all()):
        kept = test.keep(plays=known)
        numbers = np.flatnonzero(kept.lengths)  # sessions left empty are gone
        sessions = kept.keep(numbers)
    asked = int(np.maximum(sessions.lengths - 1, 0).sum())
    dropped = Dropped(int((~known).sum()), int(np.maximum(test.lengths - 1, 0).sum()) - asked)
    if not asked:
        raise NothingLeftError(
            f"test: {test!r} leaves nothing to ask: no session holds two plays of known songs ({dropped.plays:,} unknown)"
        )
    if max_queries is not None and check_int("max_queries", max_queries) < asked:
        chosen = _some(sessions.lengths, max_queries, seed)
        sessions, numbers = sessions.keep(chosen), numbers[chosen]
    owner = np.repeat(np.arange(len(sessions)), sessions.lengths)
    plays = np.flatnonzero(owner[:-1] == owner[1:])
    return Queries(sessions, plays, numbers[owner[plays]], dropped)


def _some(lengths: Array, most: int, seed: int) -> Array:
    """Numbers of sessions with two plays or more, drawn at random until their queries are ``most``, and at least one."""
    order = generator(seed, "queries").permutation(np.flatnonzero(lengths > 1))
    asked = np.cumsum(lengths[order] - 1)
    return np.sort(order[: max(1, np.searchsorted(asked, most, "right"))])
