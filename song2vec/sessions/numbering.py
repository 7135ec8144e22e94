"""Ids -> dense integer codes 0, 1, 2, ... in order of first appearance: hashing, because sorting hundreds of millions of ids is slow.

The long arrays are made by NumPy and only filled by the loops: NumPy asks for huge pages, compiled code does not, and
touching a gigabyte in small pages for the first time takes longer than the loops themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from song2vec.core.arrays import Array
from song2vec.core.jit import jit


@dataclass(frozen=True)
class Codes:
    """A column of ids as codes 0..n-1.

    Attributes:
        codes: (rows,) int32.
        first: (n,) int64, the first row of each code; codes are numbered in this order.
        values: the n ids.
    """

    codes: Array
    first: Array
    values: pl.Series

    def __len__(self) -> int:
        return len(self.first)


def encode(ids: pl.Series) -> Codes:
    """Number the distinct ids of a column, strings or integers without nulls, in order of first appearance."""
    # a private Categorical numbers its strings densely, but in no order that is promised
    labels = (ids.cast(pl.Categorical(pl.Categories.random())).to_physical() if ids.dtype == pl.String else ids).to_numpy()
    smallest = int(labels.min())
    count = int(labels.max()) - smallest + 1
    codes = np.empty(len(labels), np.int32)
    # ids close together, as databases number them, need no hashing
    first = _renumber(labels, smallest, count, codes) if count <= 4 * len(labels) else _hash(labels, codes)
    return Codes(codes, first, ids.gather(first))


@jit
def _renumber(labels: Array, smallest: int, count: int, codes: Array) -> Array:
    """Labels smallest..smallest+count-1 -> their codes, and the first row of each code."""
    code_of = np.full(count, -1, np.int32)
    first = np.empty(count, np.int64)
    used = 0
    for row in range(len(labels)):
        label = np.int64(labels[row]) - smallest
        if code_of[label] < 0:
            code_of[label] = used
            first[used] = row
            used += 1
        codes[row] = code_of[label]
    return first[:used].copy()


@jit
def _hash(values: Array, codes: Array) -> Array:
    """Integers of any range -> their codes, and the first row of each code, by open addressing."""
    capacity = 1 << 16
    keys, table = np.empty(capacity, np.int64), np.full(capacity, -1, np.int32)  # a slot holds a value and its code
    first = np.empty(capacity // 2, np.int64)
    used = 0
    for row in range(len(values)):
        value = values[row]
        slot = _find(keys, table, value)
        if table[slot] < 0:
            if used == len(first):  # half full: double it, and look for the slot anew
                first = np.concatenate((first, np.empty(used, np.int64)))
                keys, table = _grow(keys, table)
                slot = _find(keys, table, value)
            keys[slot], table[slot] = value, used
            first[used] = row
            used += 1
        codes[row] = table[slot]
    return first[:used].copy()


@jit
def _find(keys: Array, table: Array, value: int) -> int:
    """The slot that holds ``value``, or the free one where it belongs."""
    last = len(table) - 1
    # Fibonacci hashing, twice: consecutive ids spread out, and so do ids that differ in their upper bits only
    mixed = np.uint64(value) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    slot = int(mixed >> np.uint64(20)) & last
    while table[slot] >= 0 and keys[slot] != value:
        slot = (slot + 1) & last
    return slot


@jit
def _grow(keys: Array, table: Array) -> tuple[Array, Array]:
    new_keys, new_table = np.empty(2 * len(keys), np.int64), np.full(2 * len(table), -1, np.int32)
    for old in range(len(table)):
        if table[old] >= 0:
            slot = _find(new_keys, new_table, keys[old])
            new_keys[slot], new_table[slot] = keys[old], table[old]
    return new_keys, new_table


@jit
def count_each(codes: Array, count: int) -> Array:
    """How often each code comes, int64."""
    counts = np.zeros(count, np.int64)
    for code in codes:
        counts[code] += 1
    return counts
