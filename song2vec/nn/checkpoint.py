"""Training that was cut short goes on where it was: everything it needs in a folder of JSON and safetensors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Self

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_float
from song2vec.core.errors import ArgumentError
from song2vec.core.folders import is_empty
from song2vec.core.storage import Part, Saved

NOT_LEARNING = ("epochs", "patience", "progress")  # settings that a training may go on with changed


@dataclass(frozen=True)
class TrainingState(Saved):
    """A training between two blocks of an epoch.

    Attributes:
        identity: what must be the same for training to go on: settings, data.
        progress: epochs done, and what the one under way has come to.
        arrays: weights now (``now_...``) and the best so far (``best_...``), with all that the optimiser keeps.
    """

    identity: dict[str, Any]
    progress: dict[str, Any]
    arrays: dict[str, Array]

    kind = "training checkpoint"

    def to_parts(self) -> dict[str, Part]:
        """The state as one part."""
        return {"training": Part({"identity": self.identity, "progress": self.progress}, self.arrays)}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        part = parts["training"]
        return cls(dict(part.meta["identity"]), dict(part.meta["progress"]), dict(part.arrays))


class Checkpoint:
    """A folder that training is saved in every few minutes, and goes on from.

    Args:
        folder: made when it is not there.
        identity: what must be the same for training to go on: settings, data.
        minutes: between two saves; 0 saves at every occasion.
    """

    def __init__(self, folder: str | os.PathLike[str], identity: dict[str, Any], minutes: float = 10.0) -> None:
        self.folder, self.identity = Path(folder), identity
        self._seconds, self._saved = 60 * check_float("checkpoint_minutes", minutes, 0), monotonic()

    def load(self) -> TrainingState | None:
        """The training as it was saved; None when nothing was saved there yet.

        Raises ArgumentError when it holds the training of something else, SavedFolderError when it is corrupt.
        """
        if is_empty(self.folder):
            return None
        state = TrainingState.load(self.folder)
        differing = [name for name in self.identity if state.identity.get(name) != self.identity[name]]
        if differing:
            found = f"is of a training with other {', '.join(differing)}"
            raise ArgumentError(f"checkpoint={os.fspath(self.folder)!r}: {found}; choose another folder")
        return state

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return monotonic() - self._saved >= self._seconds

    def save(self, progress: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Save, replacing what was saved before only when all is written."""
        TrainingState(self.identity, progress, arrays).save(self.folder)
        self._saved = monotonic()


def identity_of(learner: Any, **data: str) -> dict[str, Any]:
    """What must be the same for the training of a learner with a name and settings to go on: most settings, and digests of data."""
    return {"name": learner.name} | {name: value for name, value in learner.settings.items() if name not in NOT_LEARNING} | data


def digest_of(*arrays: Array | None) -> str:
    """16 hex digits over the bytes of arrays, None being one of none."""
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
