"""Next songs from the training sessions most like the session so far."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numba
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.settings import check_real, check_whole
from song2vec.models.base import histories
from song2vec.models.old import OldStyle
from song2vec.models.session_index import SessionIndex, build_index
from song2vec.models.session_kernels import SIMILARITIES, Rules, Scratch, make_scratch, score_queries
from song2vec.sessions import Sessions


class SessionNeighbours(OldStyle):
    """What sknn, vsknn, stan and vstan share: a sample of sessions, the k nearest of them, and their vote on the next song.

    Of all training sessions that share a song with the session so far, the ``sample_size`` most recent (0: all) are
    compared with it, and the ``k`` most similar give a score to every song they hold. ``Sessions.start`` says which are
    recent; where two began in the same second, and in a log without times, the later in the log is more recent. Of equally
    similar sessions at the k-th place the more recent are taken. Scores are summed in float64; a song that no neighbour
    holds has 0, and no tie among songs is broken. Songs never played in training count for the length of a session only.

    Attributes:
        offsets_, songs_, places_, listing_, sessions_, ages_: the index, as ``session_index`` draws it.
        by_gap_: (longest training session,) float64, the weight of a neighbour's song by its distance from what is shared.
        by_song_: (songs,) float64, the weight of each song.
    """

    k: int
    sample_size: int

    @abstractmethod
    def _weights(self, longest: int) -> dict[str, Any]:
        """The fields of Rules that the model has its own way with, for sessions so far of up to ``longest`` plays."""

    @abstractmethod
    def _learn_weights(self, sessions: Sessions) -> tuple[Array, Array]:
        """``by_gap_`` and ``by_song_``. Raises ArgumentError for a hyperparameter that is not allowed."""

    def _fit(self, sessions: Sessions) -> None:
        vars(self).pop("_scratch", None)
        check_whole(self, "k", 1)
        check_whole(self, "sample_size", 0)
        self.by_gap_, self.by_song_ = self._learn_weights(sessions)
        index = build_index(sessions)
        self.offsets_, self.songs_, self.places_, self.listing_, self.sessions_, self.ages_ = index

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        begins, ends = histories(sessions, np.ascontiguousarray(plays))
        scores = np.empty((len(plays), len(self.catalogue_)), np.float32)
        index = SessionIndex(self.offsets_, self.songs_, self.places_, self.listing_, self.sessions_, self.ages_)
        rules = self._rules(int((ends - begins).max(initial=1)))
        # taken away while in use, so that another thread makes its own
        scratch = vars(self).pop("_scratch", None) or make_scratch(numba.get_num_threads(), len(self.ages_), len(self.catalogue_))
        score_queries(index, rules, sessions.songs, begins, ends, scratch, scores)
        self._scratch: Scratch = scratch
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
            sample_size=int(self.sample_size) or len(self.ages_),
            remind=True,
        )
        rules = plain._replace(**self._weights(longest))
        return rules if self.ages_[-1] else rules._replace(decay=np.inf)  # nothing to decay: all of one age, or no times


def longest_session(sessions: Sessions) -> int:
    """The plays of the longest session."""
    return int(sessions.lengths.max())


def fading(length: int, decay: float | None) -> Array:
    """exp(-i / decay) for i = 0 .. length - 1, float64; ones when ``decay`` is None."""
    return np.ones(length) if decay is None else np.exp(-np.arange(length) / decay)


def rarity(sessions: Sessions, weight: float) -> Array:
    """(songs,) float64: 1 + weight * idf, idf = log(sessions / plays of the song), but not below 0.

    Plays are counted, not sessions with the song, as the authors' implementation does.
    """
    plays = np.maximum(1, np.bincount(sessions.songs, minlength=len(sessions.catalogue)))
    return 1 + weight * np.maximum(0, np.log(len(sessions) / plays))


def check_decay(model: OldStyle, name: str) -> None:
    """Raises ArgumentError unless the setting is a number above 0, or None."""
    if getattr(model, name) is not None:
        check_real(model, name, 0, above=True)
