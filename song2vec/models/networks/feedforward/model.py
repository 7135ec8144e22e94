"""What the feed-forward models share: scores of whole histories at once, validation, saving, and their song vectors."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.models.networks.feedforward.weights import Weights
from song2vec.models.networks.trained.model import TrainedModel
from song2vec.nn.device import device_named
from song2vec.nn.trainer import Scores
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

BLOCK = 256  # validation queries scored at once
CUT_OFF = 20


class FeedForwardModel(TrainedModel):
    """A network that reads all of a history at once.

    Attributes:
        network_: the trained network, a subclass of Weights with an output table and bias.
        history_: one :class:`Epoch` an epoch; not saved with the model.
    """

    network_: Weights

    @abstractmethod
    def _blank(self, songs: int, size: int | None, random: np.random.Generator, device: torch.device) -> Weights:
        """A network of random weights; ``size`` is the length of the song vectors it begins with, None without."""

    @property
    def vectors_(self) -> SongVectors:
        """The rows of the output table, a vector a song. Raises ArgumentError before ``fit``."""
        catalogue = self._fitted()
        return SongVectors(self.network_.tables["output"].cpu().numpy(), catalogue)

    def _new_network(self, sessions: Sessions, device: torch.device) -> Weights:
        start = self._start_vectors(sessions)
        network = self._blank(len(sessions.catalogue), start and start[0].size, generator(self.seed, "weights"), device)
        if start is not None:
            vectors, known, rows = start
            network.tables["input"][torch.from_numpy(known)] = torch.from_numpy(vectors.matrix[rows]).to(device)
        return network

    def _validate(self, network: Weights, sessions: Sessions, queries: tuple[Sessions, Array]) -> Scores:
        """Recall@20 and MRR@20; a song that scores as high as the target counts as ahead of it."""
        self.network_ = network
        held_out, plays = queries
        reciprocal, hits = 0.0, 0
        for begin in range(0, len(plays), BLOCK):
            block = plays[begin : begin + BLOCK]
            scores = self._scores(held_out, block)
            ranks = (scores >= scores[np.arange(len(block)), held_out.songs[block + 1]][:, None]).sum(1)
            found = ranks[ranks <= CUT_OFF]
            hits, reciprocal = hits + len(found), reciprocal + float((1 / found).sum())
        return {"recall@20": hits / len(plays), "mrr@20": reciprocal / len(plays)}

    def _arrays(self) -> dict[str, Array]:
        return {f"{name}_": array for name, array in self.network_.arrays().items()}

    def _restore_arrays(self, arrays: dict[str, Array]) -> None:
        size = arrays["input_"].shape[1]
        self.network_ = self._blank(len(self.catalogue_), size, generator(0, "weights"), device_named(self.device, or_cpu=True))
        self.network_.load({name.removesuffix("_"): array for name, array in arrays.items()})
