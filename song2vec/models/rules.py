"""Rules of two songs: what comes after the last song, what is played with it, and what is played by the same sessions."""

from __future__ import annotations

from song2vec.core.arrays import Array
from song2vec.core.config import Choice, FloatRange, IntRange, setting
from song2vec.models.transitions import TransitionModel, after, cosines, together
from song2vec.sessions import Sessions

NEIGHBOURS = Choice((20, 50, 100, 200, 500))


class MarkovChain(TransitionModel):
    """Scores songs by p(next = j | last = i), the share of j among the plays right after i.

    Of songs that followed equally often, the one that did so first in training is ahead, as in a dictionary of counts.
    Songs that never followed score 0.
    """

    name = "markov"

    def _fit(self, sessions: Sessions) -> None:
        self.table_ = after(sessions, steps=1)


class AssociationRules(TransitionModel):
    """Scores songs by how often they are played in a session together with the last song ("AR").

    Each play of one with each play of the other counts 1 whichever comes first; the score is the share of song j in all that
    i is played with (Ludewig & Jannach 2018, "Evaluation of session-based recommendation algorithms", arXiv:1803.09587).
    Fitting takes time in the sum of squared session lengths.
    """

    name = "ar"
    neighbours: int | None = setting(IntRange(1, also=(None,)), default=100, tune=NEIGHBOURS, help="rules kept of a song; None keeps all")
    decay: float = setting(
        FloatRange(0, 1), default=0.0, tune=FloatRange(0, 1), help="so much of a rule counts a song further back; 0 for the last song alone"
    )

    def _fit(self, sessions: Sessions) -> None:
        self.table_ = together(sessions, self.neighbours)

    def _scores(self, sessions: Sessions, plays: Array, decay: float = 0.0) -> Array:
        return super()._scores(sessions, plays, self.decay)


class SequentialRules(AssociationRules):
    """Scores songs by how often and how soon they came after the last song ("SR").

    A song d plays later counts 1 / d, up to ``steps``; the score is the share of song j in all that comes after i (Ludewig &
    Jannach 2018, arXiv:1803.09587).
    """

    name = "sr"
    steps: int = setting(IntRange(1), default=10, tune=IntRange(1, 30, log=True), help="plays after a song that are looked at")

    def _fit(self, sessions: Sessions) -> None:
        self.table_ = after(sessions, self.steps, self.neighbours)


class ItemKNN(AssociationRules):
    """Scores songs by the cosine of their sessions with those of the last song (Hidasi et al. 2016, arXiv:1511.06939).

    sim(i, j) = sessions that hold both / ((n_i + shrinkage)**alpha (n_j + shrinkage)**(1 - alpha)), n_i the sessions that hold i:
    shrinkage keeps rare songs from meeting by chance, an alpha below 1/2 takes more from popular songs.
    """

    name = "item-knn"
    shrinkage: float = setting(
        FloatRange(0), default=20.0, tune=FloatRange(0.1, 200, log=True), help="sessions added to those of each song"
    )
    alpha: float = setting(
        FloatRange(0, 1),
        default=0.5,
        tune=FloatRange(0, 1),
        help="1/2 for the cosine; 1 leaves the popularity of the other song in, 0 takes it out altogether",
    )

    def _fit(self, sessions: Sessions) -> None:
        self.table_ = cosines(sessions, self.neighbours, self.shrinkage, self.alpha)
