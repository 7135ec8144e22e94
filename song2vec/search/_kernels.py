"""The inner loops of exact search."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit

CHUNK = 64  # rows whose best score is noted together
STRIP = 64  # numbers of a coded vector multiplied in one go; a fixed count is what the compiler unrolls
_LOOK = 16  # rows whose best scores are compared with the thresholds together


@jit
def cosines_of(unit: Array, query: Array, rows: Array) -> Array:
    """(n,) float32 inner products of some rows with a float64 query; summed in double precision in one order."""
    cosines = np.empty(len(rows), np.float32)
    for i in range(len(rows)):
        total = 0.0
        for j in range(unit.shape[1]):
            total += unit[rows[i], j] * query[j]
        cosines[i] = min(max(total, -1.0), 1.0)
    return cosines


@jit
def keep_best(scores: Array, first: int, mask: Array, n: int, slack: float, low: Array, found: Array, places: Array, counts: Array) -> None:
    """Go through the scores of one tile and keep what may be among each query's n best.

    Args:
        scores: (rows, queries) of the rows from ``first`` on.
        mask: (m,) which rows count; empty for all.
        low: (queries,) a score below is not among the n best; rises.
        found, places: (queries, capacity) scores kept and their rows; ``counts`` (queries,) how many, -1 where more than
            half the capacity lies within ``slack`` of the n-th best, so that their scores do not separate them.
    """
    songs, queries = scores.shape
    capacity = found.shape[1]
    top = np.empty(queries, np.float32)
    for start in range(0, songs, _LOOK):
        stop = min(songs, start + _LOOK)
        top[:] = scores[start]
        for row in range(start + 1, stop):
            for q in range(queries):
                top[q] = max(top[q], scores[row, q])
        hits = 0
        for q in range(queries):
            hits += top[q] >= low[q]
        for q in range(queries if hits else 0):
            for row in range(start, stop if top[q] >= low[q] else start):
                if scores[row, q] < low[q] or (len(mask) and not mask[first + row]):
                    continue
                count = counts[q]
                found[q, count], places[q, count] = scores[row, q], first + row
                counts[q] = count + 1
                if count + 1 == capacity:
                    _thin(q, n, slack, low, found, places, counts)


@jit
def _thin(q: int, n: int, slack: float, low: Array, found: Array, places: Array, counts: Array) -> None:
    """Raise the threshold to the n-th best score so far and forget what is below."""
    capacity = found.shape[1]
    low[q] = np.partition(found[q], capacity - n)[capacity - n] - slack
    count = 0
    for i in range(capacity):
        if found[q, i] >= low[q]:
            found[q, count], places[q, count] = found[q, i], places[q, i]
            count += 1
    counts[q] = count
    if 2 * count > capacity:
        counts[q], low[q] = -1, np.inf


@jit
def encode(unit: Array, codes: Array, scales: Array) -> float:
    """Each row as int8 ``codes`` (zeros behind) times its own scale; returns the length of the largest error."""
    worst = 0.0
    for row in range(len(unit)):
        largest = np.float32(0)
        for number in unit[row]:
            largest = max(largest, abs(number))
        scales[row] = largest / np.float32(127)
        error = 0.0
        for j in range(unit.shape[1] if largest > 0 else 0):
            codes[row, j] = np.int8(np.rint(unit[row, j] / scales[row]))
            error += (unit[row, j] - codes[row, j] * np.float64(scales[row])) ** 2
        worst = max(worst, error)
    return float(np.sqrt(worst))


@jit
def coded_scores(codes: Array, scales: Array, query: Array, mask: Array, scores: Array, maxima: Array) -> None:
    """Inner products of all coded rows with an int16 query, -inf outside ``mask``, and the best of each chunk.

    int8 times int16 added up in int32 is what processors do 32 at a time.
    """
    for chunk in range(len(maxima)):
        best = np.float32(-np.inf)
        for row in range(chunk * CHUNK, min(len(codes), (chunk + 1) * CHUNK)):
            total = np.int32(0)
            for start in range(0, codes.shape[1], STRIP):
                numbers, asked = codes[row, start : start + STRIP], query[start : start + STRIP]
                for j in range(STRIP):
                    total = np.int32(total + np.int32(np.int32(numbers[j]) * np.int32(asked[j])))
            score = np.float32(total) * scales[row]
            if len(mask) and not mask[row]:
                score = np.float32(-np.inf)
            scores[row] = score
            best = max(best, score)
        maxima[chunk] = best
