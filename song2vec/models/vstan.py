"""vsknn and stan in one: every decay of stan, and rare songs and recent matches count more."""

from __future__ import annotations

from typing import Any, ClassVar

from song2vec.core.arrays import Array
from song2vec.core.settings import Choice, Space, check_choice, check_real
from song2vec.models.session_kernels import SIMILARITIES
from song2vec.models.session_neighbours import check_decay, fading, rarity
from song2vec.models.stan import STAN
from song2vec.models.vsknn import VECTOR_SIMILARITIES
from song2vec.sessions import Sessions


class VSTAN(STAN):
    """vsknn and stan in one: every decay of stan, and rare songs and recent matches count more.

    score(i) = sum over the k nearest n that hold song i of sim(s, n) * w2(n) * w3(i, n) * w4(s, n) * (1 + lambda_idf * idf(i)).

    Ludewig, Mauro, Latifi and Jannach, "Empirical analysis of session-based recommendation algorithms", User Modeling and
    User-Adapted Interaction 31, 2021. sim, w2 and w3 are those of :class:`STAN`;
    w4 = exp(-(plays in s after the last song that n shares) / lambda_ipw).

    Args:
        k, sample_size, lambda_spw, lambda_snh, lambda_inh, remind: as in :class:`STAN`.
        similarity: "cosine", or "vec": the mean of the weights w1 of the session's songs, 0 for those that n does not hold.
        lambda_ipw: decay over the session so far of the last song shared, in plays; None for none.
        lambda_idf: how much more rare songs score; 0 for not at all.

    The defaults did well on held-out #nowplaying sessions, lambda_snh in the authors' hands.
    Their implementation takes the cosine whatever it is told.
    """

    name = "vstan"
    space: ClassVar[Space] = {
        **STAN.space,
        "similarity": Choice(VECTOR_SIMILARITIES),
        "lambda_ipw": STAN.space["lambda_spw"],
        "lambda_idf": Choice((0, 1, 2, 5, 10)),
    }

    def __init__(
        self,
        *,
        k: int = 500,
        sample_size: int = 2500,
        similarity: str = "vec",
        lambda_spw: float | None = 10.2,
        lambda_snh: float | None = 100.0,
        lambda_inh: float | None = 10.2,
        lambda_ipw: float | None = 1.02,
        lambda_idf: float = 5.0,
        remind: bool = True,
    ) -> None:
        super().__init__(k=k, sample_size=sample_size, lambda_spw=lambda_spw, lambda_snh=lambda_snh, lambda_inh=lambda_inh, remind=remind)
        self.similarity, self.lambda_ipw, self.lambda_idf = similarity, lambda_ipw, lambda_idf

    def _learn_weights(self, sessions: Sessions) -> tuple[Array, Array]:
        check_choice(self, "similarity", VECTOR_SIMILARITIES)
        check_decay(self, "lambda_ipw")
        check_real(self, "lambda_idf", 0)
        by_gap, _ = super()._learn_weights(sessions)
        return by_gap, rarity(sessions, self.lambda_idf)

    def _weights(self, longest: int) -> dict[str, Any]:
        own = {"by_step": fading(longest, self.lambda_ipw), "similarity": SIMILARITIES.index(self.similarity)}
        return super()._weights(longest) | own
