"""Ids -> dense integer codes: hashing, because sorting hundreds of millions of ids is slow."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from song2vec.core.arrays import Array
from song2vec.sessions import numbering


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
    if ids.dtype == pl.String:
        # a private Categorical numbers its strings densely, but in no order that is promised
        labels = ids.cast(pl.Categorical(pl.Categories.random())).to_physical().to_numpy()
        return _codes(ids, numbering.renumber(labels, 0, int(labels.max()) + 1))
    values = ids.to_numpy()
    smallest = int(values.min())
    span = int(values.max()) - smallest + 1
    if span <= 4 * len(values):  # ids close together, as databases number them, need no hashing
        return _codes(ids, numbering.renumber(values, smallest, span))
    return _codes(ids, numbering.encode_integers(values))


def _codes(ids: pl.Series, numbered: tuple[Array, Array]) -> Codes:
    codes, first = numbered
    return Codes(codes, first, ids.gather(first))
