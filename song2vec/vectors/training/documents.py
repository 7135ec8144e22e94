"""Vectors of new documents, by a kernel of our own.

gensim finds them too, but from a vector drawn by Python's hash of strings, which is another in every process.
"""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import jit
from song2vec.vectors.training.weights import Weights


def infer(weights: Weights, rows: Array, offsets: Array, *, window: int, rates: Array) -> Array:
    """Vectors of new documents, every other weight held: (documents, size) float32, the same whenever they are asked for.

    Args:
        rows: (plays,) int, songs by their rows in the weights; document i is ``rows[offsets[i]:offsets[i + 1]]``.
        window: songs each way whose mean with the document predicts a song (PV-DM); 0 for the document alone (PV-DBOW).
        rates: (epochs,) the learning rate of each pass over a document.

    Raises ArgumentError for weights of negative sampling.
    """
    if weights.tree is None:
        raise ArgumentError("weights: are of negative sampling; those of hierarchical softmax are allowed")
    found = np.zeros((len(offsets) - 1, weights.size), np.float32)
    inputs, outputs = (np.ascontiguousarray(matrix[:, : weights.size]) for matrix in (weights.inputs, weights.outputs))
    _infer(inputs, outputs, *weights.tree, rows, offsets, window, rates.astype(np.float32), found)
    return found


@jit
def _infer(
    inputs: Array,
    outputs: Array,
    song_nodes: Array,
    node_nodes: Array,
    songs: Array,
    offsets: Array,
    window: int,
    rates: Array,
    found: Array,
) -> None:
    hidden, error = np.empty_like(found[0]), np.empty_like(found[0])
    for document in range(len(offsets) - 1):
        begin, end = offsets[document], offsets[document + 1]
        for rate in rates:
            for place in range(begin, end):
                hidden[:] = found[document]
                low, high = max(begin, place - window), min(end, place + window + 1)
                if window > 0:
                    for near in range(low, high):
                        if near != place:
                            hidden += inputs[songs[near]]
                    hidden /= np.float32(high - low)
                error[:] = 0
                above = song_nodes[songs[place]]
                while above >= 0:
                    node = outputs[above >> 1]
                    miss = np.float32(1 - (above & 1)) - np.float32(1) / (np.float32(1) + np.exp(-np.dot(hidden, node)))
                    error += miss * node
                    above = node_nodes[above >> 1]
                found[document] += rate * error
