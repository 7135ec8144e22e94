"""The hyperparameters of word2vec and what is allowed of them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from song2vec.core.errors import ArgumentError
from song2vec.core.random import check_seed
from song2vec.core.settings import Choice, Configured, Real, Space, Whole

_CHOICES = {
    "algorithm": ("skip-gram", "cbow"),
    "loss": ("negative-sampling", "hierarchical-softmax"),
    "backend": ("song2vec", "gensim"),
}


class Hyperparameters(Configured):
    """What :class:`song2vec.Word2Vec` is made with; described there."""

    space: ClassVar[Space] = {
        "loss": Choice(("hierarchical-softmax", "negative-sampling")),
        "size": Whole(32, 256, log=True),
        "window": Whole(1, 10),
        "negative_exponent": Real(-1, 1),
        "context_weight": Real(0, 1),
        "learning_rate": Real(0.005, 0.1, log=True),
        "epochs": Whole(5, 60, log=True),
    }

    def __init__(
        self,
        *,
        algorithm: Literal["skip-gram", "cbow"] = "skip-gram",
        loss: Literal["negative-sampling", "hierarchical-softmax"] = "hierarchical-softmax",
        size: int = 128,
        window: int | Literal["session"] = 3,
        dynamic_window: bool = False,
        n_negatives: int = 5,
        negative_exponent: float = 0.75,
        context_weight: float = 0.3,
        subsample: float = 1e-3,
        learning_rate: float = 0.025,
        min_learning_rate: float = 1e-4,
        epochs: int = 30,
        patience: int | None = None,
        backend: Literal["song2vec", "gensim"] = "song2vec",
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.algorithm = algorithm
        self.loss = loss
        self.size = size
        self.window = window
        self.dynamic_window = dynamic_window
        self.n_negatives = n_negatives
        self.negative_exponent = negative_exponent
        self.context_weight = context_weight
        self.subsample = subsample
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.epochs = epochs
        self.patience = patience
        self.backend = backend
        self.workers = workers
        self.seed = seed
        self.progress = progress

    @property
    def settings(self) -> dict[str, Any]:
        """What the constructor was given, without what its ``loss`` makes no use of."""
        unused = ("n_negatives", "negative_exponent") if self.hierarchical else ()
        return {name: value for name, value in super().settings.items() if name not in unused}

    @property
    def hierarchical(self) -> bool:
        """Whether the loss is hierarchical softmax."""
        return self.loss == "hierarchical-softmax"

    def check(self) -> None:
        """Raises ArgumentError for a value outside its range."""
        check_seed(self.seed)
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ArgumentError(f"{name}={getattr(self, name)!r}: {' or '.join(map(repr, allowed))} is allowed")
        for name in ("size", "window", "n_negatives", "epochs", "patience", "workers"):
            value = getattr(self, name)
            if (value is None and name in ("patience", "workers")) or (name == "window" and value == "session"):
                continue
            if not _is_whole(value):
                also = " or 'session'" if name == "window" else ""
                raise ArgumentError(f"{name}={value!r}: a whole number from 1{also} is allowed")
        if not 0 <= self.min_learning_rate <= self.learning_rate < np.inf or not self.learning_rate > 0:
            message = f"learning_rate={self.learning_rate!r}, min_learning_rate={self.min_learning_rate!r}"
            raise ArgumentError(f"{message}: above 0, and the smallest not above the largest, is allowed")
        if not 0 <= self.context_weight <= 1:
            raise ArgumentError(f"context_weight={self.context_weight!r}: 0 to 1 is allowed")
        if not self.subsample >= 0:
            raise ArgumentError(f"subsample={self.subsample!r}: 0 or more is allowed")
        if not np.isfinite(self.negative_exponent):
            raise ArgumentError(f"negative_exponent={self.negative_exponent!r}: any finite number is allowed")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 1
