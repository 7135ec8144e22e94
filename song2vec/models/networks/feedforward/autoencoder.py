"""Autoencoders over bags of songs (Kuchaiev and Ginsburg 2017, arXiv:1708.01715; Liang et al. 2018, arXiv:1802.05814)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, get_args

import numpy as np
import torch

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import UnknownSongError
from song2vec.core.settings import Choice, Real, Space, Whole, check_choice, check_real, check_whole
from song2vec.models.base import one_session
from song2vec.models.factors import USERS, Users
from song2vec.models.networks.feedforward.bags import Bags
from song2vec.models.networks.feedforward.coder import Coder, CoderSteps, Rules
from song2vec.models.networks.feedforward.model import FeedForwardModel
from song2vec.models.networks.feedforward.steps import Pace
from song2vec.nn.negatives import Negatives
from song2vec.sessions import Sessions

Kind = Literal["plain", "denoising", "variational"]
FEW_SONGS = 20_000  # are scored all at every step, unless told otherwise
SAMPLE = 4096


class AutoEncoder(FeedForwardModel):
    """A bag of songs through a bottleneck, from which all of it is to be found again; songs without order or time.

    Maximises the sum over the songs i of a bag of log softmax(scores)_i. The bottleneck is the vector of a session or listener,
    the rows of the output table are the vectors of the songs (``vectors_``); without ``wide`` both lie in one space.

    Args:
        kind: "plain" sees the whole bag; "denoising" (Mult-DAE) a random part of it; "variational" (Mult-VAE) a part, and
            its code is drawn from a normal distribution held near the standard one.
        hidden: numbers in the code.
        wide: units of a layer on either side of the code; None for none.
        dropout: share of the songs of a bag that "denoising" and "variational" do not see in training.
        kl_weight: what "variational" pays for the divergence of its codes, at most.
        kl_epochs: that it takes to rise to this evenly from 0.
        refeed: after each step learn once more from what came out, as input and as target ("dense re-feeding").
        users: a bag is one of the "sessions", or all those of one of the "listeners".
        repeats: whether songs heard in the session may come again; else they score below all others.
        n_negatives: songs drawn a step to be scored beside those of the batch; 0 scores every song at every step; None does so
            up to 20,000 songs and draws 4,096 of more, so that a step does not cost more in a larger catalogue.
        negative_exponent: songs are drawn in proportion to plays**alpha: 0 all alike, 1 by popularity.
        epochs: passes over all bags.
        batch_size: bags in a step.
        learning_rate: of Adagrad.
        patience: stop when recall@20 on the validation sessions has not risen for so many epochs.
        device: "cpu", "cuda", or another that torch has.
        workers: threads; None for as many as torch takes. The same seed gives the same bytes with one worker only.
        seed: of all randomness.
        progress: show a progress bar; None shows it on a terminal.
    """

    name = "autoencoder"
    network_: Coder
    space: ClassVar[Space] = {
        "kind": Choice(get_args(Kind)),
        "hidden": Whole(32, 400, log=True),
        "dropout": Real(0.0, 0.8),
        "kl_weight": Real(0.0, 1.0),
        "refeed": Choice((True, False)),
        "users": Choice(USERS),
        "repeats": Choice((True, False)),
        "batch_size": Whole(16, 256, log=True),
        "learning_rate": Real(0.01, 0.25, log=True),
    }

    def __init__(
        self,
        *,
        kind: Kind = "denoising",
        hidden: int = 200,
        wide: int | None = None,
        dropout: float = 0.5,
        kl_weight: float = 0.2,
        kl_epochs: int = 5,
        refeed: bool = False,
        users: Users = "sessions",
        repeats: bool = False,
        n_negatives: int | None = None,
        negative_exponent: float = 0.5,
        epochs: int = 20,
        batch_size: int = 64,
        learning_rate: float = 0.05,
        patience: int | None = None,
        device: str = "cpu",
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.kind = kind  # type: ignore[misc]
        self.hidden = hidden
        self.wide = wide
        self.dropout = dropout
        self.kl_weight = kl_weight
        self.kl_epochs = kl_epochs
        self.refeed = refeed
        self.users = users
        self.repeats = repeats
        self.n_negatives = n_negatives
        self.negative_exponent = negative_exponent
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.device = device
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def encode(self, songs: Iterable[SongId]) -> Array:
        """The vector of whoever played these songs, (hidden,) float32: a variational one is the mean of its code.

        Raises UnknownSongError for a song that the model does not know, and without a song; ArgumentError before ``fit``.
        """
        catalogue = self._fitted()
        rows = catalogue.rows(songs)
        if not len(rows):
            raise UnknownSongError("songs: is empty; at least one song is needed")
        vector: Array = self.encode_sessions(one_session(catalogue, rows))[0]
        return vector

    @torch.inference_mode()
    def encode_sessions(self, sessions: Sessions) -> Array:
        """(sessions, hidden) float32: the vector of each of these sessions, over the songs the model was fitted to."""
        self.score(sessions, np.empty(0, np.int64))  # refuses other songs, and a model that has learned nothing
        code, _ = self.network_.code(self.network_.summed(Bags.of_users(sessions, "sessions"))[0])
        vectors: Array = code.cpu().numpy()
        return vectors

    def _check(self) -> None:
        check_choice(self, "kind", get_args(Kind))
        check_choice(self, "users", USERS)
        for name in ("refeed", "repeats"):
            check_choice(self, name, (True, False))
        check_whole(self, "hidden", 1)
        check_whole(self, "wide", 1, none=True)
        check_whole(self, "kl_epochs", 0)
        check_whole(self, "n_negatives", 0, none=True)
        check_real(self, "dropout", 0, 0.99)
        for name in ("kl_weight", "negative_exponent"):
            check_real(self, name, 0)
        check_real(self, "learning_rate", 0, above=True)

    def _blank(self, songs: int, size: int | None, random: np.random.Generator, device: torch.device) -> Coder:
        return Coder(songs, self.hidden, self.wide, self.kind == "variational", random, device)

    def _task(self, network: Coder, sessions: Sessions) -> CoderSteps:
        bags = Bags.of_users(sessions, self.users)
        pace = Pace(len(bags), self.batch_size, self.learning_rate, self._negatives(sessions), self.seed)
        dropout = 0.0 if self.kind == "plain" else self.dropout
        rules = Rules(dropout, self.kl_weight, self.kl_epochs * -(-len(bags) // self.batch_size), self.refeed)
        return CoderSteps(network, pace, bags, rules)

    def _negatives(self, sessions: Sessions) -> Negatives | None:
        songs = len(sessions.catalogue)
        sample = (SAMPLE if songs > FEW_SONGS else 0) if self.n_negatives is None else self.n_negatives
        support = np.bincount(sessions.songs, minlength=songs)
        return Negatives(support, self.negative_exponent, sample, self.seed) if sample else None

    @torch.inference_mode()
    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        bags = Bags.of_histories(sessions, plays)
        scores: Array = self.network_.scores(bags).cpu().numpy()
        if not self.repeats and len(plays):
            below = np.ptp(scores, axis=1) + 1
            scores[bags.owner, bags.songs] -= below[bags.owner]
        return scores
