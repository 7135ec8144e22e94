"""Unit vectors in the row order of another catalogue: what a model's rows look like in the space of the songs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.checks import check_type
from song2vec.core.errors import ArgumentError
from song2vec.vectors.song_vectors import SongVectors, unit_rows

_SAMPLE = 500  # songs that show how far cosines spread


class Space:
    """Song vectors over the rows of a catalogue; a song without a vector lies at zero, and every cosine with it is 0.

    Attributes:
        unit: (m, size) float32.

    Raises ArgumentError when no song of the catalogue has a vector.
    """

    def __init__(self, vectors: SongVectors, catalogue: Catalogue) -> None:
        check_type("vectors", vectors, SongVectors, "SongVectors are allowed")
        self.size = vectors.size
        if vectors.catalogue != catalogue and not (catalogue.rows_in(vectors.catalogue) >= 0).any():
            raise ArgumentError("vectors: know none of the songs of the model; vectors over the same song ids are allowed")
        self.unit = vectors.unit if vectors.catalogue == catalogue else vectors.unit_of(catalogue)

    def direction(self, name: str, vector: object) -> Array:
        """A vector at length 1, (size,) float32. Raises ArgumentError for one of another shape, not finite, or zero."""
        try:
            array = np.asarray(vector, np.float64)
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"{name} does not hold numbers ({error})") from error
        if array.shape != (self.size,) or not np.isfinite(array).all() or not array.any():
            raise ArgumentError(f"{name} has shape {array.shape}; {self.size} finite numbers, not all zero, are allowed")
        direction: Array = unit_rows(array[None])[0]
        return direction

    def nearest(self, row: int, history: Sequence[int]) -> tuple[int, float] | None:
        """Of the songs of a history the nearest to this one, the latest of equals, and its cosine; None where nothing is known."""
        earlier = np.array([other for other in dict.fromkeys(reversed(history)) if other != row and self.unit[other].any()], np.int64)
        if not len(earlier) or not self.unit[row].any():
            return None
        cosines = (self.unit[earlier] * self.unit[row].astype(np.float64)).sum(axis=1)
        best = int(cosines.argmax())
        return int(earlier[best]), float(np.clip(cosines[best], -1, 1))

    @cached_property
    def spread(self) -> float:
        """The standard deviation of the cosine of two songs, over all pairs of up to 500 songs; 1 where all cosines are equal."""
        known = self.unit[self.unit.any(axis=1)]
        sample = known[:: -(-len(known) // _SAMPLE)].astype(np.float64)
        mean, second = sample.mean(axis=0), np.einsum("na,nb->ab", sample, sample) / len(sample)
        spread = float(np.sqrt(max(0.0, (second**2).sum() - (mean @ mean) ** 2)))  # of cos, whose square has the mean sum(second**2)
        return spread if spread > 1e-6 else 1.0

    def closeness(self, rows: Array, others: Sequence[int]) -> Array:
        """(n,): each row's largest cosine with the others, of which there is at least one, in units of ``spread``."""
        largest: Array = np.einsum("ns,os->no", self.unit[rows], self.unit[np.unique(others)]).max(axis=1)
        return largest / self.spread

    def along(self, rows: Array, direction: Array) -> Array:
        """(n,): the inner product of each row with a vector, in units of ``spread``.

        BLAS would spread so little work over all cores, and wait for them.
        """
        products: Array = np.einsum("ns,s->n", self.unit[rows], direction)
        return products / self.spread
