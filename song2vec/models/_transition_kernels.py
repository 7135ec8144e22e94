"""The inner loops of transition tables: finding each song's list, and adding lists up to scores."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit

_NEGLIGIBLE = 1e-6  # a list that counts less than this is not read
_PLACES = (1 << 32) - 1


@jit
def find_lists(
    begin: int,
    end: int,
    stride: int,
    log: tuple[Array, Array, Array, Array, Array],
    steps: int,
    distinct: bool,
    left: Array,
    right: Array,
    workspace: tuple[Array, Array, Array],
    at: Array,
    base: int,
    songs: Array,
    weights: Array,
    counts: Array,
) -> None:
    """Write the lists of every ``stride``-th song from ``begin`` to ``end``; song i's begins at ``at[i - base]``.

    Args:
        log: plays grouped by song and where each song's begin, the song and the session of each play, where sessions begin.
        steps: how far after a play to look; 0 looks at the whole session of the play.
        distinct: sessions are sets: each counts once for a pair.
        left, right: (m,) factors of a pair's weight by its songs; empty: weights are shares of the list's sum.
        workspace: (m,) float64 zeros, int32 and int64, of this thread alone.
    """
    by_song, played, song_of, session_of, offsets = log
    total, touched, stamp = workspace
    for i in range(begin, end, stride):
        n = 0
        place = played[i]
        while place < played[i + 1]:
            play = by_song[place]
            times = 1
            place += 1
            if steps:
                first, last = play + 1, min(play + 1 + steps, offsets[session_of[play] + 1])
            else:
                first, last = offsets[session_of[play]], offsets[session_of[play] + 1]
                while place < played[i + 1] and session_of[by_song[place]] == session_of[play]:
                    times += 1
                    place += 1
            for other in range(first, last):
                j = song_of[other]
                if not steps and j == i:
                    continue
                if distinct:
                    if stamp[j] == play:
                        continue
                    stamp[j] = play
                if total[j] == 0:
                    touched[n] = j
                    n += 1
                if steps:
                    total[j] += 1.0 / (other - play)
                else:
                    total[j] += 1.0 if distinct else times
        kept = _write(i, n, left, right, total, touched, songs[at[i - base] : at[i - base + 1]], weights[at[i - base] : at[i - base + 1]])
        counts[i - base] = kept


@jit
def _write(i: int, n: int, left: Array, right: Array, total: Array, touched: Array, songs: Array, weights: Array) -> int:
    """Write the heaviest of n touched songs as far as they fit, heaviest first; clears their totals; returns how many."""
    found = np.empty(n, np.float32)
    whole = 0.0
    for place in range(n):
        whole += total[touched[place]]
    for place in range(n):
        j = touched[place]
        found[place] = total[j] * left[i] * right[j] if len(left) else total[j] / whole
        total[j] = 0.0
    keys = _ranked(found, len(songs))
    bound = np.float32(np.inf)
    for rank in range(len(keys)):
        place = _PLACES - (keys[rank] & _PLACES)
        songs[rank] = touched[place]
        bound = min(found[place], np.nextafter(bound, np.float32(0)))  # equals are told apart by the last bit
        weights[rank] = bound
    return len(keys)


@jit
def _ranked(weights: Array, keep: int) -> Array:
    """Keys of the ``keep`` highest of (n,) positive weights, highest first, equals by place: the weight's bits, then the place.

    Positive floating-point numbers are in the order of their bits, so one sort of integers does both.
    """
    keys = weights.view(np.int32).astype(np.int64) << 32
    for place in range(len(keys)):
        keys[place] |= _PLACES - place
    if len(keys) > 2 * keep:
        keys = np.partition(keys, len(keys) - keep)[len(keys) - keep :]
    return np.sort(keys)[::-1][:keep]


@jit
def add_lists(offsets: Array, songs: Array, weights: Array, played: Array, begin: Array, end: Array, decay: float, scores: Array) -> None:
    """Add the list of each song of the histories to (n, m) scores, that of the last song in full, earlier ones decayed."""
    for i in range(len(begin)):
        share = np.float32(1)
        for play in range(end[i] - 1, begin[i] - 1, -1):
            for place in range(offsets[played[play]], offsets[played[play] + 1]):
                scores[i, songs[place]] += share * weights[place]
            share *= np.float32(decay)
            if share < _NEGLIGIBLE:
                break
