"""Next songs from the training sessions most like the session so far."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal

import numba
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import Choice, FloatRange, IntRange, learned, setting
from song2vec.models._session_index import SessionIndex, build_index
from song2vec.models._session_kernels import SIMILARITIES, Rules, Scratch, make_scratch, score_queries
from song2vec.models.base import NextSongModel
from song2vec.models.songs import histories
from song2vec.sessions import Sessions

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
    _scratch: Scratch | None = learned(saved=False, default=None)

    @abstractmethod
    def _weights(self, longest: int) -> dict[str, Any]:
        """The fields of Rules that the model has its own way with, for sessions so far of up to ``longest`` plays."""

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
        rules = self._rules(int((ends - begins).max(initial=1)))
        # taken away while in use, so that another thread makes its own
        scratch, self._scratch = self._scratch, None
        scratch = scratch or make_scratch(numba.get_num_threads(), len(self.index_.ages), len(self.catalogue_))
        score_queries(self.index_, rules, sessions.songs, begins, ends, scratch, scores)
        self._scratch = scratch
        return scores

    def _rules(self, longest: int) -> Rules:
        same = np.ones(longest)
        plain = Rules(
            power=0.0,
            by_recency=same,
            by_step=same,
            gaps=bool((self.by_gap_ != 1).any()),
            by_gap=self.by_gap_,
            by_song=self.by_song_,
            decay=np.inf,
            similarity=SIMILARITIES.index("cosine"),
            k=int(self.k),
            sample_size=int(self.sample_size) or len(self.index_.ages),
            remind=True,
        )
        rules = plain._replace(**self._weights(longest))
        return rules if self.index_.ages[-1] else rules._replace(decay=np.inf)  # nothing to decay: all of one age, or no times


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
        Choice(("cosine", "jaccard", "dice")), default="cosine", tune=Choice(("cosine", "jaccard", "dice")), help="of the sets of songs"
    )

    def _weights(self, longest: int) -> dict[str, Any]:
        return {"similarity": SIMILARITIES.index(self.similarity)}


def fading(length: int, decay: float | None) -> Array:
    """exp(-i / decay) for i = 0 .. length - 1, float64; ones when ``decay`` is None."""
    return np.ones(length) if decay is None else np.exp(-np.arange(length) / decay)


def rarity(sessions: Sessions, weight: float) -> Array:
    """(songs,) float64: 1 + weight * idf, idf = log(sessions / plays of the song), but not below 0.

    Plays are counted, not sessions with the song, as the authors' implementation does.
    """
    plays = np.maximum(1, np.bincount(sessions.songs, minlength=len(sessions.catalogue)))
    return 1 + weight * np.maximum(0, np.log(len(sessions) / plays))
