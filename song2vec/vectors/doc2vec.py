"""Doc2vec: a playlist, or a listener, has a vector of its own beside those of its songs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.config import Choice, IntRange, learned, setting
from song2vec.core.errors import UnknownSongError
from song2vec.nn.trainer import Trainer
from song2vec.sessions import Sessions
from song2vec.vectors.context import song_vectors
from song2vec.vectors.corpus_file import BATCH
from song2vec.vectors.learner import WHOLE, WINDOW, GradientLearner, Window
from song2vec.vectors.song_vectors import SongVectors, unit_rows
from song2vec.vectors.training.documents import infer
from song2vec.vectors.training.songs import check_plays, played
from song2vec.vectors.training.weights import Weights
from song2vec.vectors.word2vec import Word2Vec


class Doc2Vec(GradientLearner):
    """Vectors of songs and of playlists, or listeners, by hierarchical softmax (Le & Mikolov 2014, arXiv:1405.4053), trained by gensim.

    PV-DBOW: the document predicts each of its songs, and songs each other as in skip-gram (gensim's ``dbow_words``).
    PV-DM: the mean of the document and the songs around predicts a song.

    On radio playlists (yes.com) its songs' vectors predict the next song about as well as word2vec's. A new playlist, though, is found by
    the plain mean of its songs (:class:`song2vec.SIF`) far better than by the vector that PV-DBOW infers, and by that of PV-DM
    no better than by chance (``benchmarks/bench_learners.py``).

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
        document_vectors_: SongVectors with a row for each session or listener that has played a song, by the session's number
            or the listener's id: ``Engine(doc2vec.document_vectors_).similar("ann")`` are listeners like Ann.
    """

    name = "doc2vec"
    algorithm: Literal["dbow", "dm"] = setting(
        Choice(("dbow", "dm")), default="dbow", tune=Choice(("dbow", "dm")), help="what a document predicts"
    )
    documents: Literal["sessions", "listeners"] = setting(
        Choice(("sessions", "listeners")),
        default="sessions",
        tune=Choice(("sessions", "listeners")),
        help='"sessions", or "listeners" with all their sessions',
    )
    window: Window = setting(WINDOW, default=3, tune=IntRange(1, 10), help=f"songs before and after that count as context; {WHOLE}")
    infer_epochs: int = setting(
        IntRange(1), default=3, help="passes over a new document; the fewer, the nearer its vector is to what all of its songs point at"
    )
    document_vectors_: SongVectors = learned(SongVectors)
    weights_: Weights = learned(Weights)

    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions`` and of the documents; returns self.

        Raises ArgumentError for a hyperparameter outside its range, and for sessions of which none has two plays.
        """
        from song2vec.vectors.training.document_trainee import DocumentTrainee  # gensim takes a second to import

        self.check()
        check_plays("sessions", sessions)
        catalogue, plays, rows = played(sessions)
        document, documents = self._documents(sessions)
        own = {name: value for name, value in self.settings.items() if name not in ("algorithm", "documents", "infer_epochs")}
        fresh = Weights.fresh(catalogue, plays, self.size, hierarchical=True, seed=self.seed)
        trainee = DocumentTrainee(sessions, rows, document, fresh, Word2Vec(**own), dm=self.algorithm == "dm")
        self.history_ = Trainer(trainee, name=self.name, epochs=self.epochs, progress=self.progress).run()
        self.weights_ = trainee.weights
        self.document_vectors_ = SongVectors(trainee.document_vectors, documents)
        self.vectors_ = song_vectors(self.weights_, self.context_weight)
        return self

    def infer(self, songs: Iterable[SongId], unknown: Unknown = "raise") -> Array:
        """The vector of a new document, (size,) float32, trained from nought with everything else as it is.

        Raises UnknownSongError for a song that training never heard; with ``unknown="skip"`` when it heard none of them.
        """
        rows = self._fitted_weights().catalogue.rows(songs, unknown)
        if not len(rows):
            raise UnknownSongError("songs: none that training heard; at least one is needed")
        vector: Array = self._infer(rows, np.array([0, len(rows)]))[0]
        return vector

    def infer_sessions(self, sessions: Sessions) -> Array:
        """The same of many: (sessions, size) float32; songs that training never heard are left out.

        Raises UnknownSongError for a session of which it heard no song.
        """
        rows = sessions.catalogue.rows_in(self._fitted_weights().catalogue)[sessions.songs]
        kept = np.concatenate([[0], np.cumsum(rows >= 0)])[sessions.offsets]
        empty = np.flatnonzero(np.diff(kept) == 0)
        if len(empty):
            raise UnknownSongError(f"sessions: of session {empty[0]} training heard no song; at least one is needed")
        return self._infer(rows[rows >= 0], kept)

    def similar_documents(self, songs: Iterable[SongId], k: int = 10) -> pl.DataFrame:
        """The k playlists most like a new one, or the listeners most like one who plays these songs.

        Returns:
            polars DataFrame of document (a session's number or a listener's id) and cosine, best first.

        Raises UnknownSongError, and ArgumentError for a k below 1.
        """
        check_int("k", k)
        vector = unit_rows(self.infer(songs)[None])[0]
        cosines = self.document_vectors_.unit @ vector
        best = np.argsort(-cosines, kind="stable")[:k]
        return pl.DataFrame({"document": self.document_vectors_.catalogue.ids.gather(best), "cosine": cosines[best]})

    def _fitted_weights(self) -> Weights:
        self._check_fitted()
        return self.weights_

    def _documents(self, sessions: Sessions) -> tuple[Array, Catalogue]:
        """Of each session the number of its document; and the documents, with how many plays each has."""
        of = np.arange(len(sessions)) if self.documents == "sessions" else sessions.listener
        numbers = np.unique(of[sessions.lengths > 0])
        plays = np.bincount(of, sessions.lengths).astype(np.int64)[numbers]
        ids = pl.Series(numbers) if self.documents == "sessions" else sessions.listeners.gather(numbers)
        return np.searchsorted(numbers, of), Catalogue(ids, plays)

    def _infer(self, rows: Array, offsets: Array) -> Array:
        rates = np.linspace(self.learning_rate, self.min_learning_rate, self.infer_epochs)
        window = BATCH if self.window == "session" else int(self.window)
        return infer(self.weights_, rows, offsets, window=window if self.algorithm == "dm" else 0, rates=rates)
