"""The one epoch loop: progress, validation, early stopping with the best weights kept, checkpoints and going on from them.

What is trained offers epochs in blocks. Chance within a block depends on the seed, the epoch and the block's number alone, so
training goes on from a checkpoint as if it had never stopped: on one thread to the last bit.
"""

from __future__ import annotations

import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from time import perf_counter

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import compile_seconds
from song2vec.core.progress import progress_bar
from song2vec.nn.checkpoint import Checkpoint

logger = logging.getLogger("song2vec")

Scores = Mapping[str, float]  # by name of the measure, the one that early stopping watches first


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to.

    Attributes:
        epoch: its number, from 1.
        loss: mean over all targets.
        events_per_second: targets learned from in a second, compiling not counted.
        scores: how good it is on validation data, by measure: "recall@20", "mrr@20", "rmse"; empty without such data.
    """

    epoch: int
    loss: float
    events_per_second: float
    scores: Scores = field(default_factory=dict)

    def __str__(self) -> str:
        scores = "".join(f", {name} {value:.4f}" for name, value in self.scores.items())
        loss = f"loss {self.loss:.4f}, " if self.loss else ""  # none is known yet within an epoch at whose end it is measured
        return f"{loss}{self.events_per_second:,.0f} events/s{scores}"


class Trainee(ABC):
    """What the trainer trains."""

    @abstractmethod
    def begin(self, epoch: int) -> int:
        """Lay out an epoch, numbered from 0; returns how many blocks it has."""

    @abstractmethod
    def run(self, block: int) -> tuple[float, int]:
        """Learn from one block of the epoch; returns its loss summed over targets, and their number."""

    def epoch_loss(self, counted: float) -> float:
        """The epoch's mean loss: the blocks' own, unless they do not count it and it is measured now."""
        return counted

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """Copies of everything that training goes on with."""

    @abstractmethod
    def load(self, arrays: dict[str, Array]) -> None:
        """Take over what :meth:`arrays` gave."""


class Trainer:
    """Trains something for some epochs.

    Args:
        name: shown on the progress bar.
        validate: how good it is now; with it the best weights are kept.
        patience: stop when the first of the scores has not become better for so many epochs; None runs them all.
        lower_is_better: of the first of the scores.
        bound: a loss a target from which on nothing is learned any more.
    """

    def __init__(
        self,
        trainee: Trainee,
        *,
        name: str,
        epochs: int,
        validate: Callable[[], Scores] | None = None,
        patience: int | None = None,
        lower_is_better: bool = False,
        bound: float = math.inf,
        checkpoint: Checkpoint | None = None,
        progress: bool | None = None,
    ) -> None:
        self.trainee, self.name, self.epochs, self.validate = trainee, name, epochs, validate
        self.patience, self.checkpoint, self.progress = patience, checkpoint, progress
        self._sign, self._bound = -1.0 if lower_is_better else 1.0, bound
        self.history: list[Epoch] = []
        self._best: dict[str, Array] = {}
        self._resumed: dict[str, Array] = {}  # of a checkpoint
        self._block, self._loss, self._events, self._seconds = 0, 0.0, 0, 0.0

    def run(self) -> list[Epoch]:
        """Train, from a checkpoint if there is one; returns what each epoch came to.

        Raises ArgumentError when the loss grows beyond bounds, or is no number any more.
        """
        self._resume()
        with progress_bar(self.name, 100 * self.epochs, self.progress) as advance:
            shown = 0
            while len(self.history) < self.epochs and not self._has_stalled():
                for epoch, share in self._epoch():
                    now = int(100 * (len(self.history) + share))
                    for _ in range(now - shown):
                        advance(f"epoch {epoch.epoch}: {epoch}")
                    shown = max(now, shown)
                logger.debug("%s epoch %d: %s", self.name, len(self.history), self.history[-1])
        if self.checkpoint:
            self._save()
        if self._best:
            self.trainee.load(self._best)
        return self.history

    def _epoch(self) -> Iterator[tuple[Epoch, float]]:
        """Train the rest of the epoch, yielding what it has come to after each block, and the share of the next that is done."""
        number = len(self.history)
        blocks = self.trainee.begin(number)
        if self._resumed:  # after begin, which clears the states
            self.trainee.load(self._resumed)
            self._resumed = {}
        while self._block < blocks:
            began = perf_counter() - compile_seconds()
            loss, events = self.trainee.run(self._block)
            self._block, self._loss, self._events = self._block + 1, self._loss + loss, self._events + events
            self._seconds += perf_counter() - compile_seconds() - began
            if not loss < self._bound * max(1, events):  # nor is it when it is no number
                found = f"the loss of epoch {number + 1} grew beyond bounds, to {loss / max(1, events):.3g}"
                raise ArgumentError(f"learning_rate: {found}; a lower learning rate is needed")
            if self.checkpoint and self.checkpoint.due and self._block < blocks:
                self._save()
            yield self._current(), min(self._block / blocks, 0.999)
        self._finish_epoch()
        yield self.history[-1], 0.0

    def _current(self) -> Epoch:
        return Epoch(len(self.history) + 1, self._loss / max(1, self._events), self._events / max(self._seconds, 1e-9))

    def _finish_epoch(self) -> None:
        now = self._current()
        scores = self.validate() if self.validate else {}
        epoch = Epoch(now.epoch, self.trainee.epoch_loss(now.loss), now.events_per_second, dict(scores))
        if scores and all(self._watched(epoch) > self._watched(before) for before in self.history):
            self._best = self.trainee.arrays()
        self.history.append(epoch)
        self._block, self._loss, self._events, self._seconds = 0, 0.0, 0, 0.0
        if self.checkpoint and self.checkpoint.due:
            self._save()

    def _watched(self, epoch: Epoch) -> float:
        return self._sign * next(iter(epoch.scores.values()))

    def _has_stalled(self) -> bool:
        if self.patience is None or not self.validate or not self.history:
            return False
        scores = [self._watched(epoch) for epoch in self.history]
        return len(scores) - 1 - scores.index(max(scores)) >= self.patience

    def _save(self) -> None:
        counts = {"block": self._block, "loss": self._loss, "events": self._events, "seconds": self._seconds}
        arrays = {f"now_{name}": array for name, array in self.trainee.arrays().items()}
        arrays |= {f"best_{name}": array for name, array in self._best.items()}
        if self.checkpoint:
            self.checkpoint.save({"history": [asdict(epoch) for epoch in self.history], **counts}, arrays)

    def _resume(self) -> None:
        saved = self.checkpoint.load() if self.checkpoint else None
        if saved is None:
            return
        progress, arrays = saved.progress, saved.arrays
        self.history = [Epoch(**epoch) for epoch in progress["history"]]
        self._block, self._loss = progress["block"], progress["loss"]
        self._events, self._seconds = progress["events"], progress["seconds"]
        self._resumed = {name.removeprefix("now_"): array for name, array in arrays.items() if name.startswith("now_")}
        self._best = {name.removeprefix("best_"): array for name, array in arrays.items() if name.startswith("best_")}
        self.trainee.load(self._resumed)
