"""Models that are not declared by fields yet; this file goes with the last of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.estimator import MAIN
from song2vec.core.settings import Configured
from song2vec.core.storage import Part, prefixed, save_folder, within
from song2vec.models.base import NextSongModel


class OldStyle(Configured, NextSongModel):
    """A model with a constructor of its own, which keeps what ``_arrays`` says."""

    space: ClassVar[Any] = {}  # type: ignore[misc]

    def __init_subclass__(cls, **options: Any) -> None:
        """Nothing is declared."""

    def check(self) -> None:
        """``_fit`` checks."""

    def _learned_parts(self) -> dict[str, Part]:
        return {MAIN: Part(arrays=self._arrays()), **prefixed("catalogue_", self.catalogue_.to_parts())}

    def _restore(self, parts: Mapping[str, Part]) -> None:
        self.catalogue_ = Catalogue.from_parts(within("catalogue_", parts))
        self._restore_arrays(dict(parts[MAIN].arrays))

    def _arrays(self) -> dict[str, Array]:
        return {name: value for name, value in vars(self).items() if name.endswith("_") and isinstance(value, np.ndarray)}

    def _restore_arrays(self, arrays: dict[str, Array]) -> None:
        vars(self).update(arrays)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """As all models: one of these has a setting ``kind``."""
        return save_folder(path, NextSongModel.kind, self.to_parts())
