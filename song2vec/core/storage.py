"""What can be kept: it says its parts, and is made of them again."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from song2vec.core.errors import SavedFolderError
from song2vec.core.folders import Part, load_folder, save_folder, understood, write_atomically

__all__ = ["Part", "Saved", "load_folder", "prefixed", "save_folder", "understood", "within", "write_atomically"]


class Saved(ABC):
    """What can be kept in a folder: it says its parts, and is made of them again."""

    kind: ClassVar[str]  # what errors and manifests call it: "sessions", "song index"

    @abstractmethod
    def to_parts(self) -> dict[str, Part]:
        """Everything that is kept, as named parts of JSON and arrays."""

    @classmethod
    @abstractmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`. Raises SavedFolderError, or a LookupError, TypeError or ValueError, for other parts."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as a folder, atomically, over an older save alone; raises SavedFolderError when ``path`` holds something else."""
        return save_folder(path, self.kind, self.to_parts())

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, memory_map: bool = False) -> Self:
        """Load what :meth:`save` wrote; with ``memory_map`` arrays stay on disk and are paged in as they are read.

        Raises SavedFolderError when the folder is missing, corrupt or of another kind.
        """
        while True:
            parts = load_folder(path, cls.kind, memory_map=memory_map)
            try:
                with understood(path):
                    return cls.from_parts(parts)
            except (SavedFolderError, OSError):
                if all(part.file is None or part.file.exists() for part in parts.values()):
                    raise  # else a newer save took a file away before it was opened


def prefixed(name: str, parts: Mapping[str, Part]) -> dict[str, Part]:
    """The parts of a saved thing within another, which calls it by this name."""
    return {f"{name}.{part}": content for part, content in parts.items()}


def within(name: str, parts: Mapping[str, Part]) -> dict[str, Part]:
    """The inverse of :func:`prefixed`: those of the parts that belong to the thing of this name. Raises KeyError when none does."""
    found = {part.removeprefix(f"{name}."): content for part, content in parts.items() if part.startswith(f"{name}.")}
    if not found:
        raise KeyError(name)
    return found
