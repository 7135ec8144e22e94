"""What the kernel reads and draws before each product: plays that count, paths in the tree, negatives; all inlined into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from song2vec.vectors.training.local import prefetch

OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": True, "boundscheck": False, "error_model": "numpy"}
inlined: Callable[..., Any] = numba.njit(inline="always", **OPTIONS)
LINE = 16  # float32 in a cache line: rows are a multiple of it
_MULTIPLIER = np.uint64(0x2545F4914F6CDD1D)
_12, _25, _27, _32 = (np.uint64(bits) for bits in (12, 25, 27, 32))
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


@inlined
def path(song_nodes, node_nodes, song, outs, labels):  # type: ignore[no-untyped-def]
    """The nodes above a song into ``outs``; the label of a first branch is 1, as in word2vec.c."""
    count = 0
    above = np.int64(song_nodes[song])
    while above >= 0:
        outs[count] = above >> 1
        labels[count] = np.float32(1 - (above & 1))
        count += 1
        above = np.int64(node_nodes[above >> 1])
    return count


@inlined
def negative(aliases, outputs, size, state):  # type: ignore[no-untyped-def]
    """One row drawn from the alias table, its numbers asked for."""
    state = step(state)
    row = below(state, len(aliases))
    state = step(state)
    if np.int64(bits(state)) >= np.int64(aliases[row, 0]):
        row = np.int64(aliases[row, 1])
    for place in range(0, size, LINE):
        prefetch(outputs, row * size + place)
    return row, state


@inlined
def sampled(aliases, outputs, size, song, ahead, outs, labels, state):  # type: ignore[no-untyped-def]
    """The song and the negatives drawn a step ahead; those that are the song itself are left out, as in word2vec.c."""
    outs[0] = song
    labels[0] = _ONE
    count = 1
    for k in range(len(ahead)):
        if ahead[k] != song:
            outs[count] = ahead[k]
            labels[count] = np.float32(0)
            count += 1
        ahead[k], state = negative(aliases, outputs, size, state)
    return count, state
