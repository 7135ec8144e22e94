"""What followed the last song before: a first-order Markov chain."""

from __future__ import annotations

from song2vec.models.followers import Followers, after
from song2vec.sessions import Sessions


class MarkovChain(Followers):
    """Scores songs by p(next = j | last = i), the share of j among the plays right after i.

    Of songs that followed equally often, the one that did so first in training is ahead, as in a dictionary of counts.
    Songs that never followed score 0.
    """

    name = "markov"

    def __init__(self) -> None:
        """Without settings."""

    def _fit(self, sessions: Sessions) -> None:
        self._keep(after(sessions, steps=1))
