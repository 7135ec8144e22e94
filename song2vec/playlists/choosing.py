"""Which of the songs that may come next does: the best, one drawn at random, or what makes the best whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.settings import check_number
from song2vec.playlists.weighing import Weighing


@dataclass(frozen=True)
class Sampling:
    """How a song is drawn: with a chance in proportion to exp(score / temperature).

    Attributes:
        temperature: above 0; near 0 the best song comes always, at 1 the one ranked r with a chance in proportion to
            1 / r, and higher evens out.
        top_k: draw among the k best only.
        top_p: draw among the fewest best whose chances add up to this share (Holtzman et al. 2020); above 0, up to 1.

    Raises ArgumentError for any other value.
    """

    temperature: float = 0.5
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        check_number("temperature", self.temperature, above=0)
        if self.top_k is not None:
            check_int("top_k", self.top_k)
        if self.top_p is not None:
            check_number("top_p", self.top_p, above=0, most=1)

    def chances(self, scores: Array) -> Array:
        """Chances of songs by their descending scores, (n,) float64 that add up to 1; those cut off are left out of n."""
        chances: Array = np.exp((scores[: self.top_k] - scores[0]) / self.temperature)
        chances /= chances.sum()
        if self.top_p is not None:
            kept = int(np.searchsorted(np.cumsum(chances), self.top_p - 1e-12)) + 1  # rounding must not let one more in
            chances = chances[:kept] / chances[:kept].sum()
        return chances

    def draw(self, scores: Array, random: np.random.Generator) -> int:
        """The position of one song, by descending scores."""
        return int(random.choice(len(chances := self.chances(scores)), p=chances))


@dataclass(frozen=True)
class Path:
    """Songs picked so far: their rows, the score each had when it was picked, and their sum."""

    rows: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    total: float = 0.0

    def then(self, row: int, score: float) -> Path:
        """This path with one more song."""
        return Path((*self.rows, row), (*self.scores, score), self.total + score)


def one_by_one(weighing: Weighing, heard: list[int], begun: int, length: int, choose: Callable[[Array], int]) -> Path:
    """Pick songs one after the other; ``choose`` says which, by their descending scores. Shorter when none is left."""
    path = Path()
    while len(path.rows) < length:
        rows, scores = weighing.weigh([[*heard, *path.rows]], begun)[0]
        if not len(rows):
            break
        pick = choose(scores)
        path = path.then(int(rows[pick]), float(scores[pick]))
    return path


def beam(weighing: Weighing, heard: list[int], begun: int, length: int, width: int) -> Path:
    """Of many playlists grown side by side the one of the highest total score; shorter when all of them end early.

    The greedy playlist always stays among them, so the total is never below that of picking the best song each time, save
    where that runs out of songs.
    """
    paths, greedy = [Path()], Path()
    for _ in range(length):
        found = weighing.weigh([[*heard, *path.rows] for path in paths], begun)
        grown = [
            path.then(int(row), float(score))
            for path, (rows, scores) in zip(paths, found, strict=True)
            for row, score in zip(rows[:width], scores[:width], strict=True)
        ]
        if not grown:
            break
        greedy = next((path for path in grown if path.rows[:-1] == greedy.rows), greedy)
        paths = sorted(grown, key=lambda path: -path.total)[:width]
        if greedy in grown and greedy not in paths:
            paths[-1] = greedy
    return max(paths, key=lambda path: path.total)
