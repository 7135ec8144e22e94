"""What everybody plays, ever or lately: the floor under every other model."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.settings import Real, Space, check_real
from song2vec.models.old import OldStyle
from song2vec.sessions import Sessions


def standing(weights: Array) -> Array:
    """(m,) float32: m for the heaviest song down to 1 for the lightest; of equal weights the lower row is ahead."""
    places = np.empty(len(weights), np.float32)
    places[np.argsort(-weights, kind="stable")] = np.arange(len(weights), 0, -1)
    return places


class Popularity(OldStyle):
    """Scores a song by its plays in training: the most played has the score m, the least played 1 ("POP")."""

    name = "popularity"

    def _fit(self, sessions: Sessions) -> None:
        self.scores_ = standing(np.bincount(sessions.songs, minlength=len(sessions.catalogue)))

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return np.broadcast_to(self.scores_, (len(plays), len(self.scores_)))


class RecentPopularity(OldStyle):
    """Scores a song by its plays in training, a play of age a counting 2**(-a / half_life).

    Ages run from the end of the log as shares of its length: of its time where sessions have a start, else of its plays,
    in the order of the log. So the same half-life suits a log of a week and one of a year.

    Args:
        half_life: after this share of the log a play counts half.
    """

    name = "recent-popularity"
    space: ClassVar[Space] = {"half_life": Real(0.003, 1, log=True)}

    def __init__(self, *, half_life: float = 0.03) -> None:
        self.half_life = half_life

    def _fit(self, sessions: Sessions) -> None:
        check_real(self, "half_life", 0, above=True)
        weights = np.exp2(-_ages(sessions) / self.half_life)
        self.scores_ = standing(np.bincount(sessions.songs, weights, len(sessions.catalogue)))

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return np.broadcast_to(self.scores_, (len(plays), len(self.scores_)))


def _ages(sessions: Sessions) -> Array:
    """(plays,) float64: 0 for the latest play, 1 for the first."""
    if sessions.start is None:
        return np.linspace(1, 0, sessions.plays)
    start = np.repeat(sessions.start, sessions.lengths)
    age: Array = (start.max() - start) / max(1, int(start.max() - start.min()))
    return age
