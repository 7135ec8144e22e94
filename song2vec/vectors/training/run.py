"""How far training has come: what each epoch came to, the best vectors so far, and all of it saved to go on later."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.storage import Part, load_folder, save_folder, understood
from song2vec.sessions import Sessions
from song2vec.vectors.training.hyperparameters import Hyperparameters
from song2vec.vectors.training.weights import Weights

KIND = "word2vec training"
_FREE = ("workers", "progress")  # may change when training goes on


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to.

    Attributes:
        epoch: its number, from 1.
        loss: mean loss an example in nats, on the same 10,000 training examples after every epoch.
        recall: recall@10 of the next song on the validation sessions; None without them.
    """

    epoch: int
    loss: float
    recall: float | None = None

    def __str__(self) -> str:
        return f"loss {self.loss:.3f}" + ("" if self.recall is None else f", recall@10 {self.recall:.3f}")


@dataclass
class Run:
    """Training under way.

    Attributes:
        epoch, round: what comes next: the epoch, from 1, and how many of its rounds are done.
        history: of the epochs that are done.
        best: with patience, the vectors of the epoch with the highest recall; (songs, size) float32.
    """

    epoch: int = 1
    round: int = 0
    history: list[Epoch] = field(default_factory=list)
    best: Array | None = None

    def has_stalled(self, patience: int | None) -> bool:
        """Whether the recall has not risen for so many epochs."""
        scores = [epoch.recall or 0.0 for epoch in self.history]
        return patience is not None and len(scores) - 1 - int(np.argmax(scores or [0.0])) >= patience


class Checkpoint:
    """Saves a run every so many minutes in a folder (checksummed, atomic), and takes up the one that lies there.

    Raises ArgumentError when the folder holds a run with other settings or on other sessions.
    """

    def __init__(self, path: str | os.PathLike[str], minutes: float, settings: Hyperparameters, sessions: Sessions) -> None:
        if not minutes >= 0:
            raise ArgumentError(f"checkpoint_minutes={minutes!r}: 0 or more is allowed")
        self._path, self._seconds, self._last = Path(path), 60 * minutes, monotonic()
        self._meta = {
            "settings": {name: value for name, value in settings.settings.items() if name not in _FREE},
            "sessions": {"plays": sessions.plays, "sessions": len(sessions), "catalogue": sessions.catalogue.fingerprint},
        }

    def save(self, weights: Weights, run: Run, *, due: bool = False) -> None:
        """Save now, or with ``due`` only when it is time again."""
        if due and monotonic() - self._last < self._seconds:
            return
        meta: dict[str, Any] = {**self._meta, "epoch": run.epoch, "round": run.round}
        meta["history"] = [asdict(epoch) for epoch in run.history]
        part = Part(meta=meta, arrays={} if run.best is None else {"best": run.best})
        save_folder(self._path, KIND, {**weights.to_parts(), "run": part})
        self._last = monotonic()

    def load(self) -> tuple[Weights, Run] | None:
        """What was saved; None where nothing is yet."""
        if not self._path.exists():
            return None
        parts = load_folder(self._path, KIND)
        with understood(self._path):
            meta, best = parts["run"].meta, parts["run"].arrays.get("best")
            run = Run(meta["epoch"], meta["round"], [Epoch(**epoch) for epoch in meta["history"]], None if best is None else np.array(best))
            saved = [(name, key, meta[name][key], value) for name, now in self._meta.items() for key, value in now.items()]
        for name, key, then, now in saved:
            if then != now:
                raise ArgumentError(
                    f"checkpoint={str(self._path)!r}: is of training with other {name} ({key} {then!r}, now {now!r}); take another folder"
                )
        with understood(self._path):
            return Weights.from_parts(parts), run
