"""The inner loops of cutting: one pass each over flat arrays, compiled; what a log lacks comes as an empty array."""

from __future__ import annotations

import numba
import numpy as np

from song2vec.arrays import Array
from song2vec.sessions.compiled import jit, parallel_jit

CUT_REASONS = ("duplicate rows", "skips", "repeats")


def group(codes: Array, count: int) -> tuple[Array, Array]:
    """A stable counting sort: the rows of code 0, then of code 1, ...; and the (count + 1,) bounds between them."""
    order, bounds = _group(codes, count, numba.get_num_threads())
    return order, bounds


@parallel_jit
def _group(codes: Array, count: int, blocks: int) -> tuple[Array, Array]:
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
    order = np.empty(len(codes), np.int32)
    for block in numba.prange(blocks):
        for row in range(block * size, min((block + 1) * size, len(codes))):
            code = codes[row]
            order[place[block, code]] = row
            place[block, code] += 1
    return order, bounds


@parallel_jit
def gather(values: Array, order: Array) -> Array:
    """``values[order]``, on every core; an empty array, for what the log lacks, stays empty."""
    if len(values) == 0:
        return values
    gathered = np.empty(len(order), values.dtype)
    for i in numba.prange(len(order)):
        gathered[i] = values[order[i]]
    return gathered


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
def keep_latest(order: Array, bounds: Array, songs: Array, times: Array, given: Array, cap: int) -> tuple[Array, Array, Array]:
    """The latest ``cap`` plays of each listener, duplicates aside; all arrays in the order of ``order``.

    Returns ``order`` and ``bounds`` of the plays kept, and how many were dropped: duplicates, and plays over the cap.
    """
    kept, new_bounds = np.empty(len(order), order.dtype), np.zeros_like(bounds)
    dropped = np.zeros(2, np.int64)
    used = 0
    for listener in range(len(bounds) - 1):
        begin, opened = bounds[listener], used
        for play in range(begin, bounds[listener + 1]):
            if len(times) and _is_duplicate(play, begin, songs, times, given):
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
def cut(
    bounds: Array, songs: Array, times: Array, given: Array, played: Array, skipped: Array, gap: int, collapse: bool
) -> tuple[Array, Array, Array]:
    """One walk over all plays in order -> the plays kept, session offsets into them, and counts by CUT_REASONS."""
    kept = np.empty(len(songs), np.int32)
    offsets = np.empty(len(songs) + 1, np.int64)
    counts = np.zeros(3, np.int64)
    used = sessions = 0
    for listener in range(len(bounds) - 1):
        begin, end = bounds[listener], bounds[listener + 1]
        last = -1  # the play before, kept or skipped
        opened = used  # where the running session begins in ``kept``
        for play in range(begin, end):
            if last >= 0:
                if len(times) and times[play] == times[play - 1] and _is_duplicate(play, begin, songs, times, given):
                    counts[0] += 1
                    continue
                if used > opened and _begins_session(last, play, times, given, played, gap):
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
    return kept[:used].copy(), offsets[: sessions + 1].copy(), counts


@jit
def _is_duplicate(play: int, begin: int, songs: Array, times: Array, given: Array) -> bool:
    """Whether a play before has the same time and song (and session, where given).

    It looks back over 1,000 plays at most, so that a log whose clock stood still is still read in linear time.
    """
    for before in range(play - 1, max(begin, play - 1000) - 1, -1):
        if times[before] != times[play]:
            return False
        if songs[before] == songs[play] and (len(given) == 0 or given[before] == given[play]):
            return True
    return False


@jit
def _begins_session(last: int, play: int, times: Array, given: Array, played: Array, gap: int) -> bool:
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
    """Drop rare songs and short sessions until nothing more drops.

    Returns the plays kept, the offsets of the sessions kept, and the plays dropped: of rare songs, in short sessions,
    and as repeats that came together when what lay between them was dropped.
    """
    kept, offsets = kept.copy(), offsets.copy()
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
def dwell(plays: Array, offsets: Array, times: Array, played: Array) -> Array:
    """Seconds each play lasted: as the log says, else until the next play of its session, else NaN."""
    seconds = np.full(len(plays), np.nan, np.float32)
    for session in range(len(offsets) - 1):
        for i in range(offsets[session], offsets[session + 1]):
            if len(played) and not np.isnan(played[plays[i]]):
                seconds[i] = played[plays[i]]
            elif len(times) and i + 1 < offsets[session + 1]:
                seconds[i] = (times[plays[i + 1]] - times[plays[i]]) / 1e6
    return seconds
