"""Does an index find what exact search does (asked after builds and loads), and which kind suits a catalogue? Both are measured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_float
from song2vec.core.config import settings_of
from song2vec.core.random import generator
from song2vec.search.scoring import candidates, ranked
from song2vec.vectors.song_vectors import SongVectors

logger = logging.getLogger("song2vec")

K = 10  # the recall is a recall@10
GOOD_RECALL = 0.95  # below it the user is warned
AIM = 0.97  # what an index that can still widen its search aims at, so that songs outside the sample reach 0.95 too
WRONG_RECALL = 0.5  # below it exact search answers
_ROUNDING = 1e-6
FAST = 0.5e-3  # seconds a query: nobody notices, so nothing is worth building
WORTH = 2  # times as fast as exact search an index must be, or its build and its misses are for nothing
CLOSE = 3  # times as slow as the fastest on a few songs a kind may be and still win on all of them
_QUERIES = 30
_TRIAL = 10  # a trial is built over one song of so many


@dataclass(frozen=True)
class RecallCheck:
    """What a check found: recall@10 over the sampled songs, and how many of them got fewer neighbours than asked for."""

    recall: float
    short: int

    @property
    def wrong(self) -> bool:
        """True when the index cannot be used at all."""
        return self.short > 0 or self.recall < WRONG_RECALL


class Sample:
    """Some songs and the cosine of their tenth neighbour by exact search.

    Songs as close as the tenth count as found whichever of them come: recall does not depend on how ties are broken.
    Songs with a zero vector are left out, they are at the same distance from everything.
    """

    def __init__(self, unit: Array, seed: int, size: int) -> None:
        self._unit = unit
        random = generator(seed, "index check")
        rows = random.choice(len(unit), min(size, len(unit)), replace=False)
        self.rows = rows[unit[rows].any(axis=1)]
        self._n = min(K, len(unit) - 1)
        near = candidates(unit, unit[self.rows], min(K + 1, len(unit)))
        self._tenth = [self._others(row, found)[1][-1:] for row, found in zip(self.rows, near, strict=True)]

    def check(self, nearest: Callable[[Array, int], Iterable[Array]], songs: int | None = None) -> RecallCheck:
        """Ask the index for the sampled songs, or the first so many of them, by their vectors."""
        asked = self.rows[:songs]
        if not self._n or not len(asked):
            return RecallCheck(1.0, 0)
        hits = short = 0
        for row, tenth, found in zip(asked, self._tenth[:songs], nearest(self._unit[asked], self._n + 1), strict=True):
            _, cosines = self._others(row, np.unique(found))
            short += len(cosines) < self._n
            hits += int((cosines >= tenth - _ROUNDING).sum())
        return RecallCheck(hits / (self._n * len(asked)), short)

    def _others(self, row: int, found: Array) -> tuple[Array, Array]:
        rows, cosines = ranked(self._unit, self._unit[row], found[found != row])
        return rows[: self._n], cosines[: self._n]


def choose(kinds: Iterable[Any], vectors: SongVectors, recall: float, seed: int) -> Any:
    """The index for these vectors, built.

    Exact search where a query takes less than half a millisecond. Else each approximate kind whose library is installed
    is tried on a tenth of the songs at the recall wanted; the fastest, and those not far behind, as kinds slow down unequally
    with more songs, are built over all of them. The fastest that keeps the recall is taken, when it answers twice as fast as
    exact search. Its parameters are those at which its own check reaches the recall.

    Of the kinds one is called "exact"; of the others those with a setting ``recall`` are tried. The recall@10 wanted is above 0 and
    up to 1, which is exact search; raises ArgumentError for another.
    """
    check_float("recall", recall, 0, 1, above=True)
    by_name = {kind.name: kind for kind in kinds if kind.installed() and (kind.name == "exact" or "recall" in settings_of(kind))}
    exact = by_name.pop("exact")(seed=seed).fit(vectors)
    took = seconds_a_query(exact, vectors, seed)
    if took <= FAST or recall == 1:
        return _chosen(exact, vectors, f"exact search takes {1e3 * took:.2f} ms a query and misses nothing")
    tried = _trials(by_name, vectors, recall, seed, took / WORTH)
    if not tried:
        return _chosen(exact, vectors, f"exact search takes {1e3 * took:.2f} ms a query; on a tenth of the songs no other kind is faster")
    built = [kind(recall=recall, seed=seed).fit(vectors) for kind in tried]
    needed = [seconds_a_query(index, vectors, seed) for index in built]
    fastest = sorted(zip(needed, range(len(built)), strict=True))
    compared = ", ".join(f"{built[i].name} takes {1e3 * each:.2f} ms a query at recall {built[i].recall_:.3f}" for each, i in fastest)
    good = (built[i] for each, i in fastest if _keeps(built[i], recall) and WORTH * each <= took)
    return _chosen(next(good, exact), vectors, f"{compared}, exact search {1e3 * took:.2f} ms")


def seconds_a_query(index: Any, vectors: SongVectors, seed: int) -> float:
    """The median over a few songs, asked for one by one."""
    songs = vectors.catalogue.songs(_some(vectors, _QUERIES, seed))
    index.similar(songs[0])  # the first compiles
    seconds = []
    for song in songs:
        began = perf_counter()
        index.similar(song)
        seconds.append(perf_counter() - began)
    return median(seconds)


def _trials(kinds: dict[str, Any], vectors: SongVectors, recall: float, seed: int, limit: float) -> list[Any]:
    """The kinds that answer fastest on a tenth of the songs, of those below ``limit``: with more songs all are slower."""
    tenth = vectors.subset(_some(vectors, -(-len(vectors) // _TRIAL), seed))
    seconds = {}
    for name, kind in kinds.items():
        index = kind(recall=recall, seed=seed).fit(tenth)
        needed = seconds_a_query(index, tenth, seed)
        if _keeps(index, recall) and needed < limit:
            seconds[name] = needed
    return [kinds[name] for name in seconds if seconds[name] <= CLOSE * min(seconds.values())]


def _keeps(index: Any, recall: float) -> bool:
    return bool(index.recall_ >= recall and not index.answers_exactly_)


def _some(vectors: SongVectors, count: int, seed: int) -> Array:
    return np.sort(generator(seed, "index choice").choice(len(vectors), min(count, len(vectors)), replace=False))


def _chosen(index: Any, vectors: SongVectors, why: str) -> Any:
    index.why_ = f"{index.name} chosen for {len(vectors):,} songs: {why}"
    logger.info(index.why_)
    return index
