"""Sequence and time aware neighbourhood: what is long ago, in this session or before it, counts less."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.settings import Choice, Real, Space, Whole, check_choice
from song2vec.models.session_neighbours import SessionNeighbours, check_decay, fading, longest_session
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

    Args:
        k: neighbours that vote.
        sample_size: recent sessions compared, 0 for all that share a song.
        lambda_spw: decay over the session so far, in plays; None for none.
        lambda_snh: decay over the ages of neighbours, in days; None for none.
        lambda_inh: decay over a neighbour's places, in plays; None for none.
        remind: whether songs of the session so far may come again.

    The defaults did well on held-out #nowplaying sessions, lambda_snh in the authors' hands; the paper's are for shops:
    sample_size=5000, lambda_snh=5, lambda_inh=2.05.
    """

    name = "stan"
    space: ClassVar[Space] = {
        "k": Whole(100, 2000, log=True),
        "sample_size": Whole(1000, 10_000, log=True),
        "lambda_spw": Real(0.3, 30, log=True),
        "lambda_snh": Real(2.5, 200, log=True),
        "lambda_inh": Real(0.3, 30, log=True),
        "remind": Choice((True, False)),
    }

    def __init__(
        self,
        *,
        k: int = 100,
        sample_size: int = 2500,
        lambda_spw: float | None = 1.02,
        lambda_snh: float | None = 100.0,
        lambda_inh: float | None = 10.2,
        remind: bool = True,
    ) -> None:
        self.k, self.sample_size, self.remind = k, sample_size, remind
        self.lambda_spw, self.lambda_snh, self.lambda_inh = lambda_spw, lambda_snh, lambda_inh

    def _learn_weights(self, sessions: Sessions) -> tuple[Array, Array]:
        for name in ("lambda_spw", "lambda_snh", "lambda_inh"):
            check_decay(self, name)
        check_choice(self, "remind", (True, False))
        return fading(longest_session(sessions), self.lambda_inh), np.ones(len(sessions.catalogue))

    def _weights(self, longest: int) -> dict[str, Any]:
        decay = np.inf if self.lambda_snh is None else float(self.lambda_snh)
        return {"by_recency": fading(longest, self.lambda_spw), "decay": decay, "remind": self.remind}
