"""The inner loops of cutting: one pass each over flat arrays, compiled; what a log lacks comes as an empty array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from song2vec.storage import Array

jit: Callable[..., Any] = numba.njit(cache=True, nogil=True)
parallel_jit: Callable[..., Any] = numba.njit(cache=True, nogil=True, parallel=True)

CUT_REASONS = ("duplicate rows", "over the listener's cap", "skips", "repeats")


@jit
def renumber(labels: Array, count: int) -> tuple[Array, Array]:
    """Labels 0..count-1 -> codes in order of first appearance, and the first row of each code."""
    code_of = np.full(count, -1, np.int32)
    first = np.empty(count, np.int64)
    codes = np.empty(len(labels), np.int32)
    used = 0
    for row in range(len(labels)):
        label = labels[row]
        if code_of[label] < 0:
            code_of[label] = used
            first[used] = row
            used += 1
        codes[row] = code_of[label]
    return codes, first[:used].copy()


@jit
def encode_integers(values: Array) -> tuple[Array, Array]:
    """Integers -> codes in order of first appearance, and the first row of each: an open-addressing hash table."""
    capacity = 1 << 16
    table = np.full(capacity, -1, np.int32)  # a slot holds a code; its key is the value at the code's first row
    codes = np.empty(len(values), np.int32)
    first = np.empty(capacity // 2, np.int64)
    used = 0
    for row in range(len(values)):
        value = values[row]
        slot = _slot(value, capacity)
        while table[slot] >= 0 and values[first[table[slot]]] != value:
            slot = (slot + 1) & (capacity - 1)
        if table[slot] < 0:
            if used == len(first):  # half full: double it, and look for the slot anew
                capacity *= 2
                grown = np.empty(capacity // 2, np.int64)
                grown[:used] = first[:used]
                first = grown
                table = _rehash(values, first, used, capacity)
                slot = _slot(value, capacity)
                while table[slot] >= 0:
                    slot = (slot + 1) & (capacity - 1)
            table[slot] = used
            first[used] = row
            used += 1
        codes[row] = table[slot]
    return codes, first[:used].copy()


@jit
def _slot(value: int, capacity: int) -> int:
    mixed = np.uint64(value) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: consecutive ids spread out
    return int(mixed >> np.uint64(20)) & (capacity - 1)


@jit
def _rehash(values: Array, first: Array, used: int, capacity: int) -> Array:
    table = np.full(capacity, -1, np.int32)
    for code in range(used):
        slot = _slot(values[first[code]], capacity)
        while table[slot] >= 0:
            slot = (slot + 1) & (capacity - 1)
        table[slot] = code
    return table


def in_order(listeners: Array, count: int, times: Array, given: Array | None) -> tuple[Array, Array]:
    """Rows listener by listener, each in order of time, equal times in order of the log.

    Where sessions are given, rows go session by session within a listener, sessions in order of their first time.
    Returns the (plays,) order and the (count + 1,) bounds of each listener in it.
    """
    order, bounds = group(listeners, count)
    if len(times):
        sort_within(order, bounds, times)
    if given is not None:
        _gather_sessions(order, bounds, given, int(given.max()) + 1)
    return order, bounds


@jit
def group(codes: Array, count: int) -> tuple[Array, Array]:
    """A stable counting sort: the rows of code 0, then of code 1, ...; and the (count + 1,) bounds between them."""
    bounds = np.zeros(count + 1, np.int64)
    for code in codes:
        bounds[code + 1] += 1
    for code in range(count):
        bounds[code + 1] += bounds[code]
    place = bounds[:-1].copy()
    order = np.empty(len(codes), np.int64)
    for row in range(len(codes)):
        order[place[codes[row]]] = row
        place[codes[row]] += 1
    return order, bounds


@parallel_jit
def sort_within(order: Array, bounds: Array, times: Array) -> None:
    """Sort each listener's rows by time in place, stably; a log already in order, the usual case, costs one look."""
    for listener in numba.prange(len(bounds) - 1):
        rows = order[bounds[listener] : bounds[listener + 1]]
        for i in range(1, len(rows)):
            if times[rows[i]] < times[rows[i - 1]]:
                rows[:] = rows[np.argsort(times[rows], kind="mergesort")]
                break


@jit
def _gather_sessions(order: Array, bounds: Array, given: Array, count: int) -> None:
    """Make each given session's rows of one listener adjacent, sessions in order of their first row; in place."""
    number = np.full(count, -1, np.int64)
    for listener in range(len(bounds) - 1):
        rows = order[bounds[listener] : bounds[listener + 1]]
        numbers = np.empty(len(rows), np.int64)
        used = 0
        for i in range(len(rows)):
            session = given[rows[i]]
            if number[session] < 0:
                number[session] = used
                used += 1
            numbers[i] = number[session]
        for i in range(len(rows)):
            number[given[rows[i]]] = -1
        rows[:] = rows[np.argsort(numbers, kind="mergesort")]


@jit
def cut(
    order: Array,
    bounds: Array,
    songs: Array,
    times: Array,
    given: Array,
    played: Array,
    skipped: Array,
    gap: int,
    collapse: bool,
    cap: int,
) -> tuple[Array, Array, Array]:
    """One walk over all plays in order -> rows kept, session offsets into them, and counts by CUT_REASONS."""
    kept = np.empty(len(order), np.int64)
    offsets = np.empty(len(order) + 1, np.int64)
    counts = np.zeros(4, np.int64)
    used = sessions = 0
    for listener in range(len(bounds) - 1):
        begin, end = bounds[listener], bounds[listener + 1]
        if end - begin > cap:
            counts[1] += end - begin - cap
            begin = end - cap
        last = -1  # the row before, kept or skipped
        opened = used  # where the running session begins in ``kept``
        for i in range(begin, end):
            row = order[i]
            if last >= 0:
                if len(times) and _is_duplicate(order, begin, i, songs, times, given):
                    counts[0] += 1
                    continue
                if _begins_session(last, row, times, given, played, gap) and used > opened:
                    offsets[sessions] = opened
                    sessions += 1
                    opened = used
            last = row
            if len(skipped) and skipped[row]:
                counts[2] += 1
            elif collapse and used > opened and songs[kept[used - 1]] == songs[row]:
                counts[3] += 1
            else:
                kept[used] = row
                used += 1
        if used > opened:
            offsets[sessions] = opened
            sessions += 1
    offsets[sessions] = used
    return kept[:used].copy(), offsets[: sessions + 1].copy(), counts


@jit
def _is_duplicate(order: Array, begin: int, i: int, songs: Array, times: Array, given: Array) -> bool:
    """Whether one of the rows before has the same time and song (and session, where given).

    It looks back over 1,000 rows at most, so that a log whose clock stood still is still read in linear time.
    """
    row = order[i]
    begin = max(begin, i - 1000)
    j = i - 1
    while j >= begin and times[order[j]] == times[row]:
        before = order[j]
        if songs[before] == songs[row] and (len(given) == 0 or given[before] == given[row]):
            return True
        j -= 1
    return False


@jit
def _begins_session(last: int, row: int, times: Array, given: Array, played: Array, gap: int) -> bool:
    if len(given):
        return bool(given[last] != given[row])
    silence = times[row] - times[last]
    if len(played) and played[last] > 0:
        silence -= np.int64(played[last] * 1e6)
    return bool(silence > gap)


@jit
def to_fixed_point(songs: Array, offsets: Array, count: int, min_plays: int, min_length: int, collapse: bool) -> tuple[Array, Array, Array]:
    """Drop rare songs and short sessions until nothing more drops.

    Returns the places kept in ``songs``, the offsets of the sessions kept, and the plays dropped: of rare songs, in
    short sessions, and as repeats that came together when what lay between them was dropped.
    """
    kept, offsets = np.arange(len(songs)), offsets.copy()
    dropped = np.zeros(3, np.int64)
    while True:
        plays = np.zeros(count, np.int64)
        for place in kept:
            plays[songs[place]] += 1
        used = sessions = begin = 0
        for session in range(len(offsets) - 1):
            end = offsets[session + 1]
            opened = used
            for place in kept[begin:end]:
                song = songs[place]
                if plays[song] < min_plays:
                    dropped[0] += 1
                elif collapse and used > opened and songs[kept[used - 1]] == song:
                    dropped[2] += 1
                else:
                    kept[used] = place
                    used += 1
            begin = end
            if used - opened < min_length:
                dropped[1] += used - opened
                used = opened
            else:
                sessions += 1
                offsets[sessions] = used
        settled = used == len(kept)
        kept, offsets = kept[:used], offsets[: sessions + 1]
        if settled:
            return kept.copy(), offsets.copy(), dropped


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


@jit
def first_of_each(codes: Array, count: int) -> Array:
    """The first row of each code, -1 where it has none."""
    first = np.full(count, -1, np.int64)
    for row in range(len(codes) - 1, -1, -1):
        first[codes[row]] = row
    return first
