"""More of the artists just heard: the plain fallback of every player."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.models.base import histories
from song2vec.models.old import OldStyle
from song2vec.models.popularity import standing
from song2vec.sessions import Sessions


class ArtistPopularity(OldStyle):
    """Songs by the artists of this session first, the most popular ahead, then all others by popularity.

    Where the catalogue names no artists it is popularity.
    """

    name = "artist-popularity"

    def _fit(self, sessions: Sessions) -> None:
        catalogue = sessions.catalogue
        self.standing_ = standing(np.bincount(sessions.songs, minlength=len(catalogue)))
        named = catalogue.artist_codes
        codes = np.empty(0, np.int64) if named is None else np.unique(named, return_inverse=True)[1]
        self.artist_ = codes.astype(np.int32)  # empty where the catalogue names none
        self.offsets_ = np.concatenate([[0], np.cumsum(np.bincount(codes))]).astype(np.int64)
        self.songs_ = np.argsort(codes, kind="stable").astype(np.int32)  # artist a's are songs_[offsets_[a]:offsets_[a + 1]]

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = np.tile(self.standing_, (len(plays), 1))
        if len(self.artist_):
            lift_artists(self.artist_, self.offsets_, self.songs_, sessions.songs, *histories(sessions, plays), scores)
        return scores


@jit
def lift_artists(artist: Array, offsets: Array, songs: Array, heard: Array, begin: Array, end: Array, scores: Array) -> None:
    """Add m to the score of every song by an artist of the history, once, so that they keep their order over all others."""
    m = len(artist)
    for i in range(len(begin)):
        for play in range(begin[i], end[i]):
            code = artist[heard[play]]
            if scores[i, heard[play]] > m:  # this artist is lifted
                continue
            for place in range(offsets[code], offsets[code + 1]):
                scores[i, songs[place]] += np.float32(m)
