"""What tuning found, and the file that keeps it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from song2vec.core.errors import FormatError
from song2vec.evaluation.study import read_json, write_json
from song2vec.models import NextSongModel, make_model


@dataclass(frozen=True, eq=False)
class Tuned:
    """What a search found.

    Attributes:
        model: with the best settings, not fitted.
        score: of these settings, on all validation queries; ``metric`` and ``k`` say of what.
        queries: how many validation queries there were.
        table: one row a trial: trial, score (of complete ones), state, seconds, the settings tried, message. Trial 0 has
            the settings the search began with.
    """

    model: NextSongModel
    score: float
    metric: str
    k: int
    queries: int
    table: pl.DataFrame

    @property
    def settings(self) -> dict[str, Any]:
        """The best settings, as JSON has them."""
        return self.model.settings

    def __repr__(self) -> str:
        return f"Tuned({self.model!r}, {self.metric}@{self.k} {self.score:.4f}, {self.table.height} trials)"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the best settings as JSON, for ``song2vec train --config`` and :func:`read_settings`."""
        found = {"metric": self.metric, "k": self.k, "score": self.score, "queries": self.queries, "trials": self.table.height}
        return write_json(path, "settings", {"model": self.model.name, "settings": self.settings, **found})


def read_settings(path: str | os.PathLike[str]) -> NextSongModel:
    """The model, not fitted, whose settings :meth:`Tuned.save` wrote.

    Written by hand, such a file is ``{"song2vec": "settings", "version": 1, "model": "vstan", "settings": {"k": 200}}``.

    Raises FormatError for a file that is something else, ArgumentError for an unknown model or setting.
    """
    content = read_json(path, "settings")
    name, settings = content.get("model"), content.get("settings", {})
    if not isinstance(name, str) or not isinstance(settings, dict):
        raise FormatError(path, 'holds no "model" with its "settings"')
    return make_model(name, settings)
