"""Vectors less what they all share: their mean, and part of how much more they vary along some directions than along others."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.vectors.song_vectors import unit_rows

_LEAST = 1e-4  # of the most variance: a direction with less than that is taken to have that, for the rest may be rounding


def centred(unit: Array) -> Array:
    """(m, d) unit vectors less their mean, which all share and which so tells none from another, (m, d) float32 of unit length
    (Mu and Viswanath 2018, arXiv:1702.01417, without their components)."""
    found: Array = unit_rows(unit - unit.mean(axis=0, dtype=np.float64).astype(np.float32))
    return found


def whitened(unit: Array, share: float) -> Array:
    """Vectors whose variance along each principal direction is taken to the power of 1 - ``share``, (m, d) float32 of unit length.

    A few directions (genre, language, popularity) make up much of every cosine, and what tells songs within a genre apart little;
    at share 1 all directions count the same, rounding and chance too (Su et al. 2021, arXiv:2103.15316); between the two lies what
    serves best (Bullinaria and Levy 2012, "Extracting semantic representations from word co-occurrence statistics: stop-lists,
    stemming, and SVD", on the weight of components).

    Args:
        unit: (m, d) float32 unit vectors, centred.
        share: 0 leaves them as they are.
    """
    if share == 0:
        return unit
    variances, axes = np.linalg.eigh(np.asarray(unit.T @ unit, np.float64) / len(unit))
    least = max(_LEAST * float(variances[-1]), float(np.finfo(np.float32).tiny))
    stretch = (axes * np.maximum(variances, least) ** (-share / 2)) @ axes.T
    found: Array = unit_rows(unit @ stretch.astype(np.float32))
    return found
