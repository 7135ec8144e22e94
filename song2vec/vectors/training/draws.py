"""Random draws of the kernel: a generator, plays that count, negatives in proportion to any weights; all inlined into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit

OPTIONS: dict[str, Any] = {"fastmath": True, "boundscheck": False, "error_model": "numpy"}
inlined: Callable[..., Any] = numba.njit(nogil=True, inline="always", **OPTIONS)
WHOLE = 2.0**32
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
def kept_plays(songs, rows, keep, begin, end, line, state):  # type: ignore[no-untyped-def]
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
def draw(aliases, drawn, state):  # type: ignore[no-untyped-def]
    """Fill ``drawn`` with rows from the alias table: many at once, so that the table's cache lines are waited for together."""
    for k in range(len(drawn)):
        state = step(state)
        product = state * _MULTIPLIER
        row = np.int64(((product >> _32) * np.uint64(len(aliases))) >> _32)
        other = np.int64(aliases[row, 1])
        drawn[k] = row if (product & _LOW) < np.uint64(aliases[row, 0]) else other
    return state


def alias_table(weights: Array) -> Array:
    """(m,) positive weights -> (m, 2) uint32, one row an equal share of all draws (Walker 1977; Vose 1991, "A linear algorithm for
    generating random numbers").

    A row drawn at random stands for itself when a second draw below 2**32 is less than its first number, else for the
    row its second number names. Both lie side by side: a draw costs one cache line.
    """
    shares = np.asarray(weights, np.float64)
    shares = shares / shares.mean()
    table = np.empty((len(shares), 2), np.uint32)
    _fill(shares, np.empty(len(shares), np.int64), table)
    return table


@jit
def _fill(shares: Array, stack: Array, table: Array) -> None:
    """Small shares are stacked from the left of ``stack``, large ones from its right; each small one is filled by a large one."""
    small, large = 0, len(stack)
    for row in range(len(shares)):
        table[row, 0], table[row, 1] = np.uint32(0xFFFFFFFF), np.uint32(row)
        if shares[row] < 1.0:
            stack[small] = row
            small += 1
        else:
            large -= 1
            stack[large] = row
    while small > 0 and large < len(stack):
        small -= 1
        poor, rich = stack[small], stack[large]
        table[poor, 0], table[poor, 1] = np.uint32(min(shares[poor] * WHOLE, WHOLE - 1)), np.uint32(rich)
        shares[rich] -= 1.0 - shares[poor]
        if shares[rich] < 1.0:
            large += 1
            stack[small] = rich
            small += 1
