"""GRU4Rec (Hidasi et al. 2016, arXiv:1511.06939; Hidasi and Karatzoglou 2018, arXiv:1706.03847)."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from song2vec.core.arrays import Array
from song2vec.core.config import FLAG, Choice, FloatRange, IntRange, setting
from song2vec.core.errors import ArgumentError
from song2vec.models.networks.gru4rec.compiled import CompiledTrainee, can_compile
from song2vec.models.networks.recurrent.model import SampledRecurrentModel
from song2vec.models.networks.recurrent.network import InputName, RecurrentNetwork
from song2vec.nn.trainer import Trainee
from song2vec.nn.training import TrainingConfig
from song2vec.sessions import Sessions

DwellUnit = Literal["seconds", "ratio"]
MOST = 20  # copies of a play: a player that was left running tells nothing


class GRU4Rec(SampledRecurrentModel):
    """A recurrent network over sessions side by side, trained by ranking the next song before sampled others.

    The defaults did best of those tried on sessions held out of the training part of nowplaying.
    """

    name = "gru4rec"
    cell: Literal["gru", "lstm", "rnn"] = setting(Choice(("gru", "lstm", "rnn")), default="gru", help='"rnn" is a plain one, by tanh')
    hidden: int = setting(IntRange(1), default=128, tune=IntRange(64, 512, log=True), help="units of each layer")
    layers: int = setting(IntRange(1), default=1, help="one above the other")
    input: InputName = setting(
        Choice(get_args(InputName)),
        default="constrained",
        help='"constrained", the output table is the input table too; "embedding", a table of its own; "one-hot", rows that feed the '
        'gates directly; "vectors", a table that begins as the song vectors given to fit',
    )
    size: int | None = setting(IntRange(1), default=None, help='numbers in a song\'s input vector, for "embedding"; None for hidden')
    frozen: bool = setting(FLAG, default=False, help="song vectors stay as they were given")
    logq: float = setting(
        FloatRange(0, 1), default=0.5, tune=FloatRange(0, 1), help="correction of cross-entropy for how often songs are drawn"
    )
    learning_rate: float = setting(FloatRange(0, above=True), default=0.1, tune=FloatRange(0.01, 0.25, log=True), help="of Adagrad")
    dropout_input: float = setting(
        FloatRange(0, 0.99), default=0.4, tune=FloatRange(0, 0.5), help="share of the input vector dropped in training"
    )
    dropout_hidden: float = setting(
        FloatRange(0, 0.99), default=0.0, tune=FloatRange(0, 0.7), help="share of each layer's output dropped in training"
    )
    dwell_slice: float | None = setting(
        FloatRange(0, above=True), default=None, help="each play is learned from once, and once more for every so much that it lasted"
    )
    dwell_unit: DwellUnit = setting(
        Choice(get_args(DwellUnit)), default="seconds", help='of dwell_slice: "seconds", or "ratio" of the song\'s median dwell'
    )
    shuffle: bool = setting(FLAG, default=True, help="sessions in an order drawn anew each epoch; else as they began")
    precision: Literal["float32", "bfloat16"] = setting(
        Choice(("float32", "bfloat16")), default="float32", help="of the products with the output table; bfloat16 is for a GPU"
    )

    def _check_together(self) -> None:
        if self.size is not None and self.input != "embedding":
            raise ArgumentError(f"size={self.size!r}: belongs to input='embedding'; None is allowed with {self.input!r}")
        super()._check_together()

    def _network(self, songs: int, size: int | None) -> RecurrentNetwork:
        size = size or self.size or self.hidden
        return RecurrentNetwork(songs, self.hidden, cell=self.cell, layers=self.layers, input=self.input, size=size)

    def _trainee(self, network: Any, sessions: Sessions) -> Trainee:
        config = TrainingConfig.of(self)
        if not can_compile(network, config):
            return super()._trainee(network, sessions)
        return CompiledTrainee(network, config, sessions, lambda epoch: self._order(sessions, epoch), self._lanes(sessions))

    def _lanes(self, sessions: Sessions) -> int:
        """Threads that compiled training runs on; one when sessions are few."""
        return min(self.workers or os.cpu_count() or 1, max(1, len(sessions) // (16 * self.batch_size)))

    def _identity(self, sessions: Sessions, *given: Any) -> dict[str, Any]:
        return super()._identity(sessions, *given) | {"lanes": self._lanes(sessions)}

    def _training_sessions(self, sessions: Sessions) -> Sessions:
        return sessions if self.dwell_slice is None else sliced_by_dwell(sessions, self.dwell_slice, self.dwell_unit)

    def _order(self, sessions: Sessions, epoch: int) -> Array:
        if self.shuffle:
            return super()._order(sessions, epoch)
        return np.arange(len(sessions)) if sessions.start is None else np.argsort(sessions.start, kind="stable")


def sliced_by_dwell(sessions: Sessions, size: float, unit: DwellUnit = "seconds") -> Sessions:
    """Sessions in which songs that were listened to for long count for more (Bogina and Kuflik 2017).

    A play of dwell d becomes floor(d / slice) + 1 plays in its place, at most 20; the last play of a session, and one whose dwell is
    not known, stays one. With slices of 60 seconds::

        songs  7   3    5        ->  7 7 3 3 3 5
        dwell  65. 130. (last)

    Only training sessions are sliced: targets that are copies of the song before are easy, and a score that counts them is no gain.

    Args:
        size: of a slice.
        unit: "seconds", or "ratio" of the song's usual dwell: the median of its plays, which stands for its length.

    Raises ArgumentError for sessions without dwell.
    """
    if sessions.dwell is None:
        raise ArgumentError("sessions: have no dwell, neither times nor played seconds; dwell_slice needs it")
    dwell = sessions.dwell.astype(np.float64)
    if unit == "ratio":
        lasted = pl.when(pl.col("dwell").is_not_nan() & (pl.col("dwell") > 0)).then("dwell")
        plays = pl.DataFrame({"song": sessions.songs, "dwell": dwell})
        dwell = plays.select(pl.col("dwell") / lasted.median().over("song")).to_series().to_numpy()
    dwell = np.nan_to_num(np.maximum(dwell, 0), posinf=0)
    dwell[sessions.offsets[1:][sessions.lengths > 0] - 1] = 0
    copies = np.minimum(np.floor(dwell / size).astype(np.int64) + 1, MOST)
    return replace(sessions.keep(plays=copies), dwell=None)
