"""What a search returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The songs found for one query, best first, equals by row.

    Attributes:
        rows: (n,) int64 rows of the catalogue.
        cosines: (n,) float32, -1 to 1.
    """

    rows: IntArray
    cosines: FloatArray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class BatchNeighbours:
    """The songs found for several queries.

    Attributes:
        rows: (b, w) int64, w the smaller of k and the number of songs; -1 after the last where a query has fewer.
        cosines: (b, w) float32; NaN after the last.
    """

    rows: IntArray
    cosines: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, query: int) -> Neighbours:
        """The songs of one query, without the padding."""
        found = self.rows[query] >= 0
        return Neighbours(self.rows[query][found], self.cosines[query][found])

    @classmethod
    def of(cls, found: Sequence[Neighbours], width: int) -> BatchNeighbours:
        """Single answers as one table."""
        rows = np.full((len(found), width), -1, np.int64)
        cosines = np.full((len(found), width), np.nan, np.float32)
        for query, answer in enumerate(found):
            rows[query, : len(answer)] = answer.rows
            cosines[query, : len(answer)] = answer.cosines
        return cls(rows, cosines)
