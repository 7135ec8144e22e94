"""The inner loops of cutting, compiled: plays put in order, listener by listener, and one pass each over flat arrays.

As in ``numbering``, the long arrays are made by NumPy, which asks for huge pages, and only filled here.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit, parallel_jit

CUT_REASONS = ("duplicate rows", "skips", "repeats")


class Plays(NamedTuple):
    """Columns of a listens table, listener by listener in order of time; what the log lacks is an empty array.

    Attributes:
        bounds: (listeners + 1,) int64, where each listener's plays begin.
        songs: (plays,) int32 codes. times: int64 microseconds. given: int32 codes of sessions.
        played: float32 seconds, NaN where unknown. skipped: bool.
    """

    bounds: Array
    songs: Array
    times: Array
    given: Array
    played: Array
    skipped: Array


def group(codes: Array, count: int) -> tuple[Array, Array]:
    """A stable counting sort: the rows of code 0, then of code 1, ...; and the (count + 1,) bounds between them."""
    order = np.empty(len(codes), np.int32)
    return order, _group(codes, count, numba.get_num_threads(), order)


@parallel_jit
def _group(codes: Array, count: int, blocks: int, order: Array) -> Array:
    size = (len(codes) + blocks - 1) // blocks
    place = np.zeros((blocks, count), np.int64)
    for block in numba.prange(blocks):
        for row in range(block * size, min((block + 1) * size, len(codes))):
            place[block, codes[row]] += 1
    bounds = np.zeros(count + 1, np.int64)
    for code in range(count):
        total = bounds[code]
        for block in range(blocks):  # where each block's rows of this code begin
            total, place[block, code] = total + place[block, code], total
        bounds[code + 1] = total
    for block in numba.prange(blocks):
        for row in range(block * size, min((block + 1) * size, len(codes))):
            code = codes[row]
            order[place[block, code]] = row
            place[block, code] += 1
    return bounds


def gather(values: Array, order: Array) -> Array:
    """``values[order]``, on every core; an empty array, for what the log lacks, stays empty."""
    if len(values) == 0:
        return values
    gathered = np.empty(len(order), values.dtype)
    _gather(values, order, gathered)
    return gathered


@parallel_jit
def _gather(values: Array, order: Array, gathered: Array) -> None:
    for i in numba.prange(len(order)):
        gathered[i] = values[order[i]]


@parallel_jit
def sort_within(keys: Array, bounds: Array, order: Array) -> bool:
    """Sort ``order`` within each group by ``keys``, (plays,) in the order of ``order``, stably; True if anything moved.

    A log already in order of time, the usual case, costs one look.
    """
    moved = np.zeros(len(bounds) - 1, np.bool_)
    for listener in numba.prange(len(bounds) - 1):
        begin, end = bounds[listener], bounds[listener + 1]
        for i in range(begin + 1, end):
            if keys[i] < keys[i - 1]:
                order[begin:end] = order[begin:end][np.argsort(keys[begin:end], kind="mergesort")]
                moved[listener] = True
                break
    return bool(moved.any())


@jit
def keep_latest(order: Array, plays: Plays, cap: int) -> tuple[Array, Array, Array]:
    """The latest ``cap`` plays of each listener, duplicates aside.

    Returns ``order`` and bounds of the plays kept, and how many were dropped: duplicates, and plays over the cap.
    """
    kept, new_bounds = np.empty(len(order), order.dtype), np.zeros_like(plays.bounds)
    dropped = np.zeros(2, np.int64)
    used = 0
    for listener in range(len(plays.bounds) - 1):
        begin, opened = plays.bounds[listener], used
        for play in range(begin, plays.bounds[listener + 1]):
            if len(plays.times) and is_duplicate(play, begin, plays):
                dropped[0] += 1
            else:
                kept[used] = order[play]
                used += 1
        over = used - opened - cap
        if over > 0:
            dropped[1] += over
            kept[opened : used - over] = kept[opened + over : used].copy()
            used -= over
        new_bounds[listener + 1] = used
    return kept[:used].copy(), new_bounds, dropped


@jit
def session_places(given: Array, bounds: Array, count: int) -> Array:
    """Given sessions, in order of time -> for each play, the place of its session among its listener's."""
    number = np.full(count, -1, np.int64)
    places = np.empty(len(given), np.int64)
    for listener in range(len(bounds) - 1):
        used = 0
        for i in range(bounds[listener], bounds[listener + 1]):
            if number[given[i]] < 0:
                number[given[i]] = used
                used += 1
            places[i] = number[given[i]]
        for i in range(bounds[listener], bounds[listener + 1]):
            number[given[i]] = -1
    return places


@jit
def is_duplicate(play: int, begin: int, plays: Plays) -> bool:
    """Whether a play before has the same time and song (and session, where given).

    It looks back over 1,000 plays at most, so that a log whose clock stood still is still read in linear time.
    """
    songs, times, given = plays.songs, plays.times, plays.given
    for before in range(play - 1, max(begin, play - 1000) - 1, -1):
        if times[before] != times[play]:
            return False
        if songs[before] == songs[play] and (len(given) == 0 or given[before] == given[play]):
            return True
    return False


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


@jit
def fill_dwell(seconds: Array, kept: Array, offsets: Array, times: Array, played: Array) -> None:
    """Fill in the seconds that each play lasted: as the log says, else until the next play of its session."""
    for session in range(len(offsets) - 1):
        for i in range(offsets[session], offsets[session + 1]):
            if len(played) and not np.isnan(played[kept[i]]):
                seconds[i] = played[kept[i]]
            elif len(times) and i + 1 < offsets[session + 1]:
                seconds[i] = (times[kept[i + 1]] - times[kept[i]]) / 1e6
