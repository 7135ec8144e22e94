"""Exact cosines, and which rows have the best of them. Every index is judged by this file."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from song2vec.core.arrays import Array
from song2vec.search._kernels import cosines_of, keep_best

FEW_QUERIES = 8  # scored one by one
_ONE_THREAD = 9000  # numbers in a matrix that OpenBLAS multiplies with a vector in the calling thread
_ONE_THREAD_PRODUCT = 1 << 18  # multiplications of a matrix product that it does there
_GROUP = 64  # queries scored together
_TILE = 2048  # rows scored together: the scores of a tile, half a megabyte, stay in the cache
_CAPACITY = 128  # candidates kept a query
NO_MASK = np.empty(0, np.bool_)


def candidates(unit: Array, queries: Array, n: int, rows: Array | None = None) -> Iterator[Array]:
    """For one query after the other int64 rows among which its n best cosines are, unordered; a few more where float32 cannot tell.

    However many queries come, a thread holds half a megabyte of scores or those of one query.

    Args:
        unit: (m, d) float32 unit vectors.
        queries: (b, d) float32 unit vectors.
        rows: (a,) int64, the only rows that count; None for all.
    """
    if rows is not None and 8 * len(rows) < len(unit):  # copying few vectors costs less than scoring all
        for found in candidates(unit[rows], queries, n):
            yield rows[found]
    elif len(queries) <= FEW_QUERIES or 8 * n > len(unit):
        for query in queries:
            yield _best_of_one(unit, query, n, rows)
    else:
        group = partial(_best_of_group, unit, n=n, rows=rows)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for some in pool.map(group, (queries[start : start + _GROUP] for start in range(0, len(queries), _GROUP))):
                yield from some


def ranked(unit: Array, query: Array, rows: Array) -> tuple[Array, Array]:
    """Rows in order of their cosine with the query, best first and equals by row; and the cosines, float32.

    Computed row by row in double precision, so that a song's cosine depends neither on the index that found it, nor on
    how many queries came together: matrix products differ in the last bits with their shape.
    """
    cosines = cosines_of(unit, query.astype(np.float64), rows)
    order = np.lexsort((rows, -cosines))
    return rows[order], cosines[order]


def inner_products(unit: Array, queries: Array) -> Array:
    """(m, d) and (b, d) -> (b, m) float32 inner products.

    A larger matrix-vector product OpenBLAS spreads over all cores, and waits for the one that another process holds: 16 ms
    a query where .05 are needed. So few queries are scored in pieces that it leaves in the calling thread.
    """
    if len(queries) > FEW_QUERIES:
        return queries @ unit.T
    size = unit.shape[1]
    rows = max(1, _ONE_THREAD // size)
    whole = len(unit) // rows * rows
    scores = np.empty((len(queries), len(unit)), np.float32)
    for line, query in zip(scores, queries, strict=True):
        np.matmul(unit[:whole].reshape(-1, rows, size), query, out=line[:whole].reshape(-1, rows))
        np.matmul(unit[whole:], query, out=line[whole:])
    return scores


def _slack(size: int) -> np.float32:
    """Twice what rounding does to an inner product."""
    return np.float32((size + 4) * np.finfo(np.float32).eps)


def _best_of_one(unit: Array, query: Array, n: int, rows: Array | None) -> Array:
    scores = inner_products(unit, query[None])[0]
    if rows is None:
        return among_best(scores, n, _slack(len(query)))
    return rows[among_best(scores[rows], n, _slack(len(query)))]


def _best_of_group(unit: Array, queries: Array, n: int, rows: Array | None) -> list[Array]:
    """Scores of a tile, then what of them may be among the best, and the next tile.

    The product is done in blocks of rows so small that OpenBLAS leaves them in the calling thread: as fast as one product,
    and threads that each have queries of their own never wait for each other.
    """
    mask = NO_MASK
    if rows is not None:
        mask = np.zeros(len(unit), np.bool_)
        mask[rows] = True
    size, count = unit.shape[1], len(queries)
    capacity = max(_CAPACITY, 4 * n)
    low, counts = np.full(count, -np.inf, np.float32), np.zeros(count, np.int64)
    found, places = np.empty((count, capacity), np.float32), np.empty((count, capacity), np.int64)
    block = max(1, min(_GROUP, _ONE_THREAD_PRODUCT // (_GROUP * size)))
    scores = np.empty((_TILE, count), np.float32)
    transposed = np.ascontiguousarray(queries.T)
    for first in range(0, len(unit), _TILE):
        tile = unit[first : first + _TILE]
        whole = len(tile) // block * block
        np.matmul(tile[:whole].reshape(-1, block, size), transposed, out=scores[:whole].reshape(-1, block, count))
        np.matmul(tile[whole:], transposed, out=scores[whole : len(tile)])
        keep_best(scores[: len(tile)], first, mask, n, _slack(size), low, found, places, counts)
    return [places[q, : counts[q]] if counts[q] >= 0 else _best_of_one(unit, queries[q], n, rows) for q in range(count)]


def among_best(scores: Array, n: int, slack: float | np.float32 = 0.0) -> Array:
    """Rising positions of the n best scores, of those within ``slack`` of the n-th, and of a few more.

    The n-th best of the maxima of disjoint groups is never above the n-th best score, and finding maxima is a fraction
    of the work of a partition: at 300k songs .1 ms against 3 ms.
    """
    m = len(scores)
    if n >= m:
        return np.arange(m)
    groups = max(4 * n, math.isqrt(m))
    if 2 * groups > m:
        groups = m
    maxima = scores[: m // groups * groups].reshape(-1, groups).max(axis=0)
    threshold = np.partition(maxima, groups - n)[groups - n] - slack
    return np.flatnonzero(scores >= threshold)
