"""What the recurrent models share: training on sessions side by side, live sessions with carried states, and what they serve."""

from __future__ import annotations

import os
from copy import copy
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
import torch

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.config import Choice, FloatRange, IntRange, learned, setting
from song2vec.core.random import generator
from song2vec.models.live import LiveSession
from song2vec.models.networks.base import NetworkModel
from song2vec.models.networks.recurrent.live import CarriedSession
from song2vec.models.networks.recurrent.network import RecurrentNetwork, States
from song2vec.models.networks.recurrent.new_songs import grown
from song2vec.models.networks.recurrent.onnx_file import export_onnx
from song2vec.models.networks.recurrent.output_index import OutputIndex
from song2vec.models.networks.recurrent.trainee import RecurrentTrainee
from song2vec.nn.batching import BatchPlan, session_parallel
from song2vec.nn.losses import LossName
from song2vec.nn.trainer import Trainee
from song2vec.nn.training import TrainingConfig
from song2vec.search import SongIndex
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

LATEST = 500  # plays of a history that a state is carried through


class RecurrentModel(NetworkModel):
    """A network that reads a session song by song."""

    hidden: int = setting(IntRange(1), default=100, tune=IntRange(64, 512, log=True), help="units of each layer")
    bptt: int = setting(IntRange(1), default=1, help="steps that gradients go back through time; 1 for none, as published")
    momentum: float = setting(FloatRange(0, 0.99), default=0.0, tune=FloatRange(0, 0.9), help="of Adagrad")
    dropout_hidden: float = setting(
        FloatRange(0, 0.99), default=0.0, tune=FloatRange(0, 0.5), help="share of each layer's output dropped in training"
    )
    network_: RecurrentNetwork = learned(saved=False)
    start_: Array = learned()  # the states of all layers side by side that sessions of nobody begin with; empty for blank ones

    def _fit(self, *args: Any, **kwargs: Any) -> None:
        self.start_ = np.empty(0, np.float32)
        super()._fit(*args, **kwargs)

    def with_history(self, sessions: Sessions) -> Self:
        """This model for somebody who played these sessions before: those of nobody go on from the last of them, its last 500 plays."""
        self._fitted()
        played = np.flatnonzero(sessions.lengths)
        if not len(played):
            return self
        states = self.network_.states_after(sessions.keep(played[-1:]).songs[-LATEST:])
        return self._starting(torch.cat(states, 1)[0].cpu().numpy())

    def _starting(self, start: Array) -> Self:
        model = copy(self)
        model.start_ = start
        return model

    def _first_states(self, listeners: list[SongId | None]) -> States:
        """What sessions of these listeners begin with."""
        states = self.network_.blank_states(len(listeners))
        if len(self.start_):
            for layer, values in zip(states, np.split(self.start_, np.cumsum(self.network_.widths)[:-1]), strict=True):
                layer[[listener is None for listener in listeners]] = torch.from_numpy(values.copy()).to(layer.device)
        return states

    def _trainee(self, network: Any, sessions: Sessions) -> Trainee:
        return RecurrentTrainee(network, TrainingConfig.of(self), sessions, lambda epoch: self._plan(sessions, epoch))

    def _plan(self, sessions: Sessions, epoch: int) -> BatchPlan:
        return session_parallel(sessions, self._order(sessions, epoch), self.batch_size)

    def _order(self, sessions: Sessions, epoch: int) -> Array:
        return generator(self.seed, f"order {epoch}").permutation(len(sessions))

    def _outputs(self, sessions: Sessions, plays: Array) -> torch.Tensor:
        which = np.unique(np.searchsorted(sessions.offsets, plays, side="right") - 1)
        first = self._first_states(sessions.listeners.gather(sessions.listener[which]).to_list())
        return self.network_.walk(sessions, plays, first)

    def session(self, listener: SongId | None = None) -> LiveSession:
        """A session that goes on, at the cost of one step a play. Raises ArgumentError before ``fit``."""
        self._fitted()
        return CarriedSession(self, listener)

    def index(self, kind: str | SongIndex = "exact", *, sessions: Sessions | None = None, seed: int = 0) -> OutputIndex:
        """An index over the output rows, which answers from a large catalogue without reading all of it.

        Args:
            kind: of index, as of :class:`song2vec.Engine`; "exact" misses nothing, and reads a quarter of the memory.
            sessions: after whose plays the recall is measured, over the same catalogue; None for single songs.
            seed: of the index, and of what its recall is measured on.

        Raises ArgumentError before ``fit``, for any other kind, and for sessions over other songs.
        """
        self._fitted()
        if sessions is not None:
            self.score(sessions, np.empty(0, np.int64))  # refuses other songs
        return OutputIndex(self, kind, sessions, seed)

    def export_onnx(self, path: str | os.PathLike[str]) -> Path:
        """Export one step of the network as an ONNX file: songs and states in, scores and next states out (``song2vec[onnx]``).

        Inputs are ``songs`` (batch,) int64, rows of ``catalogue_``, and ``state_0``, ... (batch, width) float32, one a layer, zeros
        where a session begins. Outputs are ``scores`` (batch, songs of the catalogue) and ``next_0``, ..., the states to pass in
        with the next songs.

        Raises MissingExtraError without the onnx package; ArgumentError before ``fit``, and for an HRNN, which needs its listeners.
        """
        self._fitted()
        return export_onnx(self.network_, path)

    def add_songs(self, songs: SongVectors | Catalogue) -> Self:
        """A model with new songs behind those it knows, to be played and recommended like any; this one stays as it is.

        What a network knows of a song is a row of each of its tables. A new song gets the mean row of the five known songs
        nearest to its vector, or of its artist's songs, at the mean length of those rows; where the input is ``"vectors"``, its
        vector is its input row. The bias is that of the tenth of songs played least, so that a new song is preferred for what
        it is like and not for how often others are played.

        Args:
            songs: vectors of new songs and of known ones, in one space, as ``Word2Vec.fit_more`` makes them; or a catalogue
                with the artists of new songs.

        Raises ArgumentError before ``fit``, where none is new, and where vectors or artists of known songs are missing.
        """
        catalogue = self._fitted()
        catalogue, arrays = grown(self.network_, catalogue, songs, begins_with_vectors=self.takes_vectors)
        model = copy(self)
        model.catalogue_, model.network_ = catalogue, self._network_of(arrays)
        return model


class SampledRecurrentModel(RecurrentModel):
    """A recurrent network trained by ranking the next song before sampled others."""

    loss: LossName = setting(
        Choice(get_args(LossName)), default="cross-entropy", tune=Choice(("cross-entropy", "bpr-max")), help="that ranks the next song"
    )
    n_negatives: int = setting(
        IntRange(0), default=2048, help="songs drawn a step, shared by the batch; 0 for its other targets alone as negatives"
    )
    negative_exponent: float = setting(
        FloatRange(0), default=0.5, tune=FloatRange(0, 1), help="negatives are drawn by plays**this: 0 all alike, 1 by popularity"
    )
    bpreg: float = setting(FloatRange(0), default=1.0, tune=FloatRange(0, 2), help="weight of the squares of scores in bpr-max")
    elu_param: float = setting(FloatRange(0), default=0.5, tune=FloatRange(0, 1), help="of the ELU on scores in bpr-max; 0 for none")
    dropout_input: float = setting(
        FloatRange(0, 0.99), default=0.0, tune=FloatRange(0, 0.5), help="share of the input vector dropped in training"
    )
