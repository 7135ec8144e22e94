"""Does an index find what exact search finds? Asked after every build and, briefly, after every load."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.search.scoring import candidates, ranked

K = 10  # the recall is a recall@10
GOOD_RECALL = 0.95  # below it the user is warned
AIM = 0.97  # what an index that can still widen its search aims at, so that songs outside the sample reach 0.95 too
WRONG_RECALL = 0.5  # below it exact search answers
_ROUNDING = 1e-6

Nearest = Callable[[Array, int], Iterable[Array]]


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

    def check(self, nearest: Nearest, songs: int | None = None) -> RecallCheck:
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
