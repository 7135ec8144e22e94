"""Compiled loops that number ids: 0, 1, 2, ... in order of first appearance.

The long arrays are made by NumPy and only filled by the loops: NumPy asks for huge pages, compiled code does not, and
touching a gigabyte in small pages for the first time takes longer than the loops themselves.
"""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit


def renumber(labels: Array, smallest: int, count: int) -> tuple[Array, Array]:
    """Labels smallest..smallest+count-1 -> codes in order of first appearance, and the first row of each code."""
    codes = np.empty(len(labels), np.int32)
    return codes, _renumber(labels, smallest, count, codes)


@jit
def _renumber(labels: Array, smallest: int, count: int, codes: Array) -> Array:
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


def encode_integers(values: Array) -> tuple[Array, Array]:
    """Integers of any range -> codes in order of first appearance, and the first row of each: open addressing."""
    codes = np.empty(len(values), np.int32)
    return codes, _encode_integers(values, codes)


@jit
def _encode_integers(values: Array, codes: Array) -> Array:
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


@jit
def first_of_each(codes: Array, count: int) -> Array:
    """The first row of each code, -1 where it has none."""
    first = np.full(count, -1, np.int64)
    for row in range(len(codes) - 1, -1, -1):
        first[codes[row]] = row
    return first
