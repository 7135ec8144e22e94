"""Saving and loading an index: what it was built over is compared before its own data is looked at."""

from __future__ import annotations

import hashlib
import inspect
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import SavedFolderError
from song2vec.core.random import check_seed
from song2vec.core.storage import Part, load_folder, save_folder
from song2vec.vectors.song_vectors import SongVectors

KIND = "song index"
_DIGEST_ROWS = 64
_REMOVED = "removed"


class SavedIndex(ABC):
    """The half of SongIndex that knows how to be saved; a subclass supplies ``_save`` and ``_load``."""

    name: ClassVar[str]
    seed: int
    recall_: float

    @property
    @abstractmethod
    def vectors_(self) -> SongVectors: ...

    @property
    @abstractmethod
    def removed_(self) -> Array: ...

    @abstractmethod
    def merge(self) -> Self: ...

    @abstractmethod
    def _attach(self, vectors: SongVectors, removed: Array) -> None: ...

    @abstractmethod
    def _check_briefly(self) -> None: ...

    def _save(self) -> Part:
        """The index's own data; its ``meta`` must be JSON."""
        return Part()

    def _load(self, part: Part) -> None:
        """The inverse of ``_save``, on an index that has its hyperparameters and vectors. Raises SavedFolderError."""
        if part.arrays or part.file is not None:
            raise SavedFolderError(f"index: {self.name!r} keeps no data of its own, this part has some")

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What the constructor was given."""
        values = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}

    def to_part(self) -> Part:
        """The index as a part of a saved folder, without the vectors; songs added since it was built are merged first."""
        part = self.merge()._save()
        if len(self.removed_):
            part.arrays[_REMOVED] = self.removed_
        part.meta = {
            "index": self.name,
            **_identity(self.vectors_),
            "hyperparameters": self.hyperparameters,
            "recall": self.recall_,
            "learned": part.meta,
        }
        return part

    @classmethod
    def from_part(cls, part: Part, vectors: SongVectors) -> Self:
        """The inverse of :meth:`to_part`, over the same vectors; checks a few songs and lets exact search answer if they fail.

        Raises SavedFolderError when the part is another kind of index or was built over other songs or vectors.
        """
        try:
            if part.meta["index"] != cls.name:
                raise SavedFolderError(f"index: holds an index of kind {part.meta['index']!r}, not {cls.name!r}")
            _check_identity(part.meta, vectors)
            index = cls(**part.meta["hyperparameters"])
            check_seed(index.seed)
            index.recall_ = float(part.meta["recall"])
            own = dict(part.arrays)
            index._attach(vectors, _checked_rows(own.pop(_REMOVED, np.empty(0, np.int64)), len(vectors)))
            index._load(Part(part.meta["learned"], own, file=part.file))
        except SavedFolderError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SavedFolderError(f"index: its manifest entry cannot be read ({type(error).__name__}: {error})") from error
        index._check_briefly()
        return index

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as a folder of its own, without the vectors (an engine keeps both in one)."""
        return save_folder(path, KIND, {"index": self.to_part()})

    @classmethod
    def load(cls, path: str | os.PathLike[str], vectors: SongVectors) -> Self:
        """Load what :meth:`save` wrote, over the same vectors. Raises SavedFolderError when it is corrupt or foreign."""
        parts = load_folder(path, KIND)
        if "index" not in parts:
            raise SavedFolderError(f"{os.fspath(path)}: has no part 'index'")
        return cls.from_part(parts["index"], vectors)


def _checked_rows(rows: Array, songs: int) -> Array:
    if rows.dtype != np.int64 or rows.ndim != 1 or (np.diff(rows) <= 0).any() or not ((rows >= 0) & (rows < songs)).all():
        raise SavedFolderError(f"index: its removed rows are not sorted rows of {songs:,} songs")
    return rows


def _identity(vectors: SongVectors) -> dict[str, Any]:
    """What tells these vectors from others: a digest of evenly spread rows notices a retrained matrix at no cost."""
    rows = np.linspace(0, len(vectors) - 1, min(_DIGEST_ROWS, len(vectors))).astype(np.int64)
    digest = hashlib.sha256(np.ascontiguousarray(vectors.matrix[rows]).tobytes()).hexdigest()[:16]
    return {"songs": len(vectors), "size": vectors.size, "catalogue": vectors.catalogue.fingerprint, "vectors": digest}


def _check_identity(meta: dict[str, Any], vectors: SongVectors) -> None:
    for name, here in _identity(vectors).items():
        if meta[name] != here:
            raise SavedFolderError(f"index: was built over other vectors ({name} {meta[name]}, these have {here}); build it again")
