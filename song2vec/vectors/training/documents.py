"""Documents of songs: gensim trains them, a kernel of our own finds the vector of a new one.

gensim finds new ones too, but from a vector drawn by Python's hash of strings, which is another in every process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import jit
from song2vec.sessions import Sessions
from song2vec.vectors.corpus_file import BATCH
from song2vec.vectors.training.weights import Weights


@dataclass(frozen=True)
class Documents:
    """Sessions as gensim reads documents, anew in every epoch: words are rows as strings, a tag is the number of a document.

    Attributes:
        rows: (songs of the sessions' catalogue,) int32, the row of each in the weights.
        document: (sessions,) int64, which document each session is a part of.
    """

    sessions: Sessions
    rows: Array
    document: Array

    def __len__(self) -> int:
        return int((-(-self.sessions.lengths // BATCH)).sum())

    def __iter__(self) -> Iterator[Any]:
        from gensim.models.doc2vec import TaggedDocument  # takes a second

        words = np.array(list(map(str, self.rows)), object)  # one string a song, however often it is played
        for session, (begin, end) in enumerate(pairwise(self.sessions.offsets.tolist())):
            for first in range(begin, end, BATCH):  # of a longer document gensim reads the beginning only
                heard = words[self.sessions.songs[first : min(first + BATCH, end)]]
                yield TaggedDocument(heard.tolist(), [int(self.document[session])])


def train_documents(model: Any, weights: Weights, documents: Documents, rates: list[tuple[float, float]]) -> Iterator[None]:
    """Train a gensim Doc2Vec without words, one epoch for each pair of learning rates, stopping after each."""
    model.dv.index_to_key = list(range(int(documents.document.max()) + 1))
    frequencies = dict(zip(map(str, range(len(weights.plays))), weights.plays.tolist(), strict=True))
    model.build_vocab_from_freq(frequencies, corpus_count=len(documents))
    for start, end in rates:
        total = {"total_examples": len(documents), "total_words": documents.sessions.plays}
        model.train(documents, **total, epochs=1, start_alpha=start, end_alpha=end)
        yield


def infer(weights: Weights, rows: Array, offsets: Array, *, window: int, rates: Array) -> Array:
    """Vectors of new documents, every other weight held: (documents, size) float32, the same whenever they are asked for.

    Args:
        rows: (plays,) int, songs by their rows in the weights; document i is ``rows[offsets[i]:offsets[i + 1]]``.
        window: songs each way whose mean with the document foretells a song (PV-DM); 0 for the document alone (PV-DBOW).
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
