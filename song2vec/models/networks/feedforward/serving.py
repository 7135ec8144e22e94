"""What a candidate network offers in use: recommendations that know more than the songs, and vectors to search an index for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime

import numpy as np
import polars as pl
import torch

from song2vec.catalogue import SongId, Unknown
from song2vec.core.arrays import Array
from song2vec.models.base import heard_rows, one_session
from song2vec.models.best import best_songs, check_k
from song2vec.models.live import LiveSession
from song2vec.models.networks.feedforward.model import FeedForwardModel
from song2vec.models.networks.feedforward.told import Told, ToldSession
from song2vec.models.networks.recurrent.output_index import longer_rows
from song2vec.search import SongIndex, make_index
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors


class Serving(FeedForwardModel):
    """A network that makes one vector of a session, its time and its context."""

    seed: int

    @property
    @abstractmethod
    def _columns(self) -> list[str]:
        """The columns of context that it is told."""

    @abstractmethod
    def _users(self, sessions: Sessions, plays: Array) -> torch.Tensor:
        """(n, hidden) after each of these plays."""

    def next(
        self,
        songs: Iterable[SongId],
        k: int = 10,
        *,
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

        Raises UnknownSongError, and ArgumentError for a k below 1, a column the model was not told of, and before ``fit``.
        """
        catalogue = self._fitted()
        check_k(k)
        return best_songs(catalogue, self.score_after(songs, unknown, at=at, context=context), k, exclude)

    def score_after(
        self,
        songs: Iterable[SongId],
        unknown: Unknown = "raise",
        *,
        at: datetime | int | None = None,
        context: Mapping[str, str | None] | None = None,
    ) -> Array:
        """(songs of the catalogue,) float32 scores of every song as the next; arguments and errors are those of :meth:`next`."""
        session = self._one(songs, unknown, at, context)
        scores: Array = self.score(session, np.array([session.plays - 1]))[0]
        return scores

    def session(
        self,
        listener: SongId | None = None,
        *,
        at: datetime | int | None = None,
        context: Mapping[str, str | None] | None = None,
    ) -> LiveSession:
        """A session that goes on, with what is known of it: see :meth:`next`."""
        self._fitted()
        return ToldSession(self, listener, Told.of(at, context, self._columns), self._columns)

    def user_vector(
        self, songs: Iterable[SongId], at: datetime | int | None = None, context: Mapping[str, str | None] | None = None
    ) -> Array:
        """What :meth:`index` is to be searched for after these songs: (hidden + 2,) float32.

        Args:
            songs: what was heard so far, in order, at least one.
            at, context: see :meth:`next`.

        Raises UnknownSongError for a song that the model does not know, and without a song; ArgumentError as :meth:`next`.
        """
        session = self._one(songs, "raise", at, context)
        vector: Array = self.user_vectors(session, np.array([session.plays - 1]))[0]
        return vector

    def user_vectors(self, sessions: Sessions, plays: Array) -> Array:
        """The user vectors after some plays, (n, hidden + 2) float32: u, 1 for the bias, and 0 for what evens lengths out."""
        found = self._users(sessions, np.asarray(plays, np.int64)).cpu().numpy()
        return np.column_stack([found, np.ones(len(found), np.float32), np.zeros(len(found), np.float32)])

    def index(self, kind: str | SongIndex = "annoy") -> SongIndex:
        """An index of the songs in which the cosine with a user vector orders them as the scores do.

        Each song is (v, b, r), r such that all have one length (Bachrach et al. 2014, doi:10.1145/2645710.2645741).
        ``model.index().search(model.user_vector(songs), 10).rows`` are rows of ``model.catalogue_``.

        Args:
            kind: as :func:`song2vec.search.make_index` takes it; "exact" misses nothing.

        Raises ArgumentError before ``fit`` and for an unknown kind.
        """
        catalogue, tables = self._fitted(), self.network_.tables
        rows = torch.cat([tables["output"], tables["bias"]], 1).cpu().numpy()
        return make_index(kind, SongVectors(longer_rows(rows), catalogue), self.seed)

    def _one(
        self, songs: Iterable[SongId], unknown: Unknown, at: datetime | int | None, context: Mapping[str, str | None] | None
    ) -> Sessions:
        """One session of these songs, with what is known of it."""
        catalogue = self._fitted()
        session = one_session(catalogue, heard_rows(catalogue, songs, unknown))
        return Told.of(at, context, self._columns).tell(session)
