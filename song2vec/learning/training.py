"""The one epoch loop: progress, validation, early stopping with the best weights kept, checkpoints and going on from them.

What is trained offers epochs in blocks. Chance within a block depends on the seed, the epoch and the block's number alone, so
training goes on from a checkpoint as if it had never stopped: on one thread to the last bit.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Protocol

from song2vec.arrays import Array
from song2vec.errors import ArgumentError
from song2vec.learning.checkpoint import Checkpoint
from song2vec.progress import progress_bar

logger = logging.getLogger("song2vec")


@dataclass(frozen=True)
class Validation:
    """How well the next song of held-out sessions is found among all: recall@20 and MRR@20."""

    recall: float
    mrr: float


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to.

    Attributes:
        epoch: its number, from 1.
        loss: mean over all targets, as training saw them.
        events_per_second: targets learned from in a second.
        recall, mrr: recall@20 and MRR@20 on the validation sessions; None without them.
    """

    epoch: int
    loss: float
    events_per_second: float
    recall: float | None = None
    mrr: float | None = None

    def __str__(self) -> str:
        found = "" if self.recall is None else f", recall@20 {self.recall:.4f}, MRR@20 {self.mrr:.4f}"
        return f"loss {self.loss:.4f}, {self.events_per_second:,.0f} events/s{found}"


class Trained(Protocol):
    """What the loop trains."""

    def begin(self, epoch: int) -> int: ...

    def run(self, block: int) -> tuple[float, int]: ...

    def arrays(self) -> dict[str, Array]: ...

    def load(self, arrays: dict[str, Array]) -> None: ...


class Training:
    """Trains something for some epochs.

    Args:
        name: shown on the progress bar.
        validate: how good it is now; with it, and ``patience``, the best weights are kept.
        patience: stop when recall@20 has not risen for so many epochs; None runs them all.
    """

    def __init__(
        self,
        trained: Trained,
        *,
        name: str,
        epochs: int,
        validate: Callable[[], Validation] | None = None,
        patience: int | None = None,
        checkpoint: Checkpoint | None = None,
        progress: bool | None = None,
    ) -> None:
        self.trained, self.name, self.epochs, self.validate = trained, name, epochs, validate
        self.patience, self.checkpoint, self.progress = patience, checkpoint, progress
        self.history: list[Epoch] = []
        self._best: dict[str, Array] = {}
        self._arrays: dict[str, Array] = {}  # of a checkpoint
        self._block, self._loss, self._events, self._seconds = 0, 0.0, 0, 0.0

    def run(self) -> list[Epoch]:
        """Train, from a checkpoint if there is one; returns what each epoch came to.

        Raises ArgumentError when the loss is no number any more.
        """
        self._resume()
        with progress_bar(self.name, 100 * self.epochs, self.progress) as advance:
            shown = 0
            while len(self.history) < self.epochs and not self._has_stalled():
                for share in self._epoch():
                    now = int(100 * (len(self.history) + share))
                    for _ in range(now - shown):
                        advance(f"epoch {len(self.history) + 1}: {self._current()}")
                    shown = max(now, shown)
                for _ in range(100 * len(self.history) - shown):
                    advance(f"epoch {len(self.history)}: {self.history[-1]}")
                shown = 100 * len(self.history)
                logger.debug("%s epoch %d: %s", self.name, len(self.history), self.history[-1])
        if self.checkpoint:
            self._save()
        if self._best:
            self.trained.load(self._best)
        return self.history

    def _epoch(self) -> Iterator[float]:
        """Train the rest of the epoch, yielding the share of it that is done after each block."""
        number = len(self.history)
        blocks = self.trained.begin(number)
        if self._arrays:  # after begin, which clears the states
            self.trained.load(self._arrays)
            self._arrays = {}
        while self._block < blocks:
            began = perf_counter()
            loss, events = self.trained.run(self._block)
            self._block, self._loss, self._events = self._block + 1, self._loss + loss, self._events + events
            self._seconds += perf_counter() - began
            if not math.isfinite(loss):
                raise ArgumentError(f"learning_rate: the loss of epoch {number + 1} is {loss}; a lower learning rate is needed")
            if self.checkpoint and self.checkpoint.due and self._block < blocks:
                self._save()
            yield min(self._block / blocks, 0.999)
        self._finish_epoch()

    def _current(self) -> Epoch:
        return Epoch(len(self.history) + 1, self._loss / max(1, self._events), self._events / max(self._seconds, 1e-9))

    def _finish_epoch(self) -> None:
        epoch = self._current()
        if self.validate:
            found = self.validate()
            epoch = Epoch(epoch.epoch, epoch.loss, epoch.events_per_second, found.recall, found.mrr)
            if all(found.recall > (before.recall or 0.0) for before in self.history):
                self._best = self.trained.arrays()
        self.history.append(epoch)
        self._block, self._loss, self._events, self._seconds = 0, 0.0, 0, 0.0
        if self.checkpoint and self.checkpoint.due:
            self._save()

    def _has_stalled(self) -> bool:
        if self.patience is None or not self.validate or not self.history:
            return False
        scores = [epoch.recall or 0.0 for epoch in self.history]
        return len(scores) - 1 - scores.index(max(scores)) >= self.patience

    def _save(self) -> None:
        counts = {"block": self._block, "loss": self._loss, "events": self._events, "seconds": self._seconds}
        arrays = {f"now_{name}": array for name, array in self.trained.arrays().items()}
        arrays |= {f"best_{name}": array for name, array in self._best.items()}
        if self.checkpoint:
            self.checkpoint.save({"history": [asdict(epoch) for epoch in self.history], **counts}, arrays)

    def _resume(self) -> None:
        saved = self.checkpoint.load() if self.checkpoint else None
        if saved is None:
            return
        progress, arrays = saved
        self.history = [Epoch(**epoch) for epoch in progress["history"]]
        self._block, self._loss = progress["block"], progress["loss"]
        self._events, self._seconds = progress["events"], progress["seconds"]
        self._arrays = {name.removeprefix("now_"): array for name, array in arrays.items() if name.startswith("now_")}
        self._best = {name.removeprefix("best_"): array for name, array in arrays.items() if name.startswith("best_")}
        self.trained.load(self._arrays)
