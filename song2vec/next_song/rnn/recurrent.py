"""What the recurrent models share: fitting by the one epoch loop, scoring with carried states, saving."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from song2vec.arrays import Array
from song2vec.errors import ArgumentError
from song2vec.learning.checkpoint import Checkpoint
from song2vec.learning.machine import device_named, digest_of, threads
from song2vec.learning.training import Epoch, Training, Validation
from song2vec.next_song.checks import check_whole
from song2vec.next_song.rnn.batches import Plan, session_parallel
from song2vec.next_song.rnn.compiled import CompiledTask, can_compile
from song2vec.next_song.rnn.network import Network, Shape
from song2vec.next_song.rnn.serving import Serving
from song2vec.next_song.rnn.task import Recipe, Task
from song2vec.next_song.rnn.walk import groups, outputs, validation
from song2vec.seeding import generator
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


class RecurrentModel(Serving):
    """A network that reads a session song by song.

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
    network_: Network
    history_: list[Epoch]
    _aid = Aid()

    @abstractmethod
    def _check(self) -> None:
        """Raise ArgumentError for a bad hyperparameter."""

    @abstractmethod
    def _shape(self, songs: int, size: int | None) -> Shape:
        """What the network is made of; ``size`` is the length of the input vectors, where data and not a setting tell it."""

    @abstractmethod
    def _recipe(self, sessions: Sessions) -> Recipe:
        """How it is trained."""

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
            task = self._task(network, sessions)
            training = Training(
                task,
                name=self.name,
                epochs=self.epochs,
                validate=None if queries is None else lambda: self._validate(network, sessions, queries),
                patience=self.patience,
                checkpoint=self._checkpoint(sessions),
                progress=self.progress,
            )
            self.history_ = training.run()
        network.release()
        self.network_ = network

    def _task(self, network: Network, sessions: Sessions) -> Task:
        sessions = self._training_sessions(sessions)
        if not (sessions.lengths > 1).any():
            raise ArgumentError(f"sessions: none of {len(sessions):,} has two plays; at least one such session is needed")
        return self._new_task(network, self._recipe(sessions), sessions)

    def _new_task(self, network: Network, recipe: Recipe, sessions: Sessions) -> Task:
        """How this network learns from these sessions."""
        if can_compile(network, recipe):
            lanes = self._lanes(sessions)
            return CompiledTask(network, recipe, sessions, lambda epoch, lane: self._plan(sessions, epoch, lane, lanes), lanes)
        return Task(network, recipe, sessions, lambda epoch: self._plan(sessions, epoch))

    def _lanes(self, sessions: Sessions) -> int:
        """Threads that compiled training runs on; one when sessions are few."""
        return min(self.workers or os.cpu_count() or 1, max(1, len(sessions) // (16 * self.batch_size)))

    def _training_sessions(self, sessions: Sessions) -> Sessions:
        """The sessions as training sees them."""
        return sessions

    def _plan(self, sessions: Sessions, epoch: int, lane: int = 0, lanes: int = 1) -> Plan:
        """The batches of an epoch, or of one of several lanes that share its sessions."""
        return session_parallel(sessions, self._order(sessions, epoch)[lane::lanes], self.batch_size)

    def _order(self, sessions: Sessions, epoch: int) -> Array:
        """Numbers of the sessions, in the order of an epoch."""
        return generator(self.seed, f"order {epoch}").permutation(len(sessions))

    def _validate(self, network: Network, sessions: Sessions, queries: tuple[Sessions, Array]) -> Validation:
        self.network_ = network
        return validation(network, *queries, self._outputs)

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
        held_out = held_out.select(np.sort(order[:enough]))
        if not len(held_out):
            raise ArgumentError("validation: no session has two plays; at least one such session is needed")
        return held_out, np.setdiff1d(np.arange(held_out.plays), held_out.offsets[1:] - 1)

    def _new_network(self, sessions: Sessions, device: torch.device) -> Network:
        """A network before training; songs that ``vectors`` knows begin as those, others at random."""
        vectors, wanted = self._aid.vectors, getattr(self, "input", None) == "vectors"
        if wanted != (vectors is not None):
            raise ArgumentError(f"vectors: {'needed for' if wanted else 'belong to'} input='vectors', fit(sessions, vectors=...)")
        random = generator(self.seed, "weights")
        network = Network(self._shape(len(sessions.catalogue), vectors.size if vectors else None), random, device)
        if vectors is not None:
            rows = sessions.catalogue.rows_in(vectors.catalogue)
            known = np.flatnonzero(rows >= 0)
            network.tables["input"][torch.from_numpy(known)] = torch.from_numpy(vectors.matrix[rows[known]]).to(device)
        return network

    def _checkpoint(self, sessions: Sessions) -> Checkpoint | None:
        aid = self._aid
        if aid.checkpoint is None:
            return None
        settings = {name: value for name, value in self.settings.items() if name not in NOT_LEARNING}
        arrays = (sessions.songs, sessions.offsets, sessions.listener, sessions.start, sessions.dwell)
        data = {"sessions": digest_of(*(array for array in arrays if array is not None)), "catalogue": sessions.catalogue.fingerprint}
        data["lanes"] = str(self._lanes(sessions))
        data["vectors"] = "" if aid.vectors is None else digest_of(aid.vectors.matrix)
        data["validation"] = "" if aid.validation is None else digest_of(aid.validation.songs, aid.validation.offsets)
        return Checkpoint(aid.checkpoint, {"model": self.name, **settings, **data}, aid.checkpoint_minutes)

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        unique, place = np.unique(plays, return_inverse=True)
        if not len(unique):
            return np.zeros((0, self.network_.shape.songs), np.float32)
        found = self._outputs(sessions, unique)
        return self._rated(found[torch.from_numpy(place).to(found.device)])

    def score_blocks(self, sessions: Sessions, plays: Array) -> Iterator[tuple[Array, Array]]:
        """(plays, scores) of these plays, in ascending order; each play is fed once, many sessions side by side."""
        self.score(sessions, plays[:0])  # refuses other songs, and a model that has learned nothing
        plays, score = np.sort(np.asarray(plays, np.int64)), self._scorer()
        for group in groups(sessions, plays):
            unique, place = np.unique(group, return_inverse=True)
            found = self._outputs(sessions, unique)[torch.from_numpy(place).to(self.network_.device)]
            for begin in range(0, len(group), self.block):
                yield group[begin : begin + self.block], score(found[begin : begin + self.block])

    def _outputs(self, sessions: Sessions, plays: Array) -> torch.Tensor:
        """(n, hidden) outputs after each of these different ascending plays."""
        return outputs(self.network_, sessions, plays)

    def _rated(self, found: torch.Tensor) -> Array:
        with torch.inference_mode():
            scores: Array = self.network_.scores(found).cpu().numpy()
        return scores

    def _scorer(self) -> Callable[[torch.Tensor], Array]:
        """As :meth:`_rated`, for many calls."""
        with torch.inference_mode():
            score = self.network_.scorer()

        def rated(found: torch.Tensor) -> Array:
            with torch.inference_mode():
                scores: Array = score(found).cpu().numpy()
            return scores

        return rated

    def _arrays(self) -> dict[str, Array]:
        return {f"{name}_": array for name, array in self.network_.arrays().items()}

    def _restore(self, arrays: dict[str, Array]) -> None:
        size = arrays["input_"].shape[1] if "input_" in arrays else None
        self.network_ = Network(self._shape(len(self.catalogue_), size), generator(0, "weights"), device_named(self.device, or_cpu=True))
        self.network_.load({name.removesuffix("_"): array for name, array in arrays.items()})
