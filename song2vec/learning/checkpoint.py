"""Training that was cut short goes on where it was: everything it needs in a folder of JSON and safetensors."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from song2vec.arrays import Array
from song2vec.errors import ArgumentError
from song2vec.storage import Part, load_folder, save_folder, understood

KIND = "training checkpoint"


@dataclass
class Checkpoint:
    """A folder that training is saved in every few minutes, and goes on from.

    Args:
        folder: made when it is not there.
        identity: what must be the same for training to go on: settings, data.
        minutes: between two saves; 0 saves at every occasion.
    """

    folder: str | os.PathLike[str]
    identity: dict[str, Any]
    minutes: float = 10.0
    _saved: float = field(default_factory=monotonic)

    def load(self) -> tuple[dict[str, Any], dict[str, Array]] | None:
        """Progress and arrays as they were saved; None when the folder is not there yet.

        Raises ArgumentError when it holds the training of something else, SavedFolderError when it is corrupt.
        """
        folder = Path(self.folder)
        if not folder.exists() or not any(folder.iterdir()):
            return None
        part = load_folder(folder, KIND)["training"]
        with understood(folder):
            saved, progress = part.meta["identity"], part.meta["progress"]
        differing = [name for name in self.identity if saved.get(name) != self.identity[name]]
        if differing:
            found = f"is of a training with other {', '.join(differing)}"
            raise ArgumentError(f"checkpoint={os.fspath(folder)!r}: {found}; choose another folder")
        return progress, dict(part.arrays)

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return monotonic() - self._saved >= 60 * self.minutes

    def save(self, progress: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Save, replacing what was saved before only when all is written."""
        save_folder(self.folder, KIND, {"training": Part(meta={"identity": self.identity, "progress": progress}, arrays=arrays)})
        self._saved = monotonic()
