"""Vector multiplication session kNN: the later a song of the session so far, the more it counts."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import FLAG, Choice, FloatRange, IntRange, setting
from song2vec.models._session_kernels import SIMILARITIES
from song2vec.models.neighbours import IDF, SessionNeighbours, rarity
from song2vec.sessions import Sessions

Weighting = Literal["same", "div", "linear", "log", "quadratic"]
WEIGHTINGS = Choice(("same", "div", "linear", "log", "quadratic"))
VECTOR_SIMILARITIES = Choice(("vec", "cosine"))


class VSKNN(SessionNeighbours):
    """Songs of the sessions most like this one, its latest songs and what is near them counting more.

    score(i) = sum over the k nearest sessions n that hold song i of sim(s, n) * w(step) * (1 + idf_weighting * idf(i)).

    Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", User Modeling and User-Adapted
    Interaction 28, 2018; idf as in their "Empirical analysis of session-based recommendation algorithms", same journal,
    31, 2021. Sampling and ties are those of :class:`SessionNeighbours`.

    ``similarity`` "vec" is the mean weight of the session's songs, 0 for those that n does not hold; "cosine" the sum of those
    weights over the lengths of the two vectors. ``weighting`` is the weight of song i of n in the session so far, counted from
    1, a repeated song having its last place: "same" 1, "div" i / n, "quadratic" (i / n)^2, "log" 1 / log10(n - i + 1.7),
    "linear" max(0, 1 - 0.1 (n - i)). ``weighting_score`` is the weight w of a neighbour by the step of the last song it shares,
    1 for the last of the session: "same" 1, "div" 1 / step, "quadratic" 1 / step^2, "log" 1 / log10(step + 1.7), "linear"
    max(0, 1 - 0.1 step).

    The defaults did well on held-out #nowplaying sessions; the authors' start from k=100, sample_size=1000, "div" twice, no idf.
    Their implementation has slips in both "linear" weights: past ten songs they fall below 0 or jump to 0.
    """

    name = "vsknn"
    k: int = setting(IntRange(1), default=500, tune=IntRange(50, 2000, log=True), help="neighbours that vote")
    similarity: Literal["vec", "cosine"] = setting(
        VECTOR_SIMILARITIES, default="vec", tune=VECTOR_SIMILARITIES, help="of two sessions, as above"
    )
    weighting: Weighting = setting(WEIGHTINGS, default="div", tune=WEIGHTINGS, help="of a song by its place in the session so far")
    weighting_score: Weighting = setting(
        WEIGHTINGS, default="quadratic", tune=WEIGHTINGS, help="of a neighbour by the last song it shares with the session so far"
    )
    idf_weighting: float = setting(FloatRange(0), default=5.0, tune=IDF, help="how much more rare songs score; 0 for not at all")
    remind: bool = setting(FLAG, default=True, help="whether songs of the session so far may come again")

    def _by_song(self, sessions: Sessions) -> Array:
        return rarity(sessions, self.idf_weighting)

    def _weights(self, longest: int) -> dict[str, Any]:
        return {
            "power": {"div": 1.0, "quadratic": 2.0}.get(self.weighting, 0.0),
            "by_recency": recency_weights(self.weighting, longest),
            "by_step": step_weights(self.weighting_score, longest),
            "similarity": SIMILARITIES.index(self.similarity),
            "remind": self.remind,
        }


def recency_weights(weighting: str, longest: int) -> Array:
    """(longest,) float64: the weight of a song by the plays after it, where that is what counts."""
    after = np.arange(longest, dtype=np.float64)
    weights = {"linear": np.maximum(0, 1 - 0.1 * after), "log": 1 / np.log10(after + 1.7)}
    return weights.get(weighting, np.ones(longest))


def step_weights(weighting: str, longest: int) -> Array:
    """(longest,) float64: the weight of a neighbour by the step, from 1, of the last song it shares."""
    steps = np.arange(1, longest + 1, dtype=np.float64)
    weights = {
        "same": np.ones(longest),
        "div": 1 / steps,
        "linear": np.maximum(0, 1 - 0.1 * steps),
        "log": 1 / np.log10(steps + 1.7),
        "quadratic": 1 / steps**2,
    }
    return weights[weighting]
