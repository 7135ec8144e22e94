"""Which training sessions hold a song, and which songs a session holds: an inverted index as flat arrays.

Three sessions, the last the most recent: ``7 3 7``, ``3 5``, ``7 5``. Sessions are numbered by recency, 0 the most recent::

    offsets   [0 2 4 6]               session s holds songs[offsets[s]:offsets[s + 1]], each once, the last played first
    songs     [5 7 | 5 3 | 7 3]
    places    [2 1 | 2 1 | 3 2]       where in its session a song was played last, from 1
    listing   [.. 3: 0, 5: 2, 7: 4 .. 6]   song i is in sessions[listing[i]:listing[i + 1]], the most recent first
    sessions  [1 2 | 0 1 | 0 2]
    ages      [0. 0. 0.]              days before the most recent session; 0 where the log has no times
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.sessions import Sessions

DAY = 86_400  # seconds


class SessionIndex(NamedTuple):
    """The arrays above: offsets, listing int64; songs, places, sessions int32; ages float64."""

    offsets: Array
    songs: Array
    places: Array
    listing: Array
    sessions: Array
    ages: Array


def build_index(sessions: Sessions) -> SessionIndex:
    """The index of these sessions; of two that began in the same second, and in a log without times, the later line is more recent."""
    start = np.zeros(len(sessions), np.int64) if sessions.start is None else np.asarray(sessions.start)
    order = np.lexsort((np.arange(len(start)), start))[::-1]
    offsets = np.zeros(len(order) + 1, np.int64)
    songs, places = np.empty(sessions.plays, np.int32), np.empty(sessions.plays, np.int32)
    stamps = np.full(len(sessions.catalogue), -1, np.int32)
    _last_plays(sessions.songs, sessions.offsets, order, offsets, songs, places, stamps)
    songs, places = songs[: offsets[-1]].copy(), places[: offsets[-1]].copy()
    listing = np.zeros(len(sessions.catalogue) + 1, np.int64)
    np.cumsum(np.bincount(songs, minlength=len(sessions.catalogue)), out=listing[1:])
    listed = np.empty(len(songs), np.int32)
    _list_sessions(offsets, songs, listing[:-1].copy(), listed)
    return SessionIndex(offsets, songs, places, listing, listed, (start.max() - start[order]) / DAY)


@jit
def _last_plays(played: Array, bounds: Array, order: Array, offsets: Array, songs: Array, places: Array, stamps: Array) -> None:
    """Each song of each session once, at its last place, from the end of the session to its beginning."""
    held = 0
    for number in range(len(order)):
        begin, end = bounds[order[number]], bounds[order[number] + 1]
        for play in range(end - 1, begin - 1, -1):
            song = played[play]
            if stamps[song] != number:
                stamps[song] = number
                songs[held], places[held] = song, play - begin + 1
                held += 1
        offsets[number + 1] = held


@jit
def _list_sessions(offsets: Array, songs: Array, ends: Array, listed: Array) -> None:
    """Turn session -> songs into song -> sessions; ``ends`` begin where each song's list begins, and end where it ends."""
    for session in range(len(offsets) - 1):
        for i in range(offsets[session], offsets[session + 1]):
            listed[ends[songs[i]]] = session
            ends[songs[i]] += 1
