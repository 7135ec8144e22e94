"""Vector multiplication session kNN: the later a song of the session so far, the more it counts."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.settings import Choice, Space, Whole, check_choice, check_real
from song2vec.models.session_kernels import SIMILARITIES
from song2vec.models.session_neighbours import SessionNeighbours, longest_session, rarity
from song2vec.sessions import Sessions

WEIGHTINGS = ("same", "div", "linear", "log", "quadratic")
VECTOR_SIMILARITIES = ("vec", "cosine")


class VSKNN(SessionNeighbours):
    """Songs of the sessions most like this one, its latest songs and what is near them counting more.

    score(i) = sum over the k nearest sessions n that hold song i of sim(s, n) * w(step) * (1 + idf_weighting * idf(i)).

    Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", User Modeling and User-Adapted
    Interaction 28, 2018; idf as in their "Empirical analysis of session-based recommendation algorithms", same journal,
    31, 2021. Sampling and ties are those of :class:`SessionNeighbours`.

    Args:
        k: neighbours that vote.
        sample_size: recent sessions compared, 0 for all that share a song.
        similarity: "vec" is the mean weight of the session's songs, 0 for those that n does not hold; "cosine" the sum of
            those weights over the lengths of the two vectors.
        weighting: the weight of song i of n in the session so far, counted from 1; a repeated song has its last place.
            "same" 1, "div" i / n, "quadratic" (i / n)^2, "log" 1 / log10(n - i + 1.7), "linear" max(0, 1 - 0.1 (n - i)).
        weighting_score: the weight of a neighbour by the step of the last song it shares, 1 for the last of the session:
            "same" 1, "div" 1 / step, "quadratic" 1 / step^2, "log" 1 / log10(step + 1.7), "linear" max(0, 1 - 0.1 step).
        idf_weighting: how much more rare songs score; 0 for not at all.
        remind: whether songs of the session so far may come again.

    The defaults did well on held-out #nowplaying sessions; the authors' start from k=100, sample_size=1000, "div" twice, no idf.
    Their implementation has slips in both "linear" weights: past ten songs they fall below 0 or jump to 0.
    """

    name = "vsknn"
    space: ClassVar[Space] = {
        "k": Whole(50, 2000, log=True),
        "sample_size": Whole(500, 10_000, log=True),
        "similarity": Choice(VECTOR_SIMILARITIES),
        "weighting": Choice(WEIGHTINGS),
        "weighting_score": Choice(WEIGHTINGS),
        "idf_weighting": Choice((0, 1, 2, 5, 10)),
    }

    def __init__(
        self,
        *,
        k: int = 500,
        sample_size: int = 2500,
        similarity: str = "vec",
        weighting: str = "div",
        weighting_score: str = "quadratic",
        idf_weighting: float = 5.0,
        remind: bool = True,
    ) -> None:
        self.k, self.sample_size, self.similarity = k, sample_size, similarity
        self.weighting, self.weighting_score = weighting, weighting_score
        self.idf_weighting, self.remind = idf_weighting, remind

    def _learn_weights(self, sessions: Sessions) -> tuple[Array, Array]:
        check_choice(self, "similarity", VECTOR_SIMILARITIES)
        check_choice(self, "weighting", WEIGHTINGS)
        check_choice(self, "weighting_score", WEIGHTINGS)
        check_real(self, "idf_weighting", 0)
        check_choice(self, "remind", (True, False))
        return np.ones(longest_session(sessions)), rarity(sessions, self.idf_weighting)

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
