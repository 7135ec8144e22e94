"""Sequence and time aware neighbourhood: what is long ago, in this session or before it, counts less."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import FLAG, FloatRange, IntRange, setting
from song2vec.models._session_kernels import SIMILARITIES
from song2vec.models.neighbours import DECAY, DECAYS, IDF, SessionNeighbours, fading, rarity
from song2vec.models.vsknn import VECTOR_SIMILARITIES
from song2vec.sessions import Sessions


class STAN(SessionNeighbours):
    """Songs of the sessions most like this one, with decays over its songs, over the sessions' age and within them.

    score(i) = sum over the k nearest sessions n that hold song i of sim(s, n) * w2(n) * w3(i, n).

    Garg, Gupta, Malhotra, Vig and Shroff, "Sequence and time aware neighborhood for session-based recommendations", SIGIR
    2019, equations 2-5. sim is the cosine of n as a set with s as a vector of weights
    w1 = exp(-(plays after the song's last in s) / lambda_spw); w2 = exp(-(days n is older) / lambda_snh) is part of
    what picks the k nearest; w3 = exp(-(places between i and the last song in n that s shares) / lambda_inh).

    A session's age is taken by its beginning, from the most recent session of the sample: the time of the session so far
    would be the same factor for all neighbours, so it need not be known. In a log without times w2 is 1, and recency only
    decides the sample and ties, as :class:`SessionNeighbours` says.

    The defaults did well on held-out #nowplaying sessions, lambda_snh in the authors' hands; the paper's are for shops:
    sample_size=5000, lambda_snh=5, lambda_inh=2.05.
    """

    name = "stan"
    k: int = setting(IntRange(1), default=100, tune=IntRange(100, 2000, log=True), help="neighbours that vote")
    sample_size: int = setting(
        IntRange(0), default=2500, tune=IntRange(1000, 10_000, log=True), help="recent sessions compared; 0 for all that share a song"
    )
    lambda_spw: float | None = setting(DECAY, default=1.02, tune=DECAYS, help="decay over the session so far, in plays; None for none")
    lambda_snh: float | None = setting(
        DECAY, default=100.0, tune=FloatRange(2.5, 200, log=True), help="decay over the ages of neighbours, in days; None for none"
    )
    lambda_inh: float | None = setting(DECAY, default=10.2, tune=DECAYS, help="decay over a neighbour's places, in plays; None for none")
    remind: bool = setting(FLAG, default=True, tune=FLAG, help="whether songs of the session so far may come again")

    def _by_gap(self, longest: int) -> Array:
        return fading(longest, self.lambda_inh)

    def _weights(self, longest: int) -> dict[str, Any]:
        decay = np.inf if self.lambda_snh is None else float(self.lambda_snh)
        return {"by_recency": fading(longest, self.lambda_spw), "decay": decay, "remind": self.remind}


class VSTAN(STAN):
    """vsknn and stan in one: every decay of stan, and rare songs and recent matches count more.

    score(i) = sum over the k nearest n that hold song i of sim(s, n) * w2(n) * w3(i, n) * w4(s, n) * (1 + lambda_idf * idf(i)).

    Ludewig, Mauro, Latifi and Jannach, "Empirical analysis of session-based recommendation algorithms", User Modeling and
    User-Adapted Interaction 31, 2021. sim, w2 and w3 are those of :class:`STAN`;
    w4 = exp(-(plays in s after the last song that n shares) / lambda_ipw). ``similarity`` "vec" is the mean of the weights w1 of
    the session's songs, 0 for those that n does not hold.

    The defaults did well on held-out #nowplaying sessions, lambda_snh in the authors' hands.
    Their implementation takes the cosine whatever it is given.
    """

    name = "vstan"
    k: int = setting(IntRange(1), default=500, tune=IntRange(100, 2000, log=True), help="neighbours that vote")
    similarity: Literal["vec", "cosine"] = setting(
        VECTOR_SIMILARITIES, default="vec", tune=VECTOR_SIMILARITIES, help="of two sessions, as above"
    )
    lambda_spw: float | None = setting(DECAY, default=10.2, tune=DECAYS, help="decay over the session so far, in plays; None for none")
    lambda_ipw: float | None = setting(
        DECAY, default=1.02, tune=DECAYS, help="decay over the session so far of the last song shared, in plays; None for none"
    )
    lambda_idf: float = setting(FloatRange(0), default=5.0, tune=IDF, help="how much more rare songs score; 0 for not at all")

    def _by_song(self, sessions: Sessions) -> Array:
        return rarity(sessions, self.lambda_idf)

    def _weights(self, longest: int) -> dict[str, Any]:
        own = {"by_step": fading(longest, self.lambda_ipw), "similarity": SIMILARITIES.index(self.similarity)}
        return super()._weights(longest) | own
