"""What the answers are like, right or wrong: how much of the catalogue they show, how popular, and how varied.

Lists are (n, k) int rows of songs, each song at most once in a list. No order within a list matters here.
"""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array

_BLOCK = 4096  # lists whose vectors are looked up at once


def gini(counts: Array) -> float:
    """The Gini coefficient of how often each song is recommended.

    0 when all songs are equally often, (m - 1) / m when all lists hold the same one of m songs; NaN when there is none.

    Args:
        counts: (m,) numbers from 0, of all songs of the catalogue, those never recommended too.
    """
    ordered = np.sort(np.asarray(counts, np.float64))
    m, total = len(ordered), ordered.sum()
    if not total:
        return float("nan")
    return float(((2 * np.arange(1, m + 1) - m - 1) @ ordered) / (m * total))


def mean_plays(lists: Array, plays: Array) -> Array:
    """(n,) float64: how often the songs of each list were played, on average, by the (m,) plays of the catalogue."""
    result: Array = np.asarray(plays, np.float64)[lists].mean(axis=1)
    return result


def novelty(lists: Array, plays: Array) -> Array:
    """The mean self-information -log2 p(song) of each list in bits, p(song) being its share of all plays.

    A song never played counts as played once. Zhou et al. 2010. Returns (n,) float64 from 0; NaN when nothing was played.
    """
    plays = np.asarray(plays, np.float64)
    total = plays.sum()
    bits = np.log2(total / np.maximum(plays, 1)) if total else np.full(len(plays), np.nan)
    result: Array = bits[lists].mean(axis=1)
    return result


def diversity(lists: Array, unit: Array) -> Array:
    """Intra-list diversity: the mean of 1 - cosine over all pairs of a list's songs.

    0 when all point the same way, 1 when none is like another, at most 1 + 1 / (k - 1). Ziegler et al. 2005.

    Args:
        unit: (m, size) float32 vectors of length 1; a song whose vector is zero has none and is left out.

    Returns (n,) float64; NaN where fewer than two songs have a vector.
    """
    result = np.empty(len(lists))
    known = np.abs(unit).max(axis=1, initial=0) > 0
    for begin in range(0, len(lists), _BLOCK):
        block = lists[begin : begin + _BLOCK]
        # of unit vectors, |sum|^2 = songs + the cosines of all pairs, each pair twice
        squared = np.square(unit[block].sum(axis=1, dtype=np.float64)).sum(axis=1)
        songs = known[block].sum(axis=1)
        pairs = np.where(songs > 1, songs * (songs - 1), np.nan)
        result[begin : begin + _BLOCK] = 1 - (squared - songs) / pairs
    return result


def artist_diversity(lists: Array, artists: Array) -> Array:
    """Different artists in each list over its length: 1 / k when all songs are by one, 1 when each is by another.

    Args:
        artists: (m,) codes, equal for songs of the same artist; ``Catalogue.artist_codes`` gives songs without one their own.

    Returns (n,) float64.
    """
    ordered = np.sort(artists[lists], axis=1)
    share: Array = (1 + (np.diff(ordered, axis=1) != 0).sum(axis=1)) / ordered.shape[1]
    return share
