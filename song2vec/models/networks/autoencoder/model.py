"""Autoencoders over bags of songs (Kuchaiev and Ginsburg 2017, arXiv:1708.01715; Liang et al. 2018, arXiv:1802.05814)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.config import FLAG, Choice, FloatRange, IntRange, learned, setting
from song2vec.core.errors import UnknownSongError
from song2vec.models.base import NextSongModel, ranked
from song2vec.models.networks.autoencoder.network import Bags, Coder
from song2vec.models.networks.autoencoder.training import CoderTrainee
from song2vec.models.networks.base import NetworkModel
from song2vec.nn.trainer import Trainee
from song2vec.nn.training import TrainingConfig
from song2vec.sessions import Sessions

VARIANTS, OWNERS = Choice(("plain", "denoising", "variational")), Choice(("sessions", "listeners"))
FEW_SONGS = 20_000  # are scored all at every step, unless settings say otherwise
NEGATIVES = 4096
BLOCK = 256  # plays scored at once


class AutoEncoder(NetworkModel):
    """A bag of songs through a bottleneck, from which all of it is to be found again; songs without order or time.

    Maximises the sum over the songs i of a bag of log softmax(scores)_i. The bottleneck is the vector of a session or listener,
    the rows of the output table are the vectors of the songs (``vectors_``); without ``wide`` both lie in one space.

    A "plain" one sees the whole bag; "denoising" (Mult-DAE) a random part of it; "variational" (Mult-VAE) a part, and its code is
    drawn from a normal distribution held near the standard one, for which it pays with the divergence of the two.
    """

    name = "autoencoder"
    variant: Literal["plain", "denoising", "variational"] = setting(VARIANTS, default="denoising", tune=VARIANTS, help="see above")
    hidden: int = setting(IntRange(1), default=200, tune=IntRange(32, 400, log=True), help="numbers in the code")
    wide: int | None = setting(IntRange(1), default=None, help="units of a layer on either side of the code; None for none")
    dropout: float = setting(
        FloatRange(0, 0.99), default=0.5, tune=FloatRange(0, 0.8), help="share of the songs of a bag hidden in training, unless plain"
    )
    kl_weight: float = setting(
        FloatRange(0), default=0.2, tune=FloatRange(0, 1), help='what "variational" pays for the divergence of its codes, at most'
    )
    kl_epochs: int = setting(IntRange(0), default=5, help="that kl_weight takes to rise evenly from 0")
    refeed: bool = setting(
        FLAG, default=False, tune=FLAG, help="after each step learn once more from what came out, as input and as target"
    )
    bags: Literal["sessions", "listeners"] = setting(OWNERS, default="sessions", tune=OWNERS, help="whose songs a bag holds")
    repeats: bool = setting(
        FLAG, default=False, tune=FLAG, help="whether songs of the session may come again; else they score below all others"
    )
    n_negatives: int | None = setting(
        IntRange(0),
        default=None,
        help="songs drawn a step to be scored beside those of the batch; 0 scores every song; None does so up to 20,000 songs, "
        "and draws 4,096 of more",
    )
    negative_exponent: float = setting(FloatRange(0), default=0.5, help="songs are drawn by plays**this: 0 all alike, 1 by popularity")
    epochs: int = setting(IntRange(1), default=20, help="passes over all bags")
    batch_size: int = setting(IntRange(1), default=64, tune=IntRange(16, 256, log=True), help="bags in a step")
    network_: Coder = learned(saved=False)

    def encode(self, songs: Iterable[SongId]) -> Array:
        """The vector of whoever played these songs, (hidden,) float32: a variational one is the mean of its code.

        Raises UnknownSongError for a song that the model does not know, and without a song; ArgumentError before ``fit``.
        """
        catalogue = self._fitted()
        rows = catalogue.rows(songs)
        if not len(rows):
            raise UnknownSongError("songs: is empty; at least one song is needed")
        vector: Array = self.encode_sessions(Sessions.from_rows(catalogue, [rows]))[0]
        return vector

    @torch.inference_mode()
    def encode_sessions(self, sessions: Sessions) -> Array:
        """(sessions, hidden) float32: the vector of each of these sessions, over the songs the model was fitted to."""
        self.score(sessions, np.empty(0, np.int64))  # refuses other songs, and a model that has learned nothing
        code, _ = self.network_.code(self.network_.sums(Bags.of_owners(sessions, "sessions")))
        vectors: Array = code.cpu().numpy()
        return vectors

    def _network(self, songs: int, size: int | None) -> Coder:
        return Coder(songs, self.hidden, self.wide, self.variant == "variational")

    def _check_learnable(self, sessions: Sessions) -> None:
        """A song alone is a bag too, and all the more so with the other songs of its listener."""

    def _trainee(self, network: Any, sessions: Sessions) -> Trainee:
        negatives = self.n_negatives
        if negatives is None:
            negatives = NEGATIVES if network.songs > FEW_SONGS else 0
        return CoderTrainee(
            network,
            replace(TrainingConfig.of(self), n_negatives=negatives or None),
            Bags.of_owners(sessions, self.bags),
            np.bincount(sessions.songs, minlength=network.songs),
            dropout=0.0 if self.variant == "plain" else self.dropout,
            kl_weight=self.kl_weight,
            kl_epochs=self.kl_epochs,
            refeed=self.refeed,
        )

    @torch.inference_mode()
    def _outputs(self, sessions: Sessions, plays: Array) -> torch.Tensor:
        code, _ = self.network_.code(self.network_.sums(Bags.of_histories(sessions, plays)))
        return self.network_.decode(code)

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        scores = super()._scores(sessions, plays)
        if not self.repeats and len(plays):
            bags = Bags.of_histories(sessions, plays)
            below = np.ptp(scores, axis=1) + 1
            scores[bags.owner, bags.songs] -= below[bags.owner]
        return scores

    def score_blocks(self, sessions: Sessions, plays: Array) -> Iterator[tuple[Array, Array]]:
        return super().score_blocks(sessions, plays) if self.repeats else NextSongModel.score_blocks(self, sessions, plays)

    def _ranks(self, sessions: Sessions, plays: Array, targets: Array, cut_off: int) -> Array:
        if self.repeats:
            return super()._ranks(sessions, plays, targets, cut_off)
        blocks = np.split(plays, range(BLOCK, len(plays), BLOCK))
        return ranked(((some, self._scores(sessions, some)) for some in blocks), plays, targets, cut_off)
