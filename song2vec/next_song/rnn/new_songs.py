"""Rows of a network's tables for songs that training never saw, from their vectors or their artists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from song2vec.arrays import Array
from song2vec.catalogue import Catalogue
from song2vec.errors import ArgumentError
from song2vec.next_song.rnn.network import Network
from song2vec.seeding import generator
from song2vec.vectors.song_vectors import SongVectors

RIDGE = 1e-2  # of the mean square of a vector: keeps the map tame where few songs or alike ones are known
RARE = 0.1  # the share of songs, those played least, whose mean bias a new song begins with
Rows = Callable[[Array], Array]  # a (m, d) table of the known songs -> (n, d) rows of the new


def grown(network: Network, known: Catalogue, songs: SongVectors | Catalogue) -> tuple[Catalogue, Network]:
    """A catalogue with the songs that are new behind those known, and the network with rows for them.

    Raises ArgumentError where no song is new, and where nothing tells what new songs are like.
    """
    if not isinstance(songs, SongVectors | Catalogue):
        raise ArgumentError(f"songs is a {type(songs).__name__}; SongVectors, or a Catalogue with artists, are allowed")
    offered = songs if isinstance(songs, Catalogue) else songs.catalogue
    if offered.holds_integers != known.holds_integers:
        raise ArgumentError("songs: ids are of another type than those of the model; both integers or both strings are allowed")
    new = np.flatnonzero(offered.rows_in(known) < 0)
    if not len(new):
        raise ArgumentError(f"songs: the model knows all {len(offered):,} of them; at least one new song is needed")
    rows = _by_artist(known, songs, new) if isinstance(songs, Catalogue) else _by_vector(known, songs, new)
    arrays = network.arrays()
    for name in network.tables:
        arrays[name] = np.concatenate([arrays[name], rows(arrays[name])])
    if isinstance(songs, SongVectors) and network.shape.input == "vectors":
        if songs.size != network.shape.size:
            raise ArgumentError(f"songs: vectors have {songs.size} numbers; the model was trained with {network.shape.size}")
        arrays["input"][len(known) :] = songs.matrix[new]
    arrays["bias"][len(known) :] = arrays["bias"][_rare(known)].mean()
    larger = Network(replace(network.shape, songs=len(known) + len(new)), generator(0, "weights"), network.device)
    larger.load(arrays)
    return known.plus(offered.subset(new), np.append(known.plays, np.zeros(len(new), np.int64))), larger


def _by_vector(known: Catalogue, vectors: SongVectors, new: Array) -> Rows:
    """Ridge regression of table rows on vectors, both less their means."""
    places = known.rows_in(vectors.catalogue)
    taught = np.flatnonzero((places >= 0) & _played(known))
    if not len(taught):
        raise ArgumentError("songs: vectors of none of the songs that the model knows; some are needed to learn from")
    given = vectors.matrix[places[taught]].astype(np.float64)
    mean = given.mean(axis=0)
    given -= mean
    gram = given.T @ given
    gram[np.diag_indices_from(gram)] += RIDGE * max(np.trace(gram) / len(gram), 1e-12)
    solved = np.linalg.solve(gram, given.T)

    def rows(table: Array) -> Array:
        wanted = table[taught].astype(np.float64)
        found: Array = (vectors.matrix[new] - mean) @ (solved @ (wanted - wanted.mean(axis=0))) + wanted.mean(axis=0)
        return found.astype(np.float32)

    return rows


def _by_artist(known: Catalogue, songs: Catalogue, new: Array) -> Rows:
    """The mean row of the known songs of each new song's artist."""
    joined = known.plus(songs.subset(new))
    codes = joined.artist_codes
    if codes is None or known.artists is None or songs.artists is None:
        raise ArgumentError("songs: artists are needed, of them and of the songs that the model knows; else SongVectors")
    old, wanted = codes[: len(known)], codes[len(known) :]
    learned = np.flatnonzero(_played(known))
    counts = np.bincount(old[learned], minlength=codes.max() + 1)
    if not counts[wanted].all():
        label = joined.label(len(known) + int(np.flatnonzero(counts[wanted] == 0)[0]))
        raise ArgumentError(f"songs: the model knows no song by the artist of {label!r}; vectors are needed for it")

    def rows(table: Array) -> Array:
        sums = np.zeros((len(counts), table.shape[1]))
        np.add.at(sums, old[learned], table[learned])
        means: Array = (sums[wanted] / counts[wanted, None]).astype(np.float32)
        return means

    return rows


def _played(known: Catalogue) -> Array:
    """(m,) bool: the songs that training played, the others' rows being as they were drawn; all where plays are not known."""
    played: Array = known.plays > 0
    return played if played.any() else ~played


def _rare(known: Catalogue) -> Array:
    """Rows of the songs played least, but at all."""
    played = np.flatnonzero(_played(known))
    order = played[np.argsort(known.plays[played], kind="stable")]
    return order[: max(1, round(RARE * len(order)))]
