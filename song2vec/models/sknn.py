"""Session-based k nearest neighbours: sessions as sets of songs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.settings import Choice, Space, Whole, check_choice
from song2vec.models.session_kernels import SIMILARITIES
from song2vec.models.session_neighbours import SessionNeighbours, longest_session
from song2vec.sessions import Sessions

SET_SIMILARITIES = ("cosine", "jaccard", "dice")


class SKNN(SessionNeighbours):
    """Songs of the training sessions that share most with this one.

    score(i) = sum over the k nearest sessions n that hold song i of sim(s, n), where order and repeats do not matter.

    Jannach and Ludewig, "When recurrent neural networks meet the neighborhood for session-based recommendation", RecSys
    2017. Sampling and ties are those of :class:`SessionNeighbours`.

    Args:
        k: neighbours that vote.
        sample_size: recent sessions compared, 0 for all that share a song.
        similarity: of the sets of songs s and n: "cosine" is |s and n| / sqrt(|s| |n|), "jaccard" |s and n| / |s or n|
            (the authors' "tanimoto" is the same), "dice" 2 |s and n| / (|s| + |n|) (the authors' "binary").
    """

    name = "sknn"
    space: ClassVar[Space] = {
        "k": Whole(50, 2000, log=True),
        "sample_size": Whole(500, 10_000, log=True),
        "similarity": Choice(SET_SIMILARITIES),
    }

    def __init__(self, *, k: int = 100, sample_size: int = 2500, similarity: str = "cosine") -> None:
        self.k, self.sample_size, self.similarity = k, sample_size, similarity

    def _learn_weights(self, sessions: Sessions) -> tuple[Array, Array]:
        check_choice(self, "similarity", SET_SIMILARITIES)
        return np.ones(longest_session(sessions)), np.ones(len(sessions.catalogue))

    def _weights(self, longest: int) -> dict[str, Any]:
        return {"similarity": SIMILARITIES.index(self.similarity)}
