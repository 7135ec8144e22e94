"""The plain recurrent network over playlists: every song of the catalogue in the softmax, gradients back through time."""

from __future__ import annotations

from typing import Literal

from song2vec.core.config import FLAG, Choice, FloatRange, IntRange, setting
from song2vec.models.networks.recurrent.model import RecurrentModel
from song2vec.models.networks.recurrent.network import RecurrentNetwork


class PlaylistRNN(RecurrentModel):
    """h_t = F(W x_t + U h_(t-1)), p(next = i) = softmax(V h_t)_i over all songs; cross-entropy, back-propagation through time.

    A step costs as much as the catalogue is large; with many songs GRU4Rec(cell="rnn"), which scores a sample of them, is
    the same network trained much sooner.
    """

    name = "playlist-rnn"
    hidden: int = setting(IntRange(1), default=100, tune=IntRange(32, 512, log=True), help="units")
    activation: Literal["relu", "tanh"] = setting(
        Choice(("relu", "tanh")), default="relu", tune=Choice(("relu", "tanh")), help="of the hidden units, F above"
    )
    input: Literal["one-hot", "vectors"] = setting(
        Choice(("one-hot", "vectors")),
        default="one-hot",
        help='"one-hot", a row of W for each song; "vectors", the song vectors given to fit through W',
    )
    frozen: bool = setting(FLAG, default=False, help="song vectors stay as they were given")
    batch_size: int = setting(IntRange(1), default=16, tune=IntRange(8, 128, log=True), help="sessions side by side")
    bptt: int = setting(IntRange(1), default=8, help="steps that gradients go back through time")
    momentum: float = setting(FloatRange(0, 0.99), default=0.0, help="of Adagrad")
    learning_rate: float = setting(FloatRange(0, above=True), default=0.05, tune=FloatRange(0.005, 0.2, log=True), help="of Adagrad")

    def _network(self, songs: int, size: int | None) -> RecurrentNetwork:
        cell: Literal["relu", "rnn"] = "relu" if self.activation == "relu" else "rnn"
        return RecurrentNetwork(songs, self.hidden, cell=cell, input=self.input, size=size or self.hidden)
