"""Rows of a network's tables for songs that training never saw, from songs like them: by their vectors or their artists.

A new row is the mean row of the songs it is like, at the mean length of those: a mean is shorter than what it is the mean of, and
a short row has no high score. On 30Music that finds far more than a least-squares map of vectors to rows, whose rows are shorter
still (``benchmarks/bench_new_songs.py`` measures it).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.nn.module import SongNetwork
from song2vec.search.scoring import candidates, ranked
from song2vec.vectors.song_vectors import SongVectors

NEAREST = 5  # known songs that a new one is like, by its vector
RARE = 0.1  # the share of songs, those played least, whose mean bias a new song begins with


def grown(
    network: SongNetwork, known: Catalogue, songs: SongVectors | Catalogue, *, begins_with_vectors: bool
) -> tuple[Catalogue, dict[str, Array]]:
    """A catalogue with the songs that are new behind those known, and the weights of the network with rows for them.

    Args:
        begins_with_vectors: whether input rows are song vectors.

    Raises ArgumentError where no song is new, and where it is not known what new songs are like.
    """
    if not isinstance(songs, SongVectors | Catalogue):
        raise ArgumentError(f"songs is a {type(songs).__name__}; SongVectors, or a Catalogue with artists, are allowed")
    offered = songs if isinstance(songs, Catalogue) else songs.catalogue
    if offered.holds_integers != known.holds_integers:
        raise ArgumentError("songs: ids are of another type than those of the model; both integers or both strings are allowed")
    new = np.flatnonzero(offered.rows_in(known) < 0)
    if not len(new):
        raise ArgumentError(f"songs: the model knows all {len(offered):,} of them; at least one new song is needed")
    shares = _by_artist(known, songs, new) if isinstance(songs, Catalogue) else _by_vector(known, songs, new)
    arrays = network.arrays()
    for name in network.tables():
        rows = shares @ arrays[name]
        lengths, wanted = np.linalg.norm(rows, axis=1), shares @ np.linalg.norm(arrays[name], axis=1)
        rows *= (wanted / np.maximum(lengths, 1e-12))[:, None]
        arrays[name] = np.concatenate([arrays[name], rows.astype(np.float32)])
    if isinstance(songs, SongVectors) and begins_with_vectors:
        size = arrays["input.weight"].shape[1]
        if songs.size != size:
            raise ArgumentError(f"songs: vectors have {songs.size} numbers; the model was trained with {size}")
        arrays["input.weight"][len(known) :] = songs.matrix[new]
    played = np.flatnonzero(_played(known))
    rare = played[np.argsort(known.plays[played], kind="stable")][: max(1, round(RARE * len(played)))]
    arrays["bias.weight"][len(known) :] = arrays["bias.weight"][rare].mean()
    return known.plus(offered.subset(new), np.append(known.plays, np.zeros(len(new), np.int64))), arrays


def _by_vector(known: Catalogue, vectors: SongVectors, new: Array) -> Any:
    """(n, m) sparse: equal shares of the known songs nearest to each new one."""
    places = known.rows_in(vectors.catalogue)
    learned = np.flatnonzero((places >= 0) & _played(known))
    if not len(learned):
        raise ArgumentError("songs: vectors of none of the songs that the model knows; some are needed to be like")
    unit, queries = vectors.unit[places[learned]], vectors.unit[new]
    count = min(NEAREST, len(learned))
    found = candidates(unit, queries, count)
    near = [learned[ranked(unit, query, rows)[0][:count]] for query, rows in zip(queries, found, strict=True)]
    begin = count * np.arange(len(new) + 1)
    return csr_matrix((np.full(begin[-1], 1 / count), np.concatenate(near), begin), (len(new), len(known)))


def _by_artist(known: Catalogue, songs: Catalogue, new: Array) -> Any:
    """(n, m) sparse: equal shares of the known songs by the artist of each new one."""
    joined = known.plus(songs.subset(new))
    codes = joined.artist_codes
    if codes is None or known.artists is None or songs.artists is None:
        raise ArgumentError("songs: artists are needed, of them and of the songs that the model knows; else SongVectors")
    learned = np.flatnonzero(_played(known))
    count = int(codes.max()) + 1
    of_artist = csr_matrix((np.ones(len(learned)), (codes[learned], learned)), (count, len(known)))[codes[len(known) :]]
    counts = np.diff(of_artist.indptr)
    if not counts.all():
        label = joined.label(len(known) + int(np.flatnonzero(counts == 0)[0]))
        raise ArgumentError(f"songs: the model knows no song by the artist of {label!r}; vectors are needed for it")
    of_artist.data /= np.repeat(counts, counts)
    return of_artist


def _played(known: Catalogue) -> Array:
    """(m,) bool: the songs that training played, the others' rows being as they were drawn; all where plays are not known."""
    played: Array = known.plays > 0
    return played if played.any() else ~played
