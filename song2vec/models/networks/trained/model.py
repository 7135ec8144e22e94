"""What all trained models share: fitting by the one epoch loop, with validation, checkpoints and early stopping."""

from __future__ import annotations

import os
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator
from song2vec.core.settings import check_whole
from song2vec.models.old import OldStyle
from song2vec.nn.checkpoint import Checkpoint, digest_of
from song2vec.nn.device import device_named, threads
from song2vec.nn.trainer import Epoch, Scores, Trainee, Trainer
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

VALIDATION_QUERIES = 20_000
NOT_LEARNING = ("epochs", "patience", "progress")  # settings that a training may go on with changed


@dataclass
class Aid:
    """What ``fit`` was given beside the sessions."""

    vectors: SongVectors | None = None
    validation: Sessions | None = None
    checkpoint: str | os.PathLike[str] | None = None
    checkpoint_minutes: float = 10.0


class TrainedModel(OldStyle):
    """A network that is trained epoch by epoch.

    Attributes:
        network_: the trained network.
        history_: one :class:`Epoch` an epoch; not saved with the model.
    """

    epochs: int
    batch_size: int
    patience: int | None
    workers: int | None
    device: str
    seed: int
    progress: bool | None
    network_: Any
    history_: list[Epoch]
    _aid = Aid()

    @property
    def takes_vectors(self) -> bool:
        return getattr(self, "input", None) == "vectors"

    @abstractmethod
    def _check(self) -> None:
        """Raise ArgumentError for a bad hyperparameter."""

    @abstractmethod
    def _new_network(self, sessions: Sessions, device: torch.device) -> Any:
        """The network before training."""

    @abstractmethod
    def _task(self, network: Any, sessions: Sessions) -> Trainee:
        """How this network learns from these sessions. Raises ArgumentError when there is nothing to learn from."""

    @abstractmethod
    def _validate(self, network: Any, sessions: Sessions, queries: tuple[Sessions, Array]) -> Scores:
        """How well the network, trained on ``sessions`` so far, finds the song after each of these plays."""

    def fit(
        self,
        sessions: Sessions,
        *,
        vectors: SongVectors | None = None,
        validation: Sessions | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_minutes: float = 10.0,
    ) -> Self:
        """Learn from sessions; returns self.

        Args:
            vectors: song vectors to begin with, for ``input="vectors"``; songs they do not know begin at random.
            validation: sessions over the same catalogue, held out of ``sessions``; recall@20 and MRR@20 of the next song in
                them are measured after every epoch, on up to 20,000 queries, and the weights of the best epoch are kept.
            checkpoint: a folder that the training is saved in every ``checkpoint_minutes``. When it holds a training
                of the same sessions and settings that was cut short, that goes on; ``epochs`` may have grown since.

        Raises ArgumentError for a bad hyperparameter, sessions without two plays, and a loss that is no number any more.
        """
        for name, value, kind in (("vectors", vectors, SongVectors), ("validation", validation, Sessions)):
            if not isinstance(value, kind | None):
                raise ArgumentError(f"{name} is a {type(value).__name__}; {kind.__name__} or None are allowed")
        self._aid = Aid(vectors, validation, checkpoint, checkpoint_minutes)
        try:
            return super().fit(sessions)
        finally:
            del self._aid

    def _fit(self, sessions: Sessions) -> None:
        for name, low in (("epochs", 1), ("batch_size", 1)):
            check_whole(self, name, low)
        for name in ("patience", "workers"):
            check_whole(self, name, 1, none=True)
        self._check()
        device = device_named(self.device)
        queries = self._validation_queries(sessions)
        network = self._new_network(sessions, device)
        with threads(self.workers):
            trainer = Trainer(
                self._task(network, sessions),
                name=self.name,
                epochs=self.epochs,
                validate=None if queries is None else lambda: self._validate(network, sessions, queries),
                patience=self.patience,
                checkpoint=self._checkpoint(sessions),
                progress=self.progress,
            )
            self.history_ = trainer.run()
        network.release()
        self.network_ = network

    def _validation_queries(self, sessions: Sessions) -> tuple[Sessions, Array] | None:
        held_out = self._aid.validation
        if held_out is None:
            if self.patience is not None:
                raise ArgumentError("patience: needs validation sessions to watch, fit(sessions, validation=...)")
            return None
        if held_out.catalogue != sessions.catalogue:
            raise ArgumentError("validation: is over other songs than the sessions; a split gives both parts the same")
        order = generator(self.seed, "validation").permutation(np.flatnonzero(held_out.lengths > 1))
        enough = int(np.searchsorted(np.cumsum(held_out.lengths[order] - 1), VALIDATION_QUERIES)) + 1
        held_out = held_out.keep(np.sort(order[:enough]))
        if not len(held_out):
            raise ArgumentError("validation: no session has two plays; at least one such session is needed")
        return held_out, np.setdiff1d(np.arange(held_out.plays), held_out.offsets[1:] - 1)

    def _start_vectors(self, sessions: Sessions) -> tuple[SongVectors, Array, Array] | None:
        """The vectors ``fit`` was given, the rows of the songs they know, and the rows of these among the vectors; None without.

        Raises ArgumentError for vectors without ``input="vectors"``, and the other way round.
        """
        vectors = self._aid.vectors
        if not self.takes_vectors:
            if vectors is None:
                return None
            told = "belong to input='vectors'" if hasattr(self, "input") else f"{type(self).__name__} begins with none; None is allowed"
            raise ArgumentError(f"vectors: {told}")
        if vectors is None:
            raise ArgumentError("vectors: needed for input='vectors', fit(sessions, vectors=...)")
        rows = sessions.catalogue.rows_in(vectors.catalogue)
        known = np.flatnonzero(rows >= 0)
        return vectors, known, rows[known]

    def _ways(self, sessions: Sessions) -> dict[str, str]:
        """What else must be the same for a training to go on."""
        return {}

    def _checkpoint(self, sessions: Sessions) -> Checkpoint | None:
        aid = self._aid
        if aid.checkpoint is None:
            return None
        settings = {name: value for name, value in self.settings.items() if name not in NOT_LEARNING}
        arrays = (sessions.songs, sessions.offsets, sessions.listener, sessions.start, sessions.dwell)
        data = {"sessions": digest_of(*(array for array in arrays if array is not None)), "catalogue": sessions.catalogue.fingerprint}
        data["context"] = "" if sessions.context is None else digest_of(sessions.context.hash_rows().to_numpy())
        data["vectors"] = "" if aid.vectors is None else digest_of(aid.vectors.matrix)
        data["validation"] = "" if aid.validation is None else digest_of(aid.validation.songs, aid.validation.offsets)
        return Checkpoint(aid.checkpoint, {"model": self.name, **settings, **data, **self._ways(sessions)}, aid.checkpoint_minutes)
