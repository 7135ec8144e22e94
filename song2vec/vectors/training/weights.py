"""What word2vec learns, of which songs: an input row for every song, and the output rows they are trained against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator
from song2vec.core.simd import LINE
from song2vec.core.storage import Part, Saved, prefixed, within
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors, unit_rows
from song2vec.vectors.training.huffman import Tree, grown_tree, huffman_tree

_PLAYS = 4_000_000  # counted at once
_SONGS = 2**12  # whose outputs are added at once


@dataclass
class Weights(Saved):
    """The two matrices of word2vec.

    Attributes:
        inputs: (songs, columns) float32; columns is ``size`` rounded up to whole cache lines, what is beyond stays zero.
        outputs: (songs, columns) float32 with negative sampling, (nodes, columns) with hierarchical softmax.
        tree: of hierarchical softmax, else None.
        catalogue: the songs of the rows.
        plays: (songs,) int64, how often each was played in training.
        size: numbers in a vector.
    """

    inputs: Array
    outputs: Array
    tree: Tree | None
    catalogue: Catalogue
    plays: Array
    size: int

    kind = "word2vec weights"

    @classmethod
    def fresh(cls, catalogue: Catalogue, plays: Array, size: int, *, hierarchical: bool, seed: int) -> Weights:
        """Small random inputs and zero outputs, as word2vec.c begins."""
        tree = huffman_tree(plays, seed) if hierarchical else None
        outputs = aligned(len(plays) if tree is None else len(tree.nodes), size)
        return cls(_random_inputs(len(plays), size, seed), outputs, tree, catalogue, plays, size)

    def grown(self, catalogue: Catalogue, plays: Array, seed: int) -> Weights:
        """What was learned as it is, and new songs behind: the catalogue and the plays are of those there are, then of the new ones."""
        old, new = len(self.plays), len(plays) - len(self.plays)
        tree = grown_tree(self.tree, plays[old:], seed) if self.tree is not None and new else self.tree
        inputs, outputs = _random_inputs(len(plays), self.size, seed), aligned(len(plays) if tree is None else len(tree.nodes), self.size)
        inputs[:old], outputs[: len(self.outputs)] = self.inputs, self.outputs
        return Weights(inputs, outputs, tree, catalogue, plays, self.size)

    def song_vectors(self, context_weight: float) -> SongVectors:
        """Vectors of the songs, by :meth:`with_context`, most played first, as in every catalogue of a log."""
        vectors = SongVectors(self.with_context(context_weight), self.catalogue)
        plays = self.catalogue.plays
        return vectors if (plays[:-1] >= plays[1:]).all() else vectors.subset(np.argsort(-plays, kind="stable"))

    def with_context(self, weight: float) -> Array:
        """Unit input vectors plus ``weight`` times unit output vectors (Levy et al. 2015, section 3.3: "adding context vectors").

        An input vector of one song and an output vector of another agree when the two are played together; two input vectors
        agree when both are played with the same songs. A sum of both says something of each. Returns a copy, (songs, size) float32.
        """
        vectors: Array = self.inputs[:, : self.size].copy()
        for begin in range(0, len(vectors) if weight else 0, _SONGS):
            block = slice(begin, begin + _SONGS)
            vectors[block] = unit_rows(vectors[block]) + np.float32(weight) * unit_rows(self._outputs(block))
        return vectors

    def _outputs(self, block: slice) -> Array:
        """The output vectors of some songs. With a tree a song has none but a path of them: their mean, turned the way the song lies."""
        outputs = self.outputs[:, : self.size]
        if self.tree is None:
            return outputs[block]
        songs = np.arange(len(self.inputs))[block]
        sums, lengths = np.zeros((len(songs), self.size), np.float32), np.zeros((len(songs), 1), np.float32)
        for which, node, branch in self.tree.levels(songs):
            sums[which] += (1 - 2 * branch)[:, None].astype(np.float32) * outputs[node]
            lengths[which] += 1
        return sums / lengths

    def to_parts(self) -> dict[str, Part]:
        """The weights as parts of a saved folder."""
        arrays = {"inputs": self.inputs[:, : self.size], "outputs": self.outputs[:, : self.size], "plays": self.plays}
        if self.tree is not None:
            arrays |= {"song_nodes": self.tree.songs, "node_nodes": self.tree.nodes}
        return prefixed("catalogue", self.catalogue.to_parts()) | {"weights": Part({"size": self.size}, arrays)}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        arrays, size = parts["weights"].arrays, int(parts["weights"].meta["size"])
        inputs, outputs = (aligned(len(arrays[name]), size) for name in ("inputs", "outputs"))
        inputs[:, :size], outputs[:, :size] = arrays["inputs"][:, :size], arrays["outputs"][:, :size]
        tree = Tree(np.array(arrays["song_nodes"]), np.array(arrays["node_nodes"])) if "song_nodes" in arrays else None
        return cls(inputs, outputs, tree, Catalogue.from_parts(within("catalogue", parts)), np.array(arrays["plays"]), size)


def aligned(rows: int, size: int) -> Array:
    """(rows, size rounded up to 16) float32 zeros of which every row begins a cache line."""
    columns = -(-size // LINE) * LINE
    room = np.zeros(rows * columns + LINE, np.float32)
    skip = -room.ctypes.data // 4 % LINE
    return room[skip : skip + rows * columns].reshape(rows, columns)


def _random_inputs(songs: int, size: int, seed: int) -> Array:
    """Uniform in -1/size to 1/size."""
    inputs = aligned(songs, size)
    random: Any = generator(seed, "inputs")
    for begin in range(0, songs, 2**16):
        block = inputs[begin : begin + 2**16, :size]
        block[:] = (random.random(block.shape, np.float32) * 2 - 1) / size
    return inputs


def count_plays(sessions: Sessions) -> Array:
    """(songs,) int64: plays of each song of the catalogue, read in blocks so that sessions may stay on disk."""
    counts = np.zeros(len(sessions.catalogue), np.int64)
    for begin in range(0, sessions.plays, _PLAYS):
        counts += np.bincount(sessions.songs[begin : begin + _PLAYS], minlength=len(counts))
    return counts


def check_plays(name: str, sessions: Sessions) -> None:
    """Raises ArgumentError where nothing can be learned from."""
    offsets = sessions.offsets
    if not any((np.diff(offsets[begin : begin + 2**20 + 1]) > 1).any() for begin in range(0, len(sessions), 2**20)):
        raise ArgumentError(f"{name}: none of {len(sessions):,} has two plays; at least one such session is needed")


def played(sessions: Sessions) -> tuple[Catalogue, Array, Array]:
    """The songs that are played: their catalogue, their plays, and of each song of the sessions its row there or -1."""
    counts = count_plays(sessions)
    songs = np.flatnonzero(counts)
    if len(songs) < 2:
        raise ArgumentError("sessions: all plays are of one song; at least two songs are needed")
    rows = np.full(len(counts), -1, np.int32)
    rows[songs] = np.arange(len(songs))
    return sessions.catalogue if len(songs) == len(counts) else sessions.catalogue.subset(songs), counts[songs], rows


def joined(old: Catalogue, old_plays: Array, sessions: Sessions) -> tuple[Catalogue, Array, Array]:
    """The same of sessions with new songs: those there were keep their rows, the new ones come behind."""
    if old.holds_integers != sessions.catalogue.holds_integers:
        raise ArgumentError("sessions: ids are of another type than those learned before; both integers or both strings are allowed")
    catalogue, counts, rows = played(sessions)
    known = {song: row for row, song in enumerate(old.ids.to_list())}
    places = np.array([known.get(song, -1) for song in catalogue.ids.to_list()], np.int32)
    new = np.flatnonzero(places < 0)
    places[new] = len(old) + np.arange(len(new))
    plays = np.concatenate([old_plays, np.zeros(len(new), np.int64)])
    plays[places] += counts
    return old.plus(catalogue.subset(new), plays), plays, np.where(rows >= 0, places[rows], -1).astype(np.int32)


def weights_of(catalogue: Catalogue, song_weights: Mapping[SongId, float] | None) -> Array:
    """(songs,) float32: the weight of each song, 1 where none is given."""
    weights = np.ones(len(catalogue), np.float32)
    for song, weight in (song_weights or {}).items():
        if not 0 <= weight < np.inf:
            raise ArgumentError(f"song_weights: {weight!r} for {song!r}; finite numbers from 0 are allowed")
        weights[catalogue.row(song)] = weight
    return weights
