"""The candidate network of YouTube (Covington, Adams and Sargin 2016, doi:10.1145/2959100.2959190)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import numpy as np
import polars as pl
import torch

from song2vec.catalogue import SongId, Unknown
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.config import FLAG, Choice, FloatRange, IntRange, Text, learned, setting
from song2vec.models.live import LiveSession
from song2vec.models.networks.base import NetworkModel
from song2vec.models.networks.candidates.context import ContextEncoder, ContextSession, ages, known_of, with_known
from song2vec.models.networks.candidates.network import Examples, Tower, TowerTrainee
from song2vec.models.networks.recurrent.output_index import longer_rows
from song2vec.models.songs import best_songs, played_rows
from song2vec.nn.module import SongNetwork, with_ones
from song2vec.nn.trainer import Trainee
from song2vec.nn.training import TrainingConfig
from song2vec.search import SongIndex, make_index
from song2vec.search.listeners import Listener
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors


class CandidateNetwork(NetworkModel):
    """The mean of the vectors of what was played, that of a query's words, the time, other context and the example's age, through a
    tower of ReLU layers, give a user vector u.

    p(next = i) = softmax(v_i u + b_i), learned by a sampled softmax. The network serves through an index: of the songs in
    ``index()`` those nearest to ``user_vector(songs)`` have the highest scores.

    Engines and blends ask it without time and context; its own ``next`` and ``session`` take them.

    An example's age is how long before the end of the log it happened. Trained with it and asked for age 0, the network predicts
    what is played at the end of the log, not on average over it (section 3.3 of the paper).
    """

    name = "youtube"
    input: Literal["embedding", "vectors"] = setting(
        Choice(("embedding", "vectors")), default="embedding", help="a table of its own, or one that begins as the vectors given to fit"
    )
    size: int = setting(
        IntRange(1), default=128, tune=IntRange(32, 256, log=True), help='numbers in a song\'s input vector, for "embedding"'
    )
    frozen: bool = setting(FLAG, default=False, help="song vectors stay as they were given")
    window: int | None = setting(IntRange(1), default=None, help="songs of the history that are averaged, the last so many; None for all")
    hidden: int = setting(
        IntRange(1), default=128, tune=IntRange(32, 256, log=True), help="numbers in a user vector and a song's output vector"
    )
    layers: int = setting(
        IntRange(1), default=1, tune=IntRange(1, 3), help="of the tower; each has half the units of the one below it, the last ``hidden``"
    )
    clock: bool = setting(FLAG, default=True, help="features: hour and weekday (UTC) of the session's start, where the log has times")
    age: bool = setting(FLAG, default=True, help="feature: the age of an example, where the log has times")
    context: Sequence[str] | None = setting(
        Text(several=True), default=None, help="features: columns of ``sessions.context``, such as a country or a device"
    )
    query: str | None = setting(
        Text(),
        default=None,
        help="the column of ``sessions.context`` that holds what was searched for, if anything; its words have vectors of their own",
    )
    n_negatives: int = setting(IntRange(0), default=2048, help="songs drawn a step, which all of a batch are scored against")
    negative_exponent: float = setting(
        FloatRange(0), default=0.5, tune=FloatRange(0, 1), help="negatives are drawn by plays**this: 0 all alike, 1 by popularity"
    )
    logq: float = setting(
        FloatRange(0, 1), default=1.0, tune=FloatRange(0, 1), help="strength of the correction for how often songs are drawn"
    )
    dropout_input: float = setting(
        FloatRange(0, 0.99), default=0.4, tune=FloatRange(0, 0.6), help="share of the mean vector dropped in training"
    )
    batch_size: int = setting(IntRange(1), default=64, tune=IntRange(32, 256, log=True), help="plays in a step")
    learning_rate: float = setting(FloatRange(0, above=True), default=0.1, tune=FloatRange(0.01, 0.25, log=True), help="of Adagrad")
    encoder_: ContextEncoder = learned(ContextEncoder)
    network_: Tower = learned(saved=False)

    def next(
        self,
        songs: Iterable[SongId],
        k: int = 10,
        *,
        listener: SongId | Listener | None = None,
        exclude: Iterable[SongId] = (),
        unknown: Unknown = "raise",
        at: datetime | int | None = None,
        context: Mapping[str, str | None] | None = None,
    ) -> pl.DataFrame:
        """The k songs most likely to come next, as :meth:`NextSongModel.next` has it.

        Args:
            at: when the session began, epoch seconds or a datetime; None where it is not known.
            context: what is known of the session by column, its query among them: ``{"country": "SE", "query": "sad piano"}``.
                A value that training did not see says nothing.

        Raises UnknownSongError, and ArgumentError for a k below 1, a column the model has not learned from, and before ``fit``.
        """
        catalogue = self._fitted()
        check_int("k", k)
        model, whose = self.personal(listener)
        return best_songs(catalogue, model.score_after(songs, unknown, listener=whose, at=at, context=context), k, exclude)

    def score_after(
        self,
        songs: Iterable[SongId],
        unknown: Unknown = "raise",
        *,
        listener: SongId | None = None,
        at: datetime | int | None = None,
        context: Mapping[str, str | None] | None = None,
    ) -> Array:
        """(songs of the catalogue,) float32 scores of every song as the next; arguments and errors are those of :meth:`next`."""
        session = self._one(songs, unknown, at, context)
        scores: Array = self.score(session, np.array([session.plays - 1]))[0]
        return scores

    def session(
        self, listener: SongId | None = None, *, at: datetime | int | None = None, context: Mapping[str, str | None] | None = None
    ) -> LiveSession:
        """A session that goes on, with what is known of it: see :meth:`next`."""
        self._fitted()
        return ContextSession(self, listener, known_of(at, context, self._columns), self._columns)

    def user_vector(
        self, songs: Iterable[SongId], at: datetime | int | None = None, context: Mapping[str, str | None] | None = None
    ) -> Array:
        """What :meth:`index` is to be searched for after these songs: (hidden + 2,) float32.

        Args:
            songs: what was played so far, in order, at least one.
            at, context: see :meth:`next`.

        Raises UnknownSongError for a song that the model does not know, and without a song; ArgumentError as :meth:`next`.
        """
        session = self._one(songs, "raise", at, context)
        vector: Array = self.user_vectors(session, np.array([session.plays - 1]))[0]
        return vector

    def user_vectors(self, sessions: Sessions, plays: Array) -> Array:
        """The user vectors after some plays, (n, hidden + 2) float32: u, 1 for the bias, and 0 for what evens lengths out."""
        found: Array = with_ones(self._outputs(sessions, np.asarray(plays, np.int64))).cpu().numpy()
        return np.pad(found, ((0, 0), (0, 1)))

    def index(self, kind: str | SongIndex = "annoy") -> SongIndex:
        """An index of the songs in which the cosine with a user vector orders them as the scores do.

        Each song is (v, b, r), r such that all have one length (Bachrach et al. 2014, doi:10.1145/2645710.2645741).
        ``model.index().search(model.user_vector(songs), 10).rows`` are rows of ``model.catalogue_``.

        Args:
            kind: as :func:`song2vec.search.make_index` takes it; "exact" misses nothing.

        Raises ArgumentError before ``fit`` and for an unknown kind.
        """
        catalogue = self._fitted()
        return make_index(kind, SongVectors(longer_rows(self.network_.scored().cpu().numpy()), catalogue), self.seed)

    @property
    def _columns(self) -> list[str]:
        """The columns of context that are features or a query."""
        return [*(self.context or ()), *([] if self.query is None else [self.query])]

    def _one(
        self, songs: Iterable[SongId], unknown: Unknown, at: datetime | int | None, context: Mapping[str, str | None] | None
    ) -> Sessions:
        """One session of these songs, with what is known of it."""
        catalogue = self._fitted()
        session = Sessions.from_rows(catalogue, [played_rows(catalogue, songs, unknown)])
        return with_known(session, **known_of(at, context, self._columns))

    def _new_network(self, sessions: Sessions, vectors: SongVectors | None) -> SongNetwork:
        columns = self.context or ()
        self.encoder_ = ContextEncoder.learned(sessions, clock=self.clock, age=self.age, columns=columns, query=self.query)
        return super()._new_network(sessions, vectors)

    def _network(self, songs: int, size: int | None) -> Tower:
        encoder = self.encoder_
        return Tower(songs, size or self.size, encoder.size, self.hidden, self.layers, words=len(encoder.words))

    def _trainee(self, network: Any, sessions: Sessions) -> Trainee:
        followed = np.setdiff1d(np.arange(sessions.plays), sessions.offsets[1:] - 1)
        examples = Examples.of(sessions, followed, self.window, self.encoder_, ages(sessions.start, len(sessions)))
        return TowerTrainee(network, TrainingConfig.of(self), examples)

    @torch.inference_mode()
    def _outputs(self, sessions: Sessions, plays: Array) -> torch.Tensor:
        """User vectors at the end of the training log: age 0."""
        return self.network_.users(Examples.of(sessions, plays, self.window, self.encoder_))
