"""The output side of word2vec as vectors of songs: what a song looks like to the songs around it.

An input vector of one song and an output vector of another agree when the two are played together; two input vectors
agree when both are played with the same songs. A sum of both says something of each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from song2vec.arrays import Array
from song2vec.vectors.song_vectors import unit_rows


def with_context(model: Any, keys: Array, weight: float) -> Array:
    """Unit input vectors plus ``weight`` times unit output vectors (Levy et al. 2015, section 3.3: "adding context vectors").

    Args:
        model: a gensim Word2Vec.
        keys: (songs,) gensim's rows of the songs wanted.

    Returns:
        (songs, size) float32; with weight 0 the input vectors as they are.
    """
    inputs: Array = model.wv.vectors[keys]
    return inputs if weight == 0 else unit_rows(inputs) + np.float32(weight) * unit_rows(_outputs(model, keys))


def _outputs(model: Any, keys: Array) -> Array:
    """Hierarchical softmax has no output vector for a song but a path of them: their mean, turned the way the song lies."""
    if not model.hs:
        outputs: Array = model.syn1neg[keys]
        return outputs
    signs = (1.0 - 2.0 * model.wv.get_vecattr(key, "code") for key in keys.tolist())
    paths = (model.syn1[model.wv.get_vecattr(key, "point")] for key in keys.tolist())
    return np.array([sign @ path / max(len(path), 1) for sign, path in zip(signs, paths, strict=True)], np.float32)
