"""Which of the songs that may come next does: the best, one drawn at random, or what makes the best whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import Config, FloatRange, IntRange, setting
from song2vec.playlists.scoring import Scorer


class Sampling(Config):
    """A song is drawn with a chance in proportion to exp(score / temperature).

    Near a temperature of 0 the best song always comes, at 1 the song of rank r with a chance in proportion to 1 / r.
    """

    temperature: float = setting(FloatRange(0, above=True), default=0.5, help="low is near greedy, high is adventurous")
    top_k: int | None = setting(IntRange(1), default=None, help="draw among the k best only; None for all")
    top_p: float | None = setting(
        FloatRange(0, 1, above=True), default=None, help="draw among the fewest best whose chances add up to this (Holtzman et al. 2020)"
    )

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
class Picks:
    """Songs picked so far: their rows, the score each had when it was picked, and the sum of these."""

    rows: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    total: float = 0.0

    def then(self, row: int, score: float) -> Picks:
        """These with one more song."""
        return Picks((*self.rows, row), (*self.scores, score), self.total + score)


def one_by_one(scorer: Scorer, history: list[int], start: int, length: int, choose: Callable[[Array], int]) -> Picks:
    """Pick songs one after the other; ``choose`` says which, by their descending scores. Fewer when none is left."""
    picks = Picks()
    while len(picks.rows) < length:
        rows, scores = scorer.score([[*history, *picks.rows]], start)[0]
        if not len(rows):
            break
        place = choose(scores)
        picks = picks.then(int(rows[place]), float(scores[place]))
    return picks


def beam_search(scorer: Scorer, history: list[int], start: int, length: int, width: int) -> Picks:
    """Of many playlists grown side by side the one of the highest total score; shorter when all of them end early.

    The greedy playlist always stays among them, so the total is never below that of picking the best song each time, unless
    that runs out of songs.
    """
    beam, greedy = [Picks()], Picks()
    for _ in range(length):
        found = scorer.score([[*history, *picks.rows] for picks in beam], start)
        grown = [
            picks.then(int(row), float(score))
            for picks, (rows, scores) in zip(beam, found, strict=True)
            for row, score in zip(rows[:width], scores[:width], strict=True)
        ]
        if not grown:
            break
        greedy = next((picks for picks in grown if picks.rows[:-1] == greedy.rows), greedy)
        beam = sorted(grown, key=lambda picks: -picks.total)[:width]
        if greedy in grown and greedy not in beam:
            beam[-1] = greedy
    return max(beam, key=lambda picks: picks.total)
