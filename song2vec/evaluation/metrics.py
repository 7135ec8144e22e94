"""How good the answers are: metrics of ranks, where one song is right, and of lists, where several are; and what lists are like.

Each gives one number a query, so that queries can be averaged, split and resampled; the mean is the figure that papers
print. A rank is the number of songs scored as high as the right one or higher, itself among them: 1 is best, and songs
of equal score count against the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import jit, parallel_jit

_BLOCK = 4096  # lists whose vectors are looked up at once
_STEP = 64  # songs looked at together: where none is better than the k-th best so far, none is looked at singly
_INFINITY = np.float32(np.inf)


def hit(ranks: Array, k: int) -> Array:
    """1 where the right song is among the first k, else 0: its mean is the recall at k, as one song is right.

    Args:
        ranks: (n,) whole numbers from 1, ties counted against the model.

    Returns (n,) float64, 0 or 1. Raises ArgumentError for a rank or k below 1.
    """
    return (_checked(ranks) <= check_int("k", k)).astype(np.float64)


def reciprocal_rank(ranks: Array, k: int) -> Array:
    """1 / rank, and 0 beyond k: its mean is the MRR at k.

    Args and errors as :func:`hit`. Returns (n,) float64, 0 to 1.
    """
    return hit(ranks, k) / ranks


def ndcg(ranks: Array, k: int) -> Array:
    """1 / log2(rank + 1), and 0 beyond k: the NDCG at k where one song is right, as the best possible gain is then 1.

    Järvelin and Kekäläinen 2002. Args and errors as :func:`hit`. Returns (n,) float64, 0 to 1.
    """
    return hit(ranks, k) / np.log2(np.asarray(ranks) + 1.0)


def precision(lists: Array, held_out: Sequence[Array], k: int) -> Array:
    """The share of the first k recommendations that were held out.

    Args:
        lists: (n, at least k) int rows of songs, best first, each at most once in a list; ties are whoever ranked's.
        held_out: n arrays of rows; a song held out twice counts once.

    Returns (n,) float64, 0 to 1. Raises ArgumentError for lists shorter than k and where nothing was held out.
    """
    share: Array = _found(lists, held_out, k)[0].mean(axis=1)
    return share


def recall(lists: Array, held_out: Sequence[Array], k: int) -> Array:
    """The share of the held-out songs that are among the first k recommendations.

    Args and errors as :func:`precision`. Returns (n,) float64, 0 to 1.
    """
    found, sizes = _found(lists, held_out, k)
    share: Array = found.sum(axis=1) / sizes
    return share


def r_precision(lists: Array, held_out: Sequence[Array]) -> Array:
    """The share of g held-out songs among the first g recommendations, as in the playlist continuation of RecSys 2018.

    Songs only: the half-credit of that challenge for songs of a right artist is not given. A list shorter than g is taken
    as it is. Zamani et al. 2019. Args and errors as :func:`precision`. Returns (n,) float64, 0 to 1.
    """
    found, sizes = _found(lists, held_out)
    share: Array = (found & (np.arange(found.shape[1]) < sizes[:, None])).sum(axis=1) / sizes
    return share


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


def _checked(ranks: Array) -> Array:
    ranks = np.asarray(ranks)
    if not np.issubdtype(ranks.dtype, np.integer) or ranks.ndim != 1 or ranks.min(initial=1) < 1:
        raise ArgumentError(f"ranks: {ranks.dtype} of shape {ranks.shape}; one dimension of whole numbers from 1 is allowed")
    return ranks


def _found(lists: Array, held_out: Sequence[Array], k: int | None = None) -> tuple[Array, Array]:
    """(n, k) bool: is it one of those held out; and (n,) how many different ones were; all of the lists without k."""
    lists = np.asarray(lists)
    if lists.ndim != 2 or len(lists) != len(held_out):
        raise ArgumentError(f"lists have shape {lists.shape} for {len(held_out)} sets of held-out songs; (sets, k) is allowed")
    if k is not None and check_int("k", k) > lists.shape[1]:
        raise ArgumentError(f"k={k}: the lists hold {lists.shape[1]} songs each; at most so many are allowed")
    lists, right = lists[:, :k], [np.unique(songs) for songs in held_out]
    sizes = np.array([len(songs) for songs in right])
    if not sizes.all():
        raise ArgumentError(f"held_out: number {int(sizes.argmin())} is empty; at least one song each is allowed")
    return np.stack([np.isin(row, songs) for row, songs in zip(lists, right, strict=True)]) if len(right) else lists > 0, sizes


def rank_and_top(scores: Array, targets: Array, k: int) -> tuple[Array, Array]:
    """Ranks (n,) and best songs (n, k) int32 by (n, songs) scores, or one row for all, and (n,) targets; k is at most songs.

    Rank is the number of songs scored as high as the target or higher; 0 says that some score is not finite. Of equal
    scores the lower row is ahead in top.
    """
    ranks, top = np.empty(len(targets), np.int32), np.empty((len(targets), k), np.int32)
    _rank_and_top(np.ascontiguousarray(scores, np.float32), targets, ranks, top)
    return ranks, top


@parallel_jit
def _rank_and_top(scores: Array, targets: Array, ranks: Array, top: Array) -> None:
    for i in numba.prange(len(targets)):
        ranks[i] = _rank_and_top_of(scores[i] if len(scores) > 1 else scores[0], targets[i], top[i])


@jit
def _rank_and_top_of(row: Array, target: int, top: Array) -> int:
    goal, worst = row[target], -_INFINITY
    rank = finite = filled = 0
    for begin in range(0, len(row), _STEP):
        step = row[begin : begin + _STEP]
        better = 0
        for i in range(len(step)):  # whole-number sums without a branch, from 0 on: so LLVM puts them on vector registers
            rank += step[i] >= goal
            better += step[i] > worst
            finite += abs(step[i]) < _INFINITY
        if better or filled < len(top):
            for song in range(begin, begin + len(step)):
                if filled < len(top) or row[song] > worst:
                    filled = _insert(row, song, top, filled)
                    worst = row[top[filled - 1]] if filled == len(top) else worst
    return rank if finite == len(row) else 0


@jit
def _insert(row: Array, song: int, top: Array, filled: int) -> int:
    """Put a song behind all that are as good; the last falls out of a full list."""
    place = min(filled, len(top) - 1)
    while place > 0 and row[song] > row[top[place - 1]]:
        top[place] = top[place - 1]
        place -= 1
    top[place] = song
    return min(filled + 1, len(top))
