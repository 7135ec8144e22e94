"""Next songs from the training sessions most like the session so far: sknn, vsknn, stan and vstan."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numba
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import FLAG, Choice, FloatRange, IntRange, learned, setting
from song2vec.models._session_kernels import SIMILARITIES, Scheme, Scratch, SessionIndex, build_index, make_scratch, score_queries
from song2vec.models.base import NextSongModel
from song2vec.models.songs import histories
from song2vec.sessions import Sessions

Weighting = Literal["same", "div", "linear", "log", "quadratic"]
WEIGHTINGS = Choice(("same", "div", "linear", "log", "quadratic"))
SET_SIMILARITIES, VECTOR_SIMILARITIES = Choice(("cosine", "jaccard", "dice")), Choice(("vec", "cosine"))
IDF = Choice((0, 1, 2, 5, 10))
DECAY, DECAYS = FloatRange(0, above=True, also=(None,)), FloatRange(0.3, 30, log=True)  # in exp(-distance / decay)


class SessionNeighbours(NextSongModel):
    """What sknn, vsknn, stan and vstan share: a sample of sessions, the k nearest of them, and their vote on the next song.

    Of all training sessions that share a song with the session so far, the ``sample_size`` most recent are
    compared with it, and the ``k`` most similar give a score to every song they hold. ``Sessions.start`` says which are
    recent; where two began in the same second, and in a log without times, the later in the log is more recent. Of equally
    similar sessions at the k-th place the more recent are taken. Scores are summed in float64; a song that no neighbour
    holds has 0, and no tie among songs is broken. Songs never played in training count for the length of a session only.

    Attributes:
        index_: which sessions hold a song, and which songs a session holds.
        by_gap_: (longest training session,) float64, the weight of a neighbour's song by its distance from what is shared.
        by_song_: (songs,) float64, the weight of each song.
    """

    k: int = setting(IntRange(1), default=100, tune=IntRange(50, 2000, log=True), help="neighbours that vote")
    sample_size: int = setting(
        IntRange(0), default=2500, tune=IntRange(500, 10_000, log=True), help="recent sessions compared; 0 for all that share a song"
    )
    index_: SessionIndex = learned(SessionIndex)
    by_gap_: Array = learned()
    by_song_: Array = learned()
    _scratch: list[Scratch] | None = learned(saved=False, default=None)

    @abstractmethod
    def _scheme(self, longest: int) -> Scheme:
        """How sessions so far of up to ``longest`` plays are compared and vote; a model replaces what it does in its own way."""
        same, gaps = np.ones(longest), bool((self.by_gap_ != 1).any())
        sample_size = int(self.sample_size) or len(self.index_.ages)
        return Scheme(int(self.k), sample_size, by_recency=same, by_step=same, gaps=gaps, by_gap=self.by_gap_, by_song=self.by_song_)

    def _by_gap(self, longest: int) -> Array:
        """``by_gap_`` for training sessions of up to ``longest`` plays."""
        return np.ones(longest)

    def _by_song(self, sessions: Sessions) -> Array:
        return np.ones(len(sessions.catalogue))

    def _fit(self, sessions: Sessions) -> None:
        self._scratch = None
        self.by_gap_, self.by_song_ = self._by_gap(int(sessions.lengths.max())), self._by_song(sessions)
        self.index_ = build_index(sessions)

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        begins, ends = histories(sessions, np.ascontiguousarray(plays))
        scores = np.empty((len(plays), len(self.catalogue_)), np.float32)
        scheme = self._scheme(int((ends - begins).max(initial=1)))
        # taken away while in use, so that another thread makes its own
        scratch, self._scratch = self._scratch, None
        scratch = scratch or [make_scratch(len(self.index_.ages), len(self.catalogue_)) for _ in range(numba.get_num_threads())]
        score_queries(self.index_, scheme, sessions.songs, begins, ends, scratch, scores)
        self._scratch = scratch
        return scores


class SKNN(SessionNeighbours):
    """Songs of the training sessions that share most with this one.

    score(i) = sum over the k nearest sessions n that hold song i of sim(s, n), where order and repeats do not matter.

    Jannach and Ludewig, "When recurrent neural networks meet the neighborhood for session-based recommendation", RecSys
    2017. Sampling and ties are those of :class:`SessionNeighbours`. Of the sets of songs s and n, "cosine" is |s and n| /
    sqrt(|s| |n|), "jaccard" |s and n| / |s or n| (the authors' "tanimoto" is the same), "dice" 2 |s and n| / (|s| + |n|)
    (the authors' "binary").
    """

    name = "sknn"
    similarity: Literal["cosine", "jaccard", "dice"] = setting(
        SET_SIMILARITIES, default="cosine", tune=SET_SIMILARITIES, help="of the sets of songs"
    )

    def _scheme(self, longest: int) -> Scheme:
        return super()._scheme(longest)._replace(similarity=SIMILARITIES.index(self.similarity))


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

    def _scheme(self, longest: int) -> Scheme:
        scheme = super()._scheme(longest)
        return scheme._replace(
            power={"div": 1.0, "quadratic": 2.0}.get(self.weighting, 0.0),
            by_recency=_falling(self.weighting if self.weighting in ("linear", "log") else "same", np.arange(longest)),
            by_step=_falling(self.weighting_score, np.arange(1, longest + 1)),
            similarity=SIMILARITIES.index(self.similarity),
            remind=self.remind,
        )


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

    def _scheme(self, longest: int) -> Scheme:
        of_one_age = not self.index_.ages[-1]  # or of a log without times
        decay = np.inf if self.lambda_snh is None or of_one_age else float(self.lambda_snh)
        return super()._scheme(longest)._replace(by_recency=fading(longest, self.lambda_spw), decay=decay, remind=self.remind)


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

    def _scheme(self, longest: int) -> Scheme:
        by_step = fading(longest, self.lambda_ipw)
        return super()._scheme(longest)._replace(by_step=by_step, similarity=SIMILARITIES.index(self.similarity))


def fading(length: int, decay: float | None) -> Array:
    """exp(-i / decay) for i = 0 .. length - 1, float64; ones when ``decay`` is None."""
    return np.ones(length) if decay is None else np.exp(-np.arange(length) / decay)


def rarity(sessions: Sessions, weight: float) -> Array:
    """(songs,) float64: 1 + weight * idf, idf = log(sessions / plays of the song), but not below 0.

    Plays are counted, not sessions with the song, as the authors' implementation does.
    """
    plays = np.maximum(1, np.bincount(sessions.songs, minlength=len(sessions.catalogue)))
    return 1 + weight * np.maximum(0, np.log(len(sessions) / plays))


def _falling(kind: Weighting, distance: Array) -> Array:
    """(n,) float64 weights by (n,) distances from 0, or from 1 for "div" and "quadratic"."""
    if kind == "linear":
        return np.maximum(0, 1 - 0.1 * distance)
    if kind == "log":
        return 1 / np.log10(distance + 1.7)
    return distance ** {"same": 0.0, "div": -1.0, "quadratic": -2.0}[kind]
