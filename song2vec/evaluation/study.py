"""The trials of a search, saved after each so that a killed search goes on, and the settings it found, a JSON file that hands may write."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import polars as pl

from song2vec.core.checks import suggestion
from song2vec.core.errors import ArgumentError, FormatError
from song2vec.core.folders import is_empty
from song2vec.core.storage import Part, Saved, write_atomically
from song2vec.models import NextSongModel, make_model

NAMES = ("model", "settings", "metric", "k", "score", "queries", "trials")  # what a settings file may hold
HEAD = {"song2vec": "settings", "version": 1}


@dataclass(frozen=True)
class Trial:
    """One try.

    Attributes:
        values: the settings it tried.
        state: "complete", "pruned" (behind the others on part of the queries, and given up) or "failed".
        scores: on the first quarter, half and all of the validation queries, as far as it came.
        seconds: it took, fitting and asking.
        message: why it failed.
    """

    values: dict[str, Any]
    state: str
    scores: list[float]
    seconds: float
    message: str = ""


@dataclass
class Study(Saved):
    """All trials so far.

    Attributes:
        about: what is searched for, over which data; the study of another search is refused.
        path: where it is kept; None for nowhere.
    """

    about: dict[str, Any]
    path: Path | None = None
    trials: list[Trial] = field(default_factory=list)

    kind = "study"

    @classmethod
    def open(cls, path: str | os.PathLike[str] | None, about: Mapping[str, Any]) -> Study:
        """A new study, or the one that was saved there.

        Raises SavedFolderError for what is no study, ArgumentError for the study of something else.
        """
        study = cls(json.loads(json.dumps(about)), None if path is None else Path(path))
        if study.path is None or is_empty(study.path):
            return study
        before = cls.load(study.path)
        for name, now in study.about.items():
            if (was := before.about.get(name)) != now:
                raise ArgumentError(f"study={str(path)!r}: was begun with {name}={was!r}, now it is {now!r}")
        study.trials = before.trials
        return study

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        self.trials.append(trial)
        if self.path is not None:
            self.save(self.path)

    def to_parts(self) -> dict[str, Part]:
        """What is searched for, and the trials."""
        return {"study": Part({"about": self.about, "trials": [asdict(trial) for trial in self.trials]})}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        study = cls(dict(parts["study"].meta["about"]), trials=[Trial(**trial) for trial in parts["study"].meta["trials"]])
        if not all(trial.state == "failed" or (trial.state in ("complete", "pruned") and trial.scores) for trial in study.trials):
            raise ValueError("a trial without a state or scores")
        return study

    @property
    def best(self) -> Trial | None:
        """The complete trial of the highest score, of equals the first; None when there is none."""
        complete = [trial for trial in self.trials if trial.state == "complete"]
        return max(complete, key=lambda trial: trial.scores[-1], default=None)

    def table(self) -> pl.DataFrame:
        """One row a trial: number, score (of complete ones), state, seconds, the settings it tried, message."""
        rows = [
            {
                "trial": number,
                "score": trial.scores[-1] if trial.state == "complete" else None,
                "state": trial.state,
                "seconds": trial.seconds,
            }
            | {name: json.dumps(value) if isinstance(value, list | tuple | dict) else value for name, value in trial.values.items()}
            | {"message": trial.message}
            for number, trial in enumerate(self.trials)
        ]
        return pl.DataFrame(rows, infer_schema_length=None, strict=False)


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
        content = {**HEAD, "model": self.model.name, "settings": self.settings, **found}
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        return write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))


def read_settings(path: str | os.PathLike[str]) -> NextSongModel:
    """The model, not fitted, whose settings :meth:`Tuned.save` wrote.

    Written by hand, such a file is ``{"song2vec": "settings", "version": 1, "model": "vstan", "settings": {"k": 200}}``.

    Raises FormatError for a file that is something else, ArgumentError for an unknown model or setting.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(path, f"is no JSON ({error}); a file of song2vec settings is needed") from error
    if not isinstance(content, dict) or content.get("song2vec") != HEAD["song2vec"]:
        raise FormatError(path, "is no file of song2vec settings")
    if content.get("version") != HEAD["version"]:
        raise FormatError(path, f"settings of version {content.get('version')!r}; this song2vec reads version {HEAD['version']}")
    for name in content.keys() - {*HEAD, *NAMES}:
        raise FormatError(path, f"holds {name!r}; {', '.join(map(repr, NAMES))} are allowed{suggestion(name, NAMES)}")
    name, settings = content.get("model"), content.get("settings", {})
    if not isinstance(name, str) or not isinstance(settings, dict):
        raise FormatError(path, 'holds no "model" with its "settings"')
    return make_model(name, settings)
