"""What every network gets for being one: fitting by the one epoch loop with validation and checkpoints, scores, ranks, saving."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import torch

from song2vec.core.arrays import Array
from song2vec.core.checks import check_type
from song2vec.core.config import FLAG, SEED, FloatRange, IntRange, Text, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.core.estimator import MAIN
from song2vec.core.random import generator
from song2vec.core.storage import Part
from song2vec.models.base import NextSongModel
from song2vec.nn.checkpoint import Checkpoint, digest_of, identity_of
from song2vec.nn.module import SongNetwork, device_named, threads, with_ones
from song2vec.nn.ranking import Ranker
from song2vec.nn.trainer import Epoch, Scores, Trainee, Trainer
from song2vec.nn.training import SessionTrainee, TrainingConfig, after_all
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

VALIDATION_QUERIES, CUT_OFF = 20_000, 20
GROUP = 65_536  # plays whose outputs are held at once: 26 MB of 100 numbers
PRODUCT = 4  # blocks scored by one product: the output table is read once for all of them
STORED = "network."  # before the names of the network's arrays


class NetworkModel(NextSongModel):
    """A next-song model that is a network, trained epoch by epoch.

    A subclass makes the network in ``_network``; that is all where the network reads whole sessions (:meth:`SongNetwork.forward`).
    Others say in ``_trainee`` how they learn, and in ``_outputs`` what they put out.

    Attributes:
        network_: the trained network.
        history_: one :class:`Epoch` an epoch; not saved with the model.
    """

    epochs: int = setting(IntRange(1), default=10, help="passes over the sessions")
    batch_size: int = setting(IntRange(1), default=64, tune=IntRange(32, 256, log=True), help="sessions side by side")
    learning_rate: float = setting(FloatRange(0, above=True), default=0.05, tune=FloatRange(0.01, 0.25, log=True), help="of Adagrad")
    patience: int | None = setting(
        IntRange(1), default=None, help="stop when recall@20 on the validation sessions has not risen for so many epochs"
    )
    device: str = setting(Text(), default="cpu", help='"cpu", "cuda", or another that torch has')
    workers: int | None = setting(
        IntRange(1), default=None, help="threads; None for as many as torch takes; the same seed gives the same bytes with one only"
    )
    seed: int = setting(SEED, default=0, help="of all randomness")
    progress: bool | None = setting(FLAG, default=None, help="show a progress bar; None shows it on a terminal")
    network_: SongNetwork = learned(saved=False)
    history_: list[Epoch] = learned(saved=False)

    def _check_together(self) -> None:
        if hasattr(self, "input") and getattr(self, "frozen", False) and self.input != "vectors":
            raise ArgumentError(f"frozen=True: belongs to input='vectors'; False is allowed with {self.input!r}")

    @abstractmethod
    def _network(self, songs: int, size: int | None) -> SongNetwork:
        """A network of random weights over so many songs; ``size`` is that of the song vectors it begins with, None without."""

    def _trainee(self, network: Any, sessions: Sessions) -> Trainee:
        """How the network learns from sessions, some of which have two plays."""
        return SessionTrainee(network, TrainingConfig.of(self), sessions)

    def _check_learnable(self, sessions: Sessions) -> None:
        """Raises ArgumentError when there is nothing to learn from."""
        if not (sessions.lengths > 1).any():
            raise ArgumentError(f"sessions: none of {len(sessions):,} has two plays; at least one such session is needed")

    def _training_sessions(self, sessions: Sessions) -> Sessions:
        return sessions

    def _identity(self, sessions: Sessions, vectors: SongVectors | None, validation: Sessions | None) -> dict[str, Any]:
        """What must be the same for a training to go on from a checkpoint."""
        return identity_of(
            self,
            sessions=digest_of(sessions.songs, sessions.offsets, sessions.listener, sessions.start, sessions.dwell),
            catalogue=sessions.catalogue.fingerprint,
            session_context=digest_of(None if sessions.context is None else sessions.context.hash_rows().to_numpy()),
            vectors=digest_of(None if vectors is None else vectors.matrix),
            validation=digest_of(*(() if validation is None else (validation.songs, validation.offsets))),
        )

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
        check_type("vectors", vectors, (SongVectors, type(None)), "SongVectors or None are allowed")
        check_type("validation", validation, (Sessions, type(None)), "Sessions or None are allowed")
        with self._fitting(sessions):
            given = sessions, vectors, validation
            saved = None if checkpoint is None else Checkpoint(checkpoint, self._identity(*given), checkpoint_minutes)
            self._fit(*given, saved)
        return self

    def _fit(
        self,
        sessions: Sessions,
        vectors: SongVectors | None = None,
        validation: Sessions | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        device, queries = device_named(self.device), self._validation_queries(sessions, validation)
        trained_on = self._training_sessions(sessions)
        self._check_learnable(trained_on)
        network = self._new_network(sessions, vectors).to(device)
        with threads(self.workers):
            trainer = Trainer(
                self._trainee(network, trained_on),
                name=self.name,
                epochs=self.epochs,
                validate=None if queries is None else lambda: self._validate(network, sessions, queries),
                patience=self.patience,
                checkpoint=checkpoint,
                progress=self.progress,
            )
            self.history_ = trainer.run()
        self.network_ = network.requires_grad_(False).eval()

    def _new_network(self, sessions: Sessions, vectors: SongVectors | None) -> SongNetwork:
        """A network before training; songs that ``vectors`` knows begin as those, others at random."""
        if self.takes_vectors and vectors is None:
            raise ArgumentError("vectors: needed for input='vectors', fit(sessions, vectors=...)")
        if vectors is not None and not self.takes_vectors:
            found = "belong to input='vectors'" if hasattr(self, "input") else f"{type(self).__name__} begins with none; None is allowed"
            raise ArgumentError(f"vectors: {found}")
        network = self._seeded_network(len(sessions.catalogue), None if vectors is None else vectors.size)
        network.draw(generator(self.seed, "weights"))
        if vectors is not None and network.input is not None:
            rows = sessions.catalogue.rows_in(vectors.catalogue)
            known = np.flatnonzero(rows >= 0)
            network.input.weight.data[torch.from_numpy(known)] = torch.from_numpy(vectors.matrix[rows[known]])
        return network

    def _seeded_network(self, songs: int, size: int | None) -> SongNetwork:
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            return self._network(songs, size)

    @property
    def vectors_(self) -> SongVectors:
        """The rows of the output table, a vector a song. Raises ArgumentError before ``fit``."""
        catalogue = self._fitted()
        return SongVectors(self.network_.output.weight.cpu().numpy(), catalogue)

    @property
    def takes_vectors(self) -> bool:
        return getattr(self, "input", None) == "vectors"

    def _validation_queries(self, sessions: Sessions, held_out: Sessions | None) -> tuple[Sessions, Array] | None:
        """Sessions with the plays in them that are asked about; None without any."""
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

    def _validate(self, network: SongNetwork, sessions: Sessions, queries: tuple[Sessions, Array]) -> Scores:
        """Recall@20 and MRR@20 of the play after each query; a song that scores as high as the target counts as ahead of it."""
        self.network_ = network.eval()
        held_out, plays = queries
        ranks = self._ranks(held_out, plays, held_out.songs[plays + 1], CUT_OFF)
        found = ranks[(ranks > 0) & (ranks <= CUT_OFF)].astype(np.float64)
        return {"recall@20": len(found) / len(plays), "mrr@20": float((1 / found).sum()) / len(plays)}

    @torch.inference_mode()
    def _outputs(self, sessions: Sessions, plays: Array) -> torch.Tensor:
        """(n, width) outputs after each of these different ascending plays."""
        which, first = np.unique(np.searchsorted(sessions.offsets, plays, side="right") - 1, return_index=True)
        begin = sessions.offsets[which]
        lengths = np.append(plays[first[1:] - 1], plays[-1:]) + 1 - begin
        found = torch.empty((len(plays), self.network_.width), device=self.network_.device)
        order = np.argsort(lengths, kind="stable")
        while len(order):
            most = int(np.searchsorted(lengths[order] * np.arange(1, len(order) + 1), GROUP, side="right"))
            some, order = order[: max(1, most)], order[max(1, most) :]
            out, there = after_all(self.network_, sessions.songs, begin[some], lengths[some])
            place = np.minimum(np.searchsorted(plays, there), len(plays) - 1)
            asked = np.flatnonzero(plays[place] == there)
            found[torch.from_numpy(place[asked])] = out[torch.from_numpy(asked)]
        return found

    @torch.inference_mode()
    def _outputs_of_any(self, sessions: Sessions, plays: Array) -> torch.Tensor:
        """As :meth:`_outputs`, in any order and several times."""
        unique, place = np.unique(plays, return_inverse=True)
        return self._outputs(sessions, unique)[torch.from_numpy(place).to(self.network_.device)]

    @torch.inference_mode()
    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores: Array = self.network_.scores(self._outputs_of_any(sessions, plays)).cpu().numpy()
        return scores

    def score_blocks(self, sessions: Sessions, plays: Array) -> Iterator[tuple[Array, Array]]:
        """(plays, scores) of these plays, in ascending order; each play is fed once, many sessions side by side."""
        self.score(sessions, plays[:0])  # refuses other songs, and a model that has learned nothing
        plays, step = np.sort(np.asarray(plays, np.int64)), PRODUCT * self.block
        for group in groups(sessions, plays):
            found = self._outputs_of_any(sessions, group)
            for begin in range(0, len(group), step):
                with torch.inference_mode():
                    scores = self.network_.scores(found[begin : begin + step]).cpu().numpy()
                yield group[begin : begin + step], scores

    def ranks(self, sessions: Sessions, plays: Array, targets: Array, cut_off: int) -> Array:
        """As :meth:`NextSongModel.ranks`, without scoring every song for every play."""
        self.score(sessions, plays[:0])  # refuses other songs, and a model that has learned nothing
        return self._ranks(sessions, plays, targets, cut_off)

    @torch.inference_mode()
    def _ranks(self, sessions: Sessions, plays: Array, targets: Array, cut_off: int) -> Array:
        ranker, found = Ranker(self.network_.scored()), np.empty(len(plays), np.int32)
        for group in groups(sessions, plays):
            where = slice(*np.searchsorted(plays, [group[0], group[-1] + 1]))
            goals = torch.from_numpy(targets[where].astype(np.int64)).to(self.network_.device)
            ranks = ranker.ranks(with_ones(self._outputs(sessions, group)), goals, cut_off)
            found[where] = ranks.clamp(max=cut_off + 1).cpu().numpy()
        return found

    def _learned_parts(self) -> dict[str, Part]:
        parts = super()._learned_parts()
        parts[MAIN].arrays |= {f"{STORED}{name}": array for name, array in self.network_.arrays().items()}
        return parts

    def _restore(self, parts: Mapping[str, Part]) -> None:
        super()._restore(parts)
        arrays = {name.removeprefix(STORED): array for name, array in parts[MAIN].arrays.items() if name.startswith(STORED)}
        self.network_ = self._network_of(arrays)

    def _network_of(self, arrays: Mapping[str, Array]) -> Any:
        """The trained network with these weights, as many songs as they have rows for."""
        size = arrays["input.weight"].shape[1] if self.takes_vectors else None
        network = self._seeded_network(len(arrays["output.weight"]), size).to(device_named(self.device, or_cpu=True))
        network.requires_grad_(False).eval().load(arrays)
        return network


def groups(sessions: Sessions, plays: Array) -> list[Array]:
    """Ascending plays in groups of whole sessions, not much larger than ``GROUP``."""
    begins = np.flatnonzero(np.diff(np.searchsorted(sessions.offsets, plays, side="right"), prepend=0))  # of sessions among the plays
    cuts = begins[np.diff(begins // GROUP, prepend=0) > 0]
    return [group for group in np.split(plays, cuts) if len(group)]
