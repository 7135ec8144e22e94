"""The plain recurrent network over playlists: every song of the catalogue in the softmax, gradients back through time."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from song2vec.core.errors import ArgumentError
from song2vec.core.settings import Choice, Real, Space, Whole, check_choice, check_real, check_whole
from song2vec.models.networks.rnn.cells import CELLS, RELU, Activation
from song2vec.models.networks.rnn.network import Shape
from song2vec.models.networks.rnn.recurrent import RecurrentModel
from song2vec.models.networks.rnn.task import Recipe
from song2vec.sessions import Sessions


class PlaylistRNN(RecurrentModel):
    """h_t = F(W x_t + U h_(t-1)), p(next = i) = softmax(V h_t)_i over all songs; cross-entropy, back-propagation through time.

    A step costs as much as the catalogue is large; with many songs GRU4Rec(cell="rnn"), which scores a sample of them, is
    the same network trained much sooner.

    Args:
        hidden: units.
        activation: F, "relu" or "tanh".
        input: "one-hot", a row of W for each song; "vectors", the song vectors given to ``fit`` through W.
        frozen: song vectors stay as they were given.
        epochs: passes over the sessions.
        batch_size: sessions side by side.
        bptt: steps that gradients go back through time.
        learning_rate, momentum: of Adagrad.
        dropout_hidden: share of the units dropped in training.
        patience: stop when recall@20 on the validation sessions has not risen for so many epochs.
        device: "cpu", "cuda", or another that torch has.
        workers: threads; None for as many as torch takes. The same seed gives the same bytes with one worker only.
        seed: of all randomness.
        progress: show a progress bar; None shows it on a terminal.
    """

    name = "playlist-rnn"
    space: ClassVar[Space] = {
        "hidden": Whole(32, 512, log=True),
        "activation": Choice(("relu", "tanh")),
        "batch_size": Whole(8, 128, log=True),
        "learning_rate": Real(0.005, 0.2, log=True),
        "dropout_hidden": Real(0.0, 0.5),
    }

    def __init__(
        self,
        *,
        hidden: int = 100,
        activation: Activation = "relu",
        input: Literal["one-hot", "vectors"] = "one-hot",
        frozen: bool = False,
        epochs: int = 10,
        batch_size: int = 16,
        bptt: int = 8,
        learning_rate: float = 0.05,
        momentum: float = 0.0,
        dropout_hidden: float = 0.0,
        patience: int | None = None,
        device: str = "cpu",
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.input = input
        self.frozen = frozen
        self.epochs = epochs
        self.batch_size = batch_size
        self.bptt = bptt
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.dropout_hidden = dropout_hidden
        self.patience = patience
        self.device = device
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def _shape(self, songs: int, size: int | None) -> Shape:
        cell = RELU if self.activation == "relu" else CELLS["rnn"]
        return Shape(songs, cell, self.hidden, 1, self.input, size or self.hidden)

    def _recipe(self, sessions: Sessions) -> Recipe:
        return Recipe(
            loss_name="cross-entropy",
            negatives=None,
            batch_size=self.batch_size,
            bptt=self.bptt,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            dropout_hidden=self.dropout_hidden,
            frozen=self.frozen,
            seed=self.seed,
        )

    def _check(self) -> None:
        check_choice(self, "activation", get_args(Activation))
        check_choice(self, "input", ("one-hot", "vectors"))
        check_choice(self, "frozen", (True, False))
        for name in ("hidden", "bptt"):
            check_whole(self, name, 1)
        check_real(self, "learning_rate", 0, above=True)
        for name in ("momentum", "dropout_hidden"):
            check_real(self, name, 0, 0.99)
        if self.frozen and self.input != "vectors":
            raise ArgumentError(f"frozen={self.frozen!r}: belongs to input='vectors'; False is allowed with {self.input!r}")
