"""Bags: which songs each of several owners played, every song once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from song2vec.core.arrays import Array, ranges
from song2vec.models.songs import histories
from song2vec.sessions import Sessions


@dataclass(frozen=True)
class Bags:
    """The songs of bag i are ``songs[offsets[i]:offsets[i + 1]]``, none twice.

    Attributes:
        songs: int64, catalogue rows.
        offsets: (bags + 1,) int64.
    """

    songs: Array
    offsets: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(cls, owner: Array, songs: Array, owners: int) -> Bags:
        """From plays: (n,) whose they are, from 0 to ``owners`` - 1, and (n,) of what."""
        width = int(songs.max(initial=0)) + 1
        keys = np.unique(owner.astype(np.int64) * width + songs)
        return cls(keys % width, np.searchsorted(keys, np.arange(owners + 1) * width))

    @classmethod
    def of_owners(cls, sessions: Sessions, owners: Literal["sessions", "listeners"]) -> Bags:
        """One bag a session, or one a listener of all their sessions; listeners without a session have none."""
        owner = np.arange(len(sessions)) if owners == "sessions" else np.unique(sessions.listener, return_inverse=True)[1]
        return cls.of(np.repeat(owner, sessions.lengths), sessions.songs, int(owner.max()) + 1)

    @classmethod
    def of_histories(cls, sessions: Sessions, plays: Array) -> Bags:
        """One bag a play: what its session played up to it."""
        begin, end = histories(sessions, plays)
        owner, places = ranges(begin, end - begin)
        return cls.of(owner, sessions.songs[places], len(plays))

    def some(self, which: Array) -> Bags:
        """Some of the bags, by their numbers."""
        counts = self.counts[which]
        return Bags(self.songs[ranges(self.offsets[which], counts)[1]], np.append(0, np.cumsum(counts)))

    @property
    def counts(self) -> Array:
        """(bags,) int64: how many songs each holds."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> Array:
        """Whose each of the songs is."""
        return np.repeat(np.arange(len(self)), self.counts)
