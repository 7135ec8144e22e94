"""What the recurrent models share: batches of sessions side by side, scoring with carried states, saving."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator

import numpy as np
import torch

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator
from song2vec.models.networks.rnn.batches import Plan, session_parallel
from song2vec.models.networks.rnn.compiled import CompiledTask, can_compile
from song2vec.models.networks.rnn.network import Network, Shape, with_ones
from song2vec.models.networks.rnn.ranking import Ranker
from song2vec.models.networks.rnn.serving import Serving
from song2vec.models.networks.rnn.task import Recipe, Task
from song2vec.models.networks.rnn.walk import groups, outputs, validation
from song2vec.models.networks.trained.model import TrainedModel
from song2vec.nn.device import device_named
from song2vec.nn.trainer import Scores
from song2vec.sessions import Sessions

PRODUCT = 4  # blocks scored by one product: the output table is read once for all of them


class RecurrentModel(Serving, TrainedModel):
    """A network that reads a session song by song.

    Attributes:
        network_: the trained network.
        history_: one :class:`Epoch` an epoch; not saved with the model.
    """

    network_: Network

    @abstractmethod
    def _shape(self, songs: int, size: int | None) -> Shape:
        """What the network is made of; ``size`` is the length of the input vectors, where data and not a setting tell it."""

    @abstractmethod
    def _recipe(self, sessions: Sessions) -> Recipe:
        """How it is trained."""

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

    def _validate(self, network: Network, sessions: Sessions, queries: tuple[Sessions, Array]) -> Scores:
        self.network_ = network
        return validation(network, *queries, self._outputs)

    def _new_network(self, sessions: Sessions, device: torch.device) -> Network:
        """A network before training; songs that ``vectors`` knows begin as those, others at random."""
        start = self._start_vectors(sessions)
        network = Network(self._shape(len(sessions.catalogue), start and start[0].size), generator(self.seed, "weights"), device)
        if start is not None:
            vectors, known, rows = start
            network.tables["input"][torch.from_numpy(known)] = torch.from_numpy(vectors.matrix[rows]).to(device)
        return network

    def _ways(self, sessions: Sessions) -> dict[str, str]:
        return {"lanes": str(self._lanes(sessions))}

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
        step = PRODUCT * self.block
        for group in groups(sessions, plays):
            unique, place = np.unique(group, return_inverse=True)
            found = self._outputs(sessions, unique)[torch.from_numpy(place).to(self.network_.device)]
            for begin in range(0, len(group), step):
                yield group[begin : begin + step], score(found[begin : begin + step])

    @torch.inference_mode()
    def ranks(self, sessions: Sessions, plays: Array, targets: Array, cut_off: int) -> Array:
        """As :meth:`NextSongModel.ranks`, without scoring every song for every play."""
        self.score(sessions, plays[:0])  # refuses other songs, and a model that has learned nothing
        ranker, found = Ranker(self.network_.scored()), np.empty(len(plays), np.int32)
        for group in groups(sessions, plays):
            where = slice(*np.searchsorted(plays, [group[0], group[-1] + 1]))
            goals = torch.from_numpy(targets[where].astype(np.int64)).to(self.network_.device)
            ranks = ranker.ranks(with_ones(self._outputs(sessions, group)), goals, cut_off)
            found[where] = ranks.clamp(max=cut_off + 1).cpu().numpy()
        return found

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

    def _restore_arrays(self, arrays: dict[str, Array]) -> None:
        size = arrays["input_"].shape[1] if "input_" in arrays else None
        self.network_ = Network(self._shape(len(self.catalogue_), size), generator(0, "weights"), device_named(self.device, or_cpu=True))
        self.network_.load({name.removesuffix("_"): array for name, array in arrays.items()})
