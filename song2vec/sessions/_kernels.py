"""The inner loops of cutting: one pass each over flat arrays, compiled.

As in ``numbering``, the long arrays are made by NumPy, which asks for huge pages, and only filled here.
"""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.sessions.ordering import Plays, is_duplicate

CUT_REASONS = ("duplicate rows", "skips", "repeats")


def cut(plays: Plays, gap: int, collapse: bool) -> tuple[Array, Array, Array]:
    """One walk over all plays in order -> the plays kept, session offsets into them, and counts by CUT_REASONS."""
    songs = len(plays.songs)
    kept, offsets, counts = np.empty(songs, np.int32), np.empty(songs + 1, np.int64), np.zeros(3, np.int64)
    used, sessions = _cut(plays, gap, collapse, kept, offsets, counts)
    return kept[:used], offsets[: sessions + 1], counts


@jit
def _cut(plays: Plays, gap: int, collapse: bool, kept: Array, offsets: Array, counts: Array) -> tuple[int, int]:
    bounds, songs, times, skipped = plays.bounds, plays.songs, plays.times, plays.skipped
    used = sessions = 0
    for listener in range(len(bounds) - 1):
        begin, end = bounds[listener], bounds[listener + 1]
        last = -1  # the play before, kept or skipped
        opened = used  # where the running session begins in ``kept``
        for play in range(begin, end):
            if last >= 0:
                if len(times) and times[play] == times[play - 1] and is_duplicate(play, begin, plays):
                    counts[0] += 1
                    continue
                if used > opened and _begins_session(last, play, plays, gap):
                    offsets[sessions] = opened
                    sessions += 1
                    opened = used
            last = play
            if len(skipped) and skipped[play]:
                counts[1] += 1
            elif collapse and used > opened and songs[kept[used - 1]] == songs[play]:
                counts[2] += 1
            else:
                kept[used] = play
                used += 1
        if used > opened:
            offsets[sessions] = opened
            sessions += 1
    offsets[sessions] = used
    return used, sessions


@jit
def _begins_session(last: int, play: int, plays: Plays, gap: int) -> bool:
    given, times, played = plays.given, plays.times, plays.played
    if len(given):
        return bool(given[last] != given[play])
    if len(times) == 0:  # neither sessions nor times: all plays of a listener are one session
        return False
    silence = times[play] - times[last]
    if len(played) and played[last] > 0:
        silence -= int(played[last] * 1e6)
    return bool(silence > gap)


@jit
def to_fixed_point(
    kept: Array, offsets: Array, songs: Array, count: int, min_plays: int, min_length: int, collapse: bool
) -> tuple[Array, Array, Array]:
    """Drop rare songs and short sessions until nothing more drops; works in ``kept`` and ``offsets`` themselves.

    Returns the plays kept, the offsets of the sessions kept, and the plays dropped: of rare songs, in short sessions,
    and as repeats that came together when what lay between them was dropped.
    """
    dropped = np.zeros(3, np.int64)
    plays = np.full(count, min_plays, np.int32)
    while True:
        if min_plays > 1:
            plays[:] = 0
            for play in kept:
                plays[songs[play]] += 1
        used = sessions = begin = 0
        for session in range(len(offsets) - 1):
            end = offsets[session + 1]
            opened = used
            for play in kept[begin:end]:
                song = songs[play]
                if plays[song] < min_plays:
                    dropped[0] += 1
                elif collapse and used > opened and songs[kept[used - 1]] == song:
                    dropped[2] += 1
                else:
                    kept[used] = play
                    used += 1
            begin = end
            if used - opened < min_length:
                dropped[1] += used - opened
                used = opened
            else:
                sessions += 1
                offsets[sessions] = used
        settled = used == len(kept) or min_plays == 1  # short sessions that go can only make songs rarer
        kept, offsets = kept[:used], offsets[: sessions + 1]
        if settled:
            return kept, offsets, dropped


def dwell(kept: Array, offsets: Array, plays: Plays) -> Array:
    """Seconds each play lasted: as the log says, else until the next play of its session, else NaN."""
    seconds = np.full(len(kept), np.nan, np.float32)
    _dwell(kept, offsets, plays.times, plays.played, seconds)
    return seconds


@jit
def _dwell(kept: Array, offsets: Array, times: Array, played: Array, seconds: Array) -> None:
    for session in range(len(offsets) - 1):
        for i in range(offsets[session], offsets[session + 1]):
            if len(played) and not np.isnan(played[kept[i]]):
                seconds[i] = played[kept[i]]
            elif len(times) and i + 1 < offsets[session + 1]:
                seconds[i] = (times[kept[i + 1]] - times[kept[i]]) / 1e6
