"""What the kernel reads and draws before each product: plays that count, paths in the tree, negatives; all inlined into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np

from song2vec.core.arrays import Array

OPTIONS: dict[str, Any] = {"fastmath": True, "boundscheck": False, "error_model": "numpy"}
inlined: Callable[..., Any] = numba.njit(nogil=True, inline="always", **OPTIONS)
LINE = 16  # float32 in a cache line: rows are a multiple of it
_MULTIPLIER = np.uint64(0x2545F4914F6CDD1D)
_12, _25, _27, _32 = (np.uint64(bits) for bits in (12, 25, 27, 32))
_LOW = np.uint64(2**32 - 1)
_ONE, _SHARE = np.float32(1), np.float32(2.0**-32)


@inlined
def step(state):  # type: ignore[no-untyped-def]
    """The next state of xorshift64* (Vigna 2016, arXiv:1402.6246); uint64, never 0."""
    state ^= state >> _12
    state ^= state << _25
    state ^= state >> _27
    return state


@inlined
def bits(state):  # type: ignore[no-untyped-def]
    """32 random bits of a state."""
    return (state * _MULTIPLIER) >> _32


@inlined
def below(state, count):  # type: ignore[no-untyped-def]
    """A whole number from 0 to count - 1."""
    return np.int64((bits(state) * np.uint64(count)) >> _32)


@inlined
def heard(songs, rows, keep, begin, end, line, state):  # type: ignore[no-untyped-def]
    """The rows of these plays into ``line``, less those that subsampling leaves out; how many, and the state."""
    count = 0
    for play in range(begin, end):
        row = np.int64(rows[songs[play]])
        if keep[row] < _ONE:
            state = step(state)
            if np.float32(np.int64(bits(state))) * _SHARE >= keep[row]:
                continue
        line[count] = row
        count += 1
    return count, state


class Pair(NamedTuple):
    """What pairs learn by: outputs, addresses of their rows, labels, how fast they teach and are taught, scores, errors, moves."""

    outs: Array
    rows: Array
    labels: Array
    speeds: Array
    paces: Array
    scores: Array
    errors: Array
    moves: Array


@inlined
def path(song_nodes, node_nodes, song, pair):  # type: ignore[no-untyped-def]
    """The outputs of a song in hierarchical softmax: the nodes above it; the label of a first branch is 1, as in word2vec.c."""
    count = 0
    above = np.int64(song_nodes[song])
    while above >= 0:
        pair.outs[count] = above >> 1
        pair.labels[count] = np.float32(1 - (above & 1))
        pair.speeds[count] = _ONE
        count += 1
        above = np.int64(node_nodes[above >> 1])
    return count


@inlined
def draw(aliases, drawn, state):  # type: ignore[no-untyped-def]
    """Fill ``drawn`` with rows from the alias table: many at once, so that the table's cache lines are waited for together."""
    for k in range(len(drawn)):
        state = step(state)
        product = state * _MULTIPLIER
        row = np.int64(((product >> _32) * np.uint64(len(aliases))) >> _32)
        other = np.int64(aliases[row, 1])
        drawn[k] = row if (product & _LOW) < np.uint64(aliases[row, 0]) else other
    return state


@inlined
def sampled(drawn, begin, end, song, pair):  # type: ignore[no-untyped-def]
    """The outputs of a song in negative sampling: itself, and each of these once; what is drawn twice is meant twice, the song never."""
    pair.outs[0] = song
    pair.speeds[0] = _ONE
    count = 1
    for place in range(begin, end):
        same = 0
        while same < count and pair.outs[same] != drawn[place]:
            same += 1
        if same == count:
            pair.outs[count] = drawn[place]
            pair.speeds[count] = _ONE
            count += 1
        elif same > 0:
            pair.speeds[same] += _ONE
    return count
