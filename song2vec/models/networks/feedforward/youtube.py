"""The candidate network of YouTube (Covington, Adams and Sargin 2016, doi:10.1145/2959100.2959190)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import torch

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.settings import Real, Space, Whole, check_choice, check_real, check_whole
from song2vec.models.networks.feedforward.context import AGES, Teller, ages
from song2vec.models.networks.feedforward.serving import Serving
from song2vec.models.networks.feedforward.steps import Pace
from song2vec.models.networks.feedforward.tower import Examples, Tower, TowerSteps
from song2vec.models.networks.feedforward.weights import Weights
from song2vec.nn.negatives import Negatives
from song2vec.sessions import Sessions


class CandidateNetwork(Serving):
    """The mean of the vectors of what was heard, that of a query's words, the time, other context and the example's age, through a
    tower of ReLU layers, give a user vector u.

    p(next = i) = softmax(v_i u + b_i), learned by a sampled softmax. The network serves through an index: of the songs in
    ``index()`` those nearest to ``user_vector(songs)`` have the highest scores.

    Engines and blends ask it without time and context; its own ``next`` and ``session`` take them.

    An example's age is how long before the end of the log it happened. Told of it in training and asked for age 0, the
    network foretells what is played at the end of the log, not on average over it (section 3.3 of the paper).

    Args:
        input: "embedding", a table of its own; "vectors", one that begins as the song vectors given to ``fit``.
        size: numbers in a song's input vector, for "embedding".
        frozen: song vectors stay as they were given.
        window: songs of the history that are averaged, the last so many; None for all.
        hidden: numbers in a user vector and a song's output vector.
        layers: of the tower; each has half the units of the one below it, the last ``hidden``.
        clock: tell the network hour and weekday (UTC) of the session's start, where the log has times.
        age: tell it the age of an example, where the log has times.
        context: columns of ``sessions.context`` whose values it is told, such as a country or a device.
        query: the column of ``sessions.context`` that holds what was searched for, if anything; its words have vectors of their own.
        n_negatives: negatives a step beside the other targets of the batch, shared by it.
        negative_exponent: negatives are drawn in proportion to plays**alpha: 0 all alike, 1 by popularity.
        logq: strength of the correction for how often songs are drawn; 0 to 1.
        epochs: passes over all plays that another follows.
        batch_size: plays in a step.
        learning_rate: of Adagrad.
        dropout_input: share of the mean vector dropped in training.
        patience: stop when recall@20 on the validation sessions has not risen for so many epochs.
        device: "cpu", "cuda", or another that torch has.
        workers: threads; None for as many as torch takes. The same seed gives the same bytes with one worker only.
        seed: of all randomness.
        progress: show a progress bar; None shows it on a terminal.
    """

    name = "youtube"
    network_: Tower
    _teller: Teller
    space: ClassVar[Space] = {
        "size": Whole(32, 256, log=True),
        "hidden": Whole(32, 256, log=True),
        "layers": Whole(1, 3),
        "batch_size": Whole(32, 256, log=True),
        "learning_rate": Real(0.01, 0.25, log=True),
        "dropout_input": Real(0.0, 0.6),
        "negative_exponent": Real(0.0, 1.0),
        "logq": Real(0.0, 1.0),
    }

    def __init__(
        self,
        *,
        input: Literal["embedding", "vectors"] = "embedding",
        size: int = 128,
        frozen: bool = False,
        window: int | None = None,
        hidden: int = 128,
        layers: int = 1,
        clock: bool = True,
        age: bool = True,
        context: Sequence[str] | None = None,
        query: str | None = None,
        n_negatives: int = 2048,
        negative_exponent: float = 0.5,
        logq: float = 1.0,
        epochs: int = 10,
        batch_size: int = 64,
        learning_rate: float = 0.1,
        dropout_input: float = 0.4,
        patience: int | None = None,
        device: str = "cpu",
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.input = input
        self.size = size
        self.frozen = frozen
        self.window = window
        self.hidden = hidden
        self.layers = layers
        self.clock = clock
        self.age = age
        self.context = context
        self.query = query
        self.n_negatives = n_negatives
        self.negative_exponent = negative_exponent
        self.logq = logq
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.dropout_input = dropout_input
        self.patience = patience
        self.device = device
        self.workers = workers
        self.seed = seed
        self.progress = progress

    @property
    def _columns(self) -> list[str]:
        """The columns of context that it is told."""
        return [*(self.context or ()), *([] if self.query is None else [self.query])]

    def _new_network(self, sessions: Sessions, device: torch.device) -> Weights:
        self._teller = Teller.learned(sessions, clock=self.clock, age=self.age, columns=self.context or (), query=self.query)
        return super()._new_network(sessions, device)

    def _check(self) -> None:
        check_choice(self, "input", ("embedding", "vectors"))
        for name in ("frozen", "clock", "age"):
            check_choice(self, name, (True, False))
        if not isinstance(self.context, list | tuple | None) or not all(isinstance(one, str) for one in self.context or ()):
            raise ArgumentError(f"context={self.context!r}: a list of columns of the sessions' context, or None, is allowed")
        if not isinstance(self.query, str | None):
            raise ArgumentError(f"query={self.query!r}: a column of the sessions' context, or None, is allowed")
        for name in ("size", "hidden", "layers"):
            check_whole(self, name, 1)
        check_whole(self, "window", 1, none=True)
        check_whole(self, "n_negatives", 0)
        check_real(self, "negative_exponent", 0)
        check_real(self, "learning_rate", 0, above=True)
        check_real(self, "logq", 0, 1)
        check_real(self, "dropout_input", 0, 0.99)
        if self.frozen and self.input != "vectors":
            raise ArgumentError(f"frozen={self.frozen!r}: belongs to input='vectors'; False is allowed with {self.input!r}")

    def _blank(self, songs: int, size: int | None, random: np.random.Generator, device: torch.device) -> Tower:
        told, words = self._teller.numbers, len(self._teller.words)
        return Tower(songs, size or self.size, told, self.hidden, self.layers, random, device, words=words)

    def _task(self, network: Tower, sessions: Sessions) -> TowerSteps:
        followed = np.setdiff1d(np.arange(sessions.plays), sessions.offsets[1:] - 1)
        if not len(followed):
            raise ArgumentError(f"sessions: none of {len(sessions):,} has two plays; at least one such session is needed")
        support = np.bincount(sessions.songs, minlength=len(sessions.catalogue))
        negatives = Negatives(support, self.negative_exponent, self.n_negatives, self.seed)
        pace = Pace(len(followed), self.batch_size, self.learning_rate, negatives, self.seed)
        age = ages(sessions.start, len(sessions))
        examples = Examples.of(sessions, followed, self.window, lambda which: self._told(sessions, which, age[which]))
        return TowerSteps(network, pace, examples, support, logq=self.logq, dropout=self.dropout_input, frozen=self.frozen)

    def _told(self, sessions: Sessions, which: Array, age: Array) -> tuple[Array, Array, Array]:
        return self._teller.tell(sessions, which, age), *self._teller.say(sessions, which)

    @torch.inference_mode()
    def _users(self, sessions: Sessions, plays: Array) -> torch.Tensor:
        """(n, hidden) after each of these plays, at the end of the training log: age 0."""

        def tell(which: Array) -> tuple[Array, Array, Array]:
            return self._told(sessions, which, np.zeros((len(which), AGES), np.float32))

        return self.network_.users(Examples.of(sessions, plays, self.window, tell))

    @torch.inference_mode()
    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        tables = self.network_.tables
        found = torch.addmm(tables["bias"][:, 0], self._users(sessions, plays), tables["output"].T)
        scores: Array = found.cpu().numpy()
        return scores

    def _arrays(self) -> dict[str, Array]:
        return {**super()._arrays(), "told_": np.frombuffer(json.dumps(vars(self._teller)).encode(), np.uint8)}

    def _restore_arrays(self, arrays: dict[str, Array]) -> None:
        self._teller = Teller(**json.loads(arrays.pop("told_").tobytes()))
        super()._restore_arrays(arrays)
