"""The best of scored songs, as a table."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.search.scoring import among_best


def check_k(k: int) -> None:
    """Raises ArgumentError unless so many songs can be asked for."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ArgumentError(f"k={k!r}: a whole number from 1 is allowed")


def best_songs(catalogue: Catalogue, scores: Array, k: int, exclude: Iterable[SongId]) -> pl.DataFrame:
    """The table of :meth:`NextSongModel.next` by (songs,) scores."""
    best = best_rows(scores, k, catalogue.rows(exclude, "skip"))
    return top_table(catalogue, best, scores[best])


def top_table(catalogue: Catalogue, rows: Array, scores: Array) -> pl.DataFrame:
    """Columns song, artist, title (where known) and score, float32, of these rows."""
    return catalogue.table(rows).drop("plays").with_columns(score=pl.Series(scores, dtype=pl.Float32))


def best_rows(scores: Array, k: int, hidden: Array) -> Array:
    """Rows of the k highest of (songs,) scores but the hidden ones, best first and equals by row, which is by popularity."""
    n = k + len(hidden)
    rows = np.arange(len(scores))
    if n < len(scores):
        near = among_best(scores, n)
        border = np.partition(scores[near], -n)[-n]
        above = near[scores[near] > border]
        rows = np.concatenate([above, near[scores[near] == border][: n - len(above)]])
    order = rows[np.argsort(-scores[rows], kind="stable")]
    best: Array = order[~np.isin(order, hidden)][:k]
    return best
