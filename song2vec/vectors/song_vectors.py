"""Song vectors: a matrix and a catalogue. Knows no learner and no index."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array, FloatArray
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.core.storage import Part, Saved, prefixed, save_folder, within
from song2vec.vectors import formats


def unit_rows(vectors: Array) -> Array:
    """(b, d) finite numbers -> (b, d) float32 of length 1; a zero vector stays zero."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    scaled = vectors / np.where(largest > 0, largest, 1)  # so that squares neither overflow nor vanish
    lengths = np.sqrt((scaled * scaled).sum(axis=1, keepdims=True))
    return (scaled / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)


class SongVectors(Saved):
    """One vector a song.

    Args:
        matrix: (m, size) finite numbers; kept as C-contiguous float32.
        catalogue: the m songs of its rows, or their ids.

    Raises ArgumentError when shapes disagree or a number is not finite.
    """

    kind = "song vectors"

    def __init__(self, matrix: Array, catalogue: Catalogue | Sequence[SongId]) -> None:
        self.matrix: FloatArray = np.ascontiguousarray(matrix, np.float32)
        self.catalogue = catalogue if isinstance(catalogue, Catalogue) else Catalogue(catalogue)
        if self.matrix.ndim != 2 or len(self.matrix) != len(self.catalogue):
            raise ArgumentError(f"matrix has shape {self.matrix.shape} for {len(self.catalogue)} songs; (songs, size) is allowed")
        if not np.isfinite(self.matrix).all():
            row = int(np.flatnonzero(~np.isfinite(self.matrix).all(axis=1))[0])
            raise ArgumentError(f"matrix: the vector of {self.catalogue.label(row)!r} has a number that is not finite")

    def __len__(self) -> int:
        return len(self.matrix)

    def __repr__(self) -> str:
        return f"SongVectors({len(self):,} songs, size {self.size})"

    def __getitem__(self, song: SongId) -> FloatArray:
        """The vector of one song, (size,) float32; raises UnknownSongError."""
        return np.asarray(self.matrix[self.catalogue.row(song)])

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return int(self.matrix.shape[1])

    @cached_property
    def unit(self) -> FloatArray:
        """(m, size) float32: every vector at length 1, so that an inner product is a cosine. A zero vector stays zero."""
        return unit_rows(self.matrix)

    def unit_of(self, catalogue: Catalogue) -> FloatArray:
        """(songs of the catalogue, size) float32: their unit vectors, by song id; zero for songs that have none here."""
        rows = catalogue.rows_in(self.catalogue)
        unit: FloatArray = self.unit[rows]
        unit[rows < 0] = 0
        return unit

    def similarity(self, a: SongId, b: SongId) -> float:
        """The cosine of two songs, -1 to 1."""
        return float(self.unit[self.catalogue.row(a)] @ self.unit[self.catalogue.row(b)])

    def combine(self, like: Iterable[SongId], unlike: Iterable[SongId] = (), unknown: Unknown = "raise") -> FloatArray:
        """ "Like A and B, unlike C": the mean of the unit vectors of ``like`` less that of ``unlike``, (size,) float32.

        Raises UnknownSongError for a song not in the catalogue (with ``unknown="skip"``: only when none of ``like`` is in it).
        """
        liked = self.catalogue.rows(like, unknown)
        if not len(liked):
            raise UnknownSongError("like: none of these songs is in the catalogue; at least one known song is needed")
        vector: FloatArray = self.unit[liked].mean(axis=0)
        disliked = self.catalogue.rows(unlike, unknown)
        return vector - self.unit[disliked].mean(axis=0) if len(disliked) else vector

    def subset(self, rows: Array) -> SongVectors:
        """The vectors of these rows only, in this order."""
        return SongVectors(self.matrix[rows], self.catalogue.subset(rows))

    def save(self, path: str | os.PathLike[str], *, dtype: Literal["float32", "float16"] = "float32") -> Path:
        """Save as a folder of song2vec's own (checksummed, atomic).

        Args:
            dtype: "float16" takes half the space; loaded as float32 again, numbers are within 0.05 %, cosines within 0.001.

        Raises ArgumentError for another dtype, and for numbers beyond 65,504, which float16 cannot hold.
        """
        if dtype not in ("float32", "float16"):
            raise ArgumentError(f"dtype={dtype!r}: 'float32' or 'float16' is allowed")
        parts = self.to_parts()
        if dtype == "float16":
            if (largest := np.abs(self.matrix).max(initial=0)) > np.finfo(np.float16).max:
                raise ArgumentError(f"dtype='float16': holds numbers up to 65504, a vector has {largest:g}")
            parts["vectors"].arrays["matrix"] = self.matrix.astype(np.float16)
        return save_folder(path, self.kind, parts)

    def export(self, path: str | os.PathLike[str], format: str = "auto") -> Path:
        """Write for other programs: ``word2vec-text``, ``word2vec-binary``, ``projector``, ``numpy`` or ``parquet``.

        "auto" goes by the ending: ``.txt`` or ``.vec``, ``.bin``, no ending (a projector folder), ``.npz``, ``.parquet``.
        The word2vec formats end an id at a space, so white space and % in ids are written as in URLs (``%20``).
        """
        return formats.export(self.matrix, self.catalogue, Path(path), format)

    @classmethod
    def read(cls, path: str | os.PathLike[str], format: str = "auto") -> SongVectors:
        """Read what :meth:`export`, gensim or word2vec.c wrote; ids of whole numbers become integers. Raises FormatError, with the line."""
        return cls(*formats.read(Path(path), format))

    def to_parts(self) -> dict[str, Part]:
        """The vectors as parts of a saved folder."""
        return prefixed("catalogue", self.catalogue.to_parts()) | {"vectors": Part({"size": self.size}, {"matrix": self.matrix})}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        return cls(parts["vectors"].arrays["matrix"], Catalogue.from_parts(within("catalogue", parts)))
