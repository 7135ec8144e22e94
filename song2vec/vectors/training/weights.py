"""What word2vec learns: an input row for every song, and the output rows they are trained against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.core.simd import LINE
from song2vec.core.storage import Part, Saved, prefixed, within
from song2vec.sessions import Sessions
from song2vec.vectors.training.huffman import Tree, grown_tree, huffman_tree

_BLOCK = 4_000_000


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
        """More songs behind those there are, and what was learned as it is.

        Args:
            catalogue: the songs there are, then the new ones.
            plays: of all of them.
        """
        old, new = len(self.plays), len(plays) - len(self.plays)
        if not new:
            return Weights(self.inputs, self.outputs, self.tree, catalogue, plays, self.size)
        tree = None if self.tree is None else grown_tree(self.tree, plays[old:], seed)
        inputs, outputs = _random_inputs(len(plays), self.size, seed), aligned(len(plays) if tree is None else len(tree.nodes), self.size)
        inputs[:old], outputs[: len(self.outputs)] = self.inputs, self.outputs
        return Weights(inputs, outputs, tree, catalogue, plays, self.size)

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
    matrix: Array = room[skip : skip + rows * columns].reshape(rows, columns)
    return matrix


def count_plays(sessions: Sessions) -> Array:
    """(songs,) int64: plays of each song of the catalogue, read in blocks so that sessions may stay on disk."""
    counts = np.zeros(len(sessions.catalogue), np.int64)
    for begin in range(0, sessions.plays, _BLOCK):
        counts += np.bincount(sessions.songs[begin : begin + _BLOCK], minlength=len(counts))
    return counts


def _random_inputs(songs: int, size: int, seed: int) -> Array:
    """Uniform in -1/size to 1/size."""
    inputs = aligned(songs, size)
    random: Any = generator(seed, "inputs")
    for begin in range(0, songs, 2**16):
        block = inputs[begin : begin + 2**16, :size]
        block[:] = (random.random(block.shape, np.float32) * 2 - 1) / size
    return inputs
