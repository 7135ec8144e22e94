"""What everybody plays: the floor under every other model."""

from __future__ import annotations

import numpy as np

from song2vec.arrays import Array
from song2vec.next_song.base import NextSongModel
from song2vec.sessions import Sessions


class Popularity(NextSongModel):
    """Scores a song by its plays in training; of equally popular ones the lower row is ahead."""

    name = "popularity"

    def _fit(self, sessions: Sessions) -> None:
        plays = np.bincount(sessions.songs, minlength=len(sessions.catalogue))
        places = np.empty(len(plays), np.float32)
        places[np.argsort(-plays, kind="stable")] = np.arange(1, len(plays) + 1)
        self.scores_ = 1 / places

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return np.broadcast_to(self.scores_, (len(plays), len(self.scores_)))
