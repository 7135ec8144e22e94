"""Rules of two songs: what is played with the last song, what comes after it, and what is played by the same sessions."""

from __future__ import annotations

from typing import ClassVar

from song2vec.core.settings import Choice, Real, Space, Whole, check_real, check_whole
from song2vec.models.followers import Followers, after, cosines, together
from song2vec.sessions import Sessions


class AssociationRules(Followers):
    """Scores songs by how often they are played in a session together with the last song ("AR").

    Each play of one with each play of the other counts 1 whichever comes first; the score is the share of song j in all that
    i is played with (Ludewig & Jannach 2018, "Evaluation of session-based recommendation algorithms", arXiv:1803.09587).
    Fitting takes time in the sum of squared session lengths.

    Args:
        neighbours: how many of the heaviest rules of a song are kept; None keeps all.
        decay: rules of earlier songs count ``decay`` times those of the song after them; 0 for the last song's only, as published.
    """

    name = "ar"
    space: ClassVar[Space] = {"neighbours": Choice((20, 50, 100, 200, 500)), "decay": Real(0, 1)}

    def __init__(self, *, neighbours: int | None = 100, decay: float = 0.0) -> None:
        self.neighbours = neighbours
        self.decay = decay

    def _fit(self, sessions: Sessions) -> None:
        check_whole(self, "neighbours", 1, none=True)
        self._check_decay()
        self._keep(together(sessions, self.neighbours))


class SequentialRules(Followers):
    """Scores songs by how often and how soon they came after the last song ("SR").

    A song d plays later counts 1 / d, up to ``steps``; the score is the share of song j in all that comes after i (Ludewig &
    Jannach 2018, arXiv:1803.09587).

    Args:
        steps: how many plays after a song are looked at.
        neighbours, decay: as in :class:`AssociationRules`.
    """

    name = "sr"
    space: ClassVar[Space] = {"steps": Whole(1, 30, log=True), "neighbours": Choice((20, 50, 100, 200, 500)), "decay": Real(0, 1)}

    def __init__(self, *, steps: int = 10, neighbours: int | None = 100, decay: float = 0.0) -> None:
        self.steps = steps
        self.neighbours = neighbours
        self.decay = decay

    def _fit(self, sessions: Sessions) -> None:
        check_whole(self, "steps", 1)
        check_whole(self, "neighbours", 1, none=True)
        self._check_decay()
        self._keep(after(sessions, self.steps, self.neighbours))


class ItemKNN(Followers):
    """Scores songs by the cosine of their sessions with those of the last song (Hidasi et al. 2016, arXiv:1511.06939).

    sim(i, j) = sessions that hold both / ((n_i + regularisation)**alpha (n_j + regularisation)**(1 - alpha)), n_i the sessions
    that hold i: the regularisation keeps rare songs from meeting by chance, an alpha below 1/2 takes more from popular songs.

    Args:
        neighbours: how many of the nearest songs are kept for a song; None keeps all.
        regularisation: sessions added to those of each song.
        alpha: 1/2 for the cosine; 1 leaves the popularity of the other song in, 0 takes it out altogether.
        decay: neighbours of earlier songs count ``decay`` times those of the song after them; 0 for the last song's only.
    """

    name = "item-knn"
    space: ClassVar[Space] = {
        "neighbours": Choice((20, 50, 100, 200, 500)),
        "regularisation": Real(0.1, 200, log=True),
        "alpha": Real(0, 1),
        "decay": Real(0, 1),
    }

    def __init__(self, *, neighbours: int | None = 100, regularisation: float = 20.0, alpha: float = 0.5, decay: float = 0.0) -> None:
        self.neighbours = neighbours
        self.regularisation = regularisation
        self.alpha = alpha
        self.decay = decay

    def _fit(self, sessions: Sessions) -> None:
        check_whole(self, "neighbours", 1, none=True)
        check_real(self, "regularisation", 0)
        check_real(self, "alpha", 0, 1)
        self._check_decay()
        self._keep(cosines(sessions, self.neighbours, self.regularisation, self.alpha))
