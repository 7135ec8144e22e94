"""One invented sample a reader, found by its name: the contract battery runs over all of them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sample:
    """A small log in one format, and what reading it must give.

    Attributes:
        files: file name -> content, as the format has them (several where a format is several files).
        expected: the listens table it must become, row by row: column name -> values; times as ISO strings.
        dropped: the counts by reason that the report must give.
    """

    files: Mapping[str, bytes]
    expected: Mapping[str, list[Any]]
    dropped: Mapping[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the files; returns the one file, or the folder when there are several."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder / next(iter(self.files)) if len(self.files) == 1 else folder


def sample_of(reader: str) -> Sample:
    """The sample of a reader: ``SAMPLE`` in the module of its name (dashes become underscores)."""
    sample: Sample = importlib.import_module(f"tests.listens.samples.{reader.replace('-', '_')}").SAMPLE
    return sample
