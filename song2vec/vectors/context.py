"""The output side of word2vec as vectors of songs: what a song looks like to the songs around it.

An input vector of one song and an output vector of another agree when the two are played together; two input vectors
agree when both are played with the same songs. A sum of both says something of each.
"""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.vectors.song_vectors import SongVectors, unit_rows
from song2vec.vectors.training.huffman import Tree
from song2vec.vectors.training.weights import Weights

_BLOCK = 2**15


def with_context(weights: Weights, weight: float) -> Array:
    """Unit input vectors plus ``weight`` times unit output vectors (Levy et al. 2015, section 3.3: "adding context vectors").

    Returns:
        (songs, size) float32, a copy; with weight 0 the input vectors as they are.
    """
    vectors: Array = weights.inputs[:, : weights.size].copy()
    if weight == 0:
        return vectors
    for begin in range(0, len(vectors), _BLOCK):
        songs = np.arange(begin, min(begin + _BLOCK, len(vectors)))
        outputs = weights.outputs[songs] if weights.tree is None else path_means(weights.tree, weights.outputs, songs)
        vectors[songs] = unit_rows(vectors[songs]) + np.float32(weight) * unit_rows(outputs[:, : weights.size])
    return vectors


def song_vectors(weights: Weights, context_weight: float) -> SongVectors:
    """Vectors of the songs of these weights by :func:`with_context`, most played first."""
    return most_played_first(SongVectors(with_context(weights, context_weight), weights.catalogue))


def most_played_first(vectors: SongVectors) -> SongVectors:
    """The same vectors in the order that every catalogue of a log has."""
    plays = vectors.catalogue.plays
    return vectors if (plays[:-1] >= plays[1:]).all() else vectors.subset(np.argsort(-plays, kind="stable"))


def path_means(tree: Tree, nodes: Array, songs: Array) -> Array:
    """Hierarchical softmax has no output vector for a song but a path of them: their mean, turned the way the song lies."""
    means = np.zeros((len(songs), nodes.shape[1]), np.float32)
    _add_paths(tree.songs, tree.nodes, nodes, songs, means)
    return means


@jit
def _add_paths(song_nodes: Array, node_nodes: Array, nodes: Array, songs: Array, means: Array) -> None:
    for i in range(len(songs)):
        above, length = song_nodes[songs[i]], 0
        while above >= 0:
            turn = np.float32(1 - 2 * (above & 1))
            for j in range(nodes.shape[1]):
                means[i, j] += turn * nodes[above >> 1, j]
            above = node_nodes[above >> 1]
            length += 1
        for j in range(nodes.shape[1]):
            means[i, j] /= np.float32(length)
