"""Checks of the columns of sessions: each in its type, and each number where it may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError


def offsets_of(lengths: Array | Sequence[int]) -> Array:
    """Where pieces of these lengths begin, one after the other, and where the last ends: (n + 1,) int64."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.add.accumulate(lengths, out=offsets[1:])
    return offsets


def column(name: str, values: Any, dtype: type[np.generic]) -> Array:
    """Values in this type, as they are where they have it; raises ArgumentError for floats where whole numbers are needed."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.dtype == dtype and array.ndim == 1:
        return array
    if array.ndim != 1 or not (np.can_cast(array.dtype, dtype, "same_kind") or not len(array)):
        raise ArgumentError(f"{name} holds {array.dtype} of shape {array.shape}; {np.dtype(dtype)} in one dimension is allowed")
    return array.astype(dtype, copy=False)


def rows(name: str, values: Any, count: int, where: str) -> Array:
    """Values as int32; raises ArgumentError for one outside 0..count-1."""
    array = column(name, values, np.int32) if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu" else values
    unsigned = array.view(array.dtype.str.replace("i", "u"))  # a number below 0 is a large one without its sign, so that one pass will do
    if len(array) and np.maximum.reduce(unsigned) >= count:
        place = int((unsigned >= count).argmax())
        allowed = f"rows 0 to {count - 1:,} of {where} are allowed" if count else f"{where} has none"
        raise ArgumentError(f"{name}: position {place:,} holds {array[place]}; {allowed}")
    return column(name, array, np.int32)


def offsets(values: Any, plays: int) -> Array:
    """Values as int64; raises ArgumentError unless they rise from 0 to the number of plays."""
    array = column("offsets", values, np.int64)
    if not len(array) or array[0] or array[-1] != plays:
        found = f"run from {array[0]} to {array[-1]}" if len(array) else "are empty"
        raise ArgumentError(f"offsets: {found}; numbers that rise from 0 to {plays}, the length of songs, are allowed")
    falls = array[1:] < array[:-1]
    if np.count_nonzero(falls):
        place = int(falls.argmax()) + 1
        raise ArgumentError(f"offsets: position {place:,} holds {array[place]} after {array[place - 1]}; numbers that rise are allowed")
    return array


def numbers(name: str, which: Any, count: int) -> Array:
    """A (count,) boolean mask, or numbers below ``count``, as int64 numbers; raises ArgumentError for anything else."""
    array = np.asarray(which)
    if array.dtype == bool:
        if array.shape != (count,):
            raise ArgumentError(f"{name}: a mask of shape {array.shape} for {count} {name}; one entry each is allowed")
        return np.flatnonzero(array)
    found = column(name, array, np.int64)
    if len(found) and not 0 <= found.min() <= found.max() < count:
        raise ArgumentError(f"{name}: numbers from {found.min()} to {found.max()}; 0 to {count - 1} are there")
    return found


def copies(name: str, how_often: Any, count: int) -> Array:
    """A (count,) boolean mask, or how often each comes, as it is; raises ArgumentError for anything else."""
    array = np.asarray(how_often)
    if array.shape != (count,) or array.dtype.kind not in "biu" or (array.dtype.kind == "i" and (array < 0).any()):
        raise ArgumentError(f"{name}: a mask, or numbers from 0, of shape ({count},) is allowed; this is {array.dtype}, {array.shape}")
    return array
