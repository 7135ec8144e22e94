"""Draws in proportion to any weights in constant time (Walker 1977; Vose 1991, "A linear algorithm for generating random numbers")."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit

WHOLE = 2.0**32


def alias_table(weights: Array) -> Array:
    """(m,) positive weights -> (m, 2) uint32, one row an equal share of all draws.

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
