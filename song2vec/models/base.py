"""The contract of every next-song model: sessions in, scores of all songs out.

A query is a play of a session: what was played up to it, that play included, is the history, and every song of the
catalogue gets a score for coming next. Of the session 7 3 3 5, the play at position 2 asks "what follows 7 3 3?".
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Self

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array, FloatArray
from song2vec.core.checks import check_int, named_options
from song2vec.core.config import learned
from song2vec.core.errors import ArgumentError
from song2vec.core.estimator import Estimator
from song2vec.core.jit import compile_seconds
from song2vec.core.registry import Registry
from song2vec.models.live import LiveSession, SessionState
from song2vec.models.songs import best_songs, played_rows
from song2vec.search.listeners import Listener, check_listener
from song2vec.sessions import Sessions, check_sessions

BLOCK_BYTES = 16 * 2**20  # scores held at once: 69 queries of 60,000 songs, 4 of a million; larger blocks cost page faults


class NextSongModel(Estimator):
    """Says which song comes next.

    A subclass names itself, declares its settings and what it learns, learns in ``_fit`` and scores in ``_scores``. A higher
    score is a better song; songs of equal score are not told apart, which evaluation counts against the model.

    Attributes:
        catalogue_: the songs of the sessions it was fitted to; it scores these and no others.
        fit_seconds_: how long ``fit`` took, compiling not counted; None for a model that was loaded.
    """

    kind = "next-song model"
    catalogue_: Catalogue = learned(Catalogue)
    fit_seconds_: float | None = learned(saved=False, default=None)

    @classmethod
    def registry(cls) -> Registry[NextSongModel]:
        """All next-song models by name."""
        return MODELS

    @abstractmethod
    def _fit(self, sessions: Sessions) -> None:
        """Learn from the sessions; ``catalogue_`` is there afterwards."""

    @abstractmethod
    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        """(n, songs) float32 finite scores of every song as the next after each of n plays of sessions over ``catalogue_``.

        What comes after a play, and every other session, must not matter for its scores.
        """

    def fit(self, sessions: Sessions) -> Self:
        """Learn from sessions; returns self. Raises ArgumentError for a setting out of range, and when there is no play in them."""
        with self._fitting(sessions):
            self._fit(sessions)
        return self

    @contextmanager
    def _fitting(self, sessions: Sessions) -> Iterator[None]:
        """Checks before ``fit`` learns, and what is the same for all after it."""
        check_sessions(sessions)
        if not sessions.plays:
            raise ArgumentError("sessions: hold no play; at least one is needed")
        self.check()
        began = perf_counter() - compile_seconds()
        yield
        self.catalogue_, self.fit_seconds_ = sessions.catalogue, max(1e-9, perf_counter() - compile_seconds() - began)

    def score(self, sessions: Sessions, plays: Array) -> FloatArray:
        """Scores of every song as the next after some plays.

        Args:
            sessions: over the songs the model was fitted to, as a split makes them.
            plays: (n,) positions in ``sessions.songs``.

        Returns:
            (n, songs) float32, higher is better, in row order of the catalogue.

        Raises ArgumentError before ``fit``, for sessions over another catalogue, and for a position that is not there.
        """
        if self._fitted() != sessions.catalogue:
            raise ArgumentError("sessions: are over other songs than this model was fitted to; a split gives both parts the same")
        plays = np.asarray(plays, np.int64)
        if len(plays) and not 0 <= plays.min() <= plays.max() < sessions.plays:
            raise ArgumentError(f"plays: positions from {plays.min()} to {plays.max()}; 0 to {sessions.plays - 1} are there")
        return self._scores(sessions, plays)

    def score_blocks(self, sessions: Sessions, plays: Array) -> Iterator[tuple[Array, Array]]:
        """(plays, scores) of some of these plays after others, in any order, until all are scored; memory stays bounded.

        A model that carries a state from play to play overrides this to walk many sessions side by side.
        """
        for start in range(0, len(plays), self.block):
            block = plays[start : start + self.block]
            yield block, self.score(sessions, block)

    def ranks(self, sessions: Sessions, plays: Array, targets: Array, cut_off: int) -> Array:
        """Ranks of the right songs, as far as they matter: songs scored as high or higher; 1 is best.

        Args:
            plays: (n,) positions in ``sessions.songs``, each once, rising.
            targets: (n,) rows of the right songs.
            cut_off: the highest rank of interest.

        Returns:
            (n,) int32; ``cut_off`` + 1 stands for any rank beyond, 0 says that a score is not finite.
        """
        return ranked(self.score_blocks(sessions, plays), plays, targets, cut_off)

    @property
    def takes_vectors(self) -> bool:
        """Whether it begins with song vectors made elsewhere: ``fit(sessions, vectors=...)``."""
        return False

    @property
    def block(self) -> int:
        """How many queries are scored at once."""
        return max(1, BLOCK_BYTES // (4 * len(self._fitted())))

    def knows(self, listener: SongId | None) -> bool:
        """Whether it has learned anything of this listener."""
        return False

    def with_history(self, sessions: Sessions) -> Self:
        """This model for somebody who played these sessions before, over its own songs and oldest first: sessions of nobody go on from
        there. Itself where they say nothing to it."""
        return self

    def personal(self, listener: SongId | Listener | None) -> tuple[Self, SongId | None]:
        """The model to ask for a listener, and whose sessions it is asked about.

        A listener is one it learned from, by id, or anybody, by what they played: :func:`song2vec.listener`. Raises ArgumentError for
        an id that it did not learn from, and before ``fit``.
        """
        catalogue = self._fitted()
        check_listener(listener)
        if isinstance(listener, Listener):
            return self.with_history(listener.sessions_over(catalogue)), None
        if listener is not None and not self.knows(listener):
            raise ArgumentError(
                f"listener={listener!r}: {self.name} learned nothing of them; listeners it learned from, or a Listener made of what "
                "they played, are allowed"
            )
        return self, listener

    def next(
        self,
        songs: Iterable[SongId],
        k: int = 10,
        *,
        listener: SongId | Listener | None = None,
        exclude: Iterable[SongId] = (),
        unknown: Unknown = "raise",
    ) -> pl.DataFrame:
        """The k songs most likely to come next in a session.

        Args:
            songs: what was played so far, in order, at least one song.
            listener: whose session it is: see :meth:`personal`.
            exclude: songs never to return, among them any that it does not know; what was played may come again, as songs do.
            unknown: "skip" leaves out songs that training never saw.

        Returns:
            polars DataFrame of song, artist, title (where known) and score, best first, ties by popularity.

        Raises UnknownSongError, and ArgumentError for a k below 1 and before ``fit``.
        """
        catalogue = self._fitted()
        check_int("k", k)
        model, whose = self.personal(listener)
        return best_songs(catalogue, model.score_after(songs, unknown, listener=whose), k, exclude)

    def score_after(self, songs: Iterable[SongId], unknown: Unknown = "raise", *, listener: SongId | None = None) -> FloatArray:
        """(songs of the catalogue,) float32 scores of every song as the next after these of a listener, in row order.

        Raises UnknownSongError, and ArgumentError before ``fit``.
        """
        catalogue = self._fitted()
        rows = played_rows(catalogue, songs, unknown)
        scores: FloatArray = self.score(Sessions.from_rows(catalogue, [rows], listener), np.array([len(rows) - 1]))[0]
        return scores

    def session(self, listener: SongId | None = None) -> LiveSession:
        """A session that goes on: ``listen`` to songs, ask for the ``next``. Raises ArgumentError before ``fit``.

        Args:
            listener: whose session it is, for models that know listeners.
        """
        self._fitted()
        return LiveSession(self, listener)

    def load_session(self, path: str | os.PathLike[str]) -> LiveSession:
        """A live session that its ``save`` wrote, of this model or of another, such as one trained since: where states are not this
        model's own, the songs are played anew.

        Raises SavedFolderError when it is corrupt or of another kind, UnknownSongError for a song that this model does not know,
        and ArgumentError before ``fit``.
        """
        self._fitted()
        state = SessionState.load(path)
        return self.session(state.listener).resume(state)

    def _fitted(self) -> Catalogue:
        self._check_fitted()
        return self.catalogue_


def ranked(blocks: Iterable[tuple[Array, Array]], plays: Array, targets: Array, cut_off: int) -> Array:
    """Ranks as :meth:`NextSongModel.ranks` has them, from the scores of ``plays`` block by block."""
    ranks = np.zeros(len(plays), np.int32)
    for some, scores in blocks:
        where = np.searchsorted(plays, some)
        ahead = (scores >= scores[np.arange(len(some)), targets[where]][:, None]).sum(1)
        ranks[where] = np.minimum(ahead, cut_off + 1) * np.isfinite(scores).all(1)
    return ranks


MODELS: Registry[NextSongModel] = Registry(
    "model",
    {
        "popularity": "models.popularity:Popularity",
        "recent-popularity": "models.popularity:RecentPopularity",
        "session-popularity": "models.popularity:SessionPopularity",
        "repeat-last": "models.popularity:RepeatLast",
        "artist-popularity": "models.popularity:ArtistPopularity",
        "markov": "models.rules:MarkovChain",
        "ar": "models.rules:AssociationRules",
        "sr": "models.rules:SequentialRules",
        "item-knn": "models.rules:ItemKNN",
        "sknn": "models.neighbours:SKNN",
        "vsknn": "models.neighbours:VSKNN",
        "stan": "models.neighbours:STAN",
        "vstan": "models.neighbours:VSTAN",
        "als": "models.factors:ALS",
        "bpr": "models.factors:BPR",
        "nearest": "models.nearest:Nearest",
        "ratings": "models.rated:RatedSongs",
        "gru4rec": "models.networks.gru4rec.model:GRU4Rec",
        "playlist-rnn": "models.networks.playlist_rnn:PlaylistRNN",
        "hrnn": "models.networks.hrnn:HRNN",
        "youtube": "models.networks.candidates.model:CandidateNetwork",
        "autoencoder": "models.networks.autoencoder.model:AutoEncoder",
        "blend": "models.blend:Blend",
    },
)


@named_options
def make_model(name: str, settings: Mapping[str, Any] | None = None) -> NextSongModel:
    """A model by its name in ``MODELS``. Raises ArgumentError for an unknown name or setting, with the nearest known one."""
    return MODELS.make(name, settings)
