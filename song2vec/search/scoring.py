"""Exact cosines, and which rows have the best of them. Every index is judged by this file."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from song2vec.arrays import Array

_BLOCK_BYTES = 64 << 20  # of scores held at once, however many queries come
_RANK_ROWS = 1 << 16  # rows taken up to double precision at once
_FEW_QUERIES = 8  # scored one by one
_ONE_THREAD = 9000  # numbers in a matrix that OpenBLAS multiplies with a vector in the calling thread


def candidates(unit: Array, queries: Array, n: int, rows: Array | None = None) -> Iterator[Array]:
    """For each query, rows among which its n best cosines are; a few more where float32 cannot tell who is n-th.

    Args:
        unit: (m, d) float32 unit vectors.
        queries: (b, d) float32 unit vectors.
        rows: (a,) int64, the only rows that count; None for all.

    Yields:
        int64 rows in no particular order, for one query after the other.
    """
    gathered = rows is not None and 8 * len(rows) < len(unit)  # copying few vectors costs less than scoring all
    scored = unit[rows] if gathered else unit
    slack = np.float32((unit.shape[1] + 4) * np.finfo(np.float32).eps)  # twice what rounding does to an inner product
    block = max(1, _BLOCK_BYTES // (4 * max(1, len(scored))))
    for start in range(0, len(queries), block):
        scores = _scores(scored, queries[start : start + block])
        if rows is not None and not gathered:
            scores = scores[:, rows]
        for line in scores:
            best = _best(line, n, slack)
            yield best if rows is None else rows[best]


def ranked(unit: Array, query: Array, rows: Array) -> tuple[Array, Array]:
    """Rows in order of their cosine with the query, best first and equals by row; and the cosines, float32.

    Computed row by row in double precision, so that a song's cosine depends neither on the index that found it, nor on
    how many queries came together: matrix products differ in the last bits with their shape.
    """
    cosines = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _RANK_ROWS):
        some = slice(start, start + _RANK_ROWS)
        cosines[some] = (unit[rows[some]] * query.astype(np.float64)).sum(axis=1)
    np.minimum(np.maximum(cosines, -1.0), 1.0, out=cosines)  # half the time of np.clip
    order = np.lexsort((rows, -cosines))
    return rows[order], cosines[order]


def _scores(unit: Array, queries: Array) -> Array:
    """(m, d) and (b, d) -> (b, m) float32 inner products.

    A larger matrix-vector product OpenBLAS spreads over all cores, and waits for the one that another process holds: 16 ms
    a query where .05 are needed. So few queries are scored in pieces that it leaves in the calling thread.
    """
    if len(queries) > _FEW_QUERIES:
        product: Array = queries @ unit.T
        return product
    size = unit.shape[1]
    rows = max(1, _ONE_THREAD // size)
    whole = len(unit) // rows * rows
    scores = np.empty((len(queries), len(unit)), np.float32)
    for line, query in zip(scores, queries, strict=True):
        np.matmul(unit[:whole].reshape(-1, rows, size), query, out=line[:whole].reshape(-1, rows))
        np.matmul(unit[whole:], query, out=line[whole:])
    return scores


def _best(scores: Array, n: int, slack: np.float32) -> Array:
    """Positions of the n best scores and of those within ``slack`` of the n-th.

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
