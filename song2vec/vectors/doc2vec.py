"""Doc2vec: a playlist, or a listener, has a vector of its own beside those of its songs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.core.progress import progress_bar
from song2vec.core.settings import Choice, Configured, Real, Space, Whole
from song2vec.core.storage import Part, load_folder, save_folder, understood
from song2vec.sessions import Sessions
from song2vec.vectors.context import song_vectors
from song2vec.vectors.corpus_file import BATCH
from song2vec.vectors.song_vectors import SongVectors, unit_rows
from song2vec.vectors.training.documents import Documents, infer, train_documents
from song2vec.vectors.training.hyperparameters import Hyperparameters
from song2vec.vectors.training.songs import check_sessions, played
from song2vec.vectors.training.weights import Weights

KIND = "doc2vec"
_ALLOWED = {"algorithm": ("dbow", "dm"), "documents": ("sessions", "listeners")}


class Doc2Vec(Configured):
    """Vectors of songs and of playlists, or listeners, by hierarchical softmax (Le & Mikolov 2014, arXiv:1405.4053), trained by gensim.

    PV-DBOW: the document foretells each of its songs, and songs each other as in skip-gram (gensim's ``dbow_words``).
    PV-DM: the mean of the document and the songs around foretells a song.

    On radio playlists (yes.com) its songs' vectors foretell the next song about as well as word2vec's. A new playlist, though, is found by
    the plain mean of its songs (:class:`song2vec.SIF`) far better than by the vector that PV-DBOW infers, and by that of PV-DM
    no better than by chance (``benchmarks/bench_learners.py``).

    Args:
        algorithm: "dbow" or "dm".
        documents: "sessions", or "listeners" with all their sessions.
        window: songs before and after that count as context; "session" for all of the session.
        infer_epochs: passes over a new document; the fewer, the nearer its vector is to what all of its songs point at.
        size, context_weight, subsample, learning_rate, min_learning_rate, epochs, workers, seed, progress: as in
            :class:`song2vec.Word2Vec`.

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
        document_vectors_: SongVectors with a row for each session or listener that has played a song, by the session's number
            or the listener's id: ``Engine(doc2vec.document_vectors_).similar("ann")`` are listeners like Ann.
    """

    space: ClassVar[Space] = {
        "algorithm": Choice(("dbow", "dm")),
        "documents": Choice(("sessions", "listeners")),
        "size": Whole(32, 256, log=True),
        "window": Whole(1, 10),
        "context_weight": Real(0, 1),
        "learning_rate": Real(0.005, 0.1, log=True),
        "epochs": Whole(5, 60, log=True),
    }
    vectors_: SongVectors
    document_vectors_: SongVectors

    def __init__(
        self,
        *,
        algorithm: Literal["dbow", "dm"] = "dbow",
        documents: Literal["sessions", "listeners"] = "sessions",
        size: int = 128,
        window: int | Literal["session"] = 3,
        context_weight: float = 0.3,
        subsample: float = 1e-3,
        learning_rate: float = 0.025,
        min_learning_rate: float = 1e-4,
        epochs: int = 30,
        infer_epochs: int = 3,
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.algorithm = algorithm
        self.documents = documents
        self.size = size
        self.window = window
        self.context_weight = context_weight
        self.subsample = subsample
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.epochs = epochs
        self.infer_epochs = infer_epochs
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def fit(self, sessions: Sessions) -> Doc2Vec:
        """Learn vectors of the songs in ``sessions`` and of the documents; returns self.

        Raises ArgumentError for a hyperparameter outside its range, and for sessions of which none has two plays.
        """
        from song2vec.vectors.training.gensim_trainer import from_gensim, make_gensim  # gensim takes a second to import

        hyperparameters = self._checked()
        check_sessions("sessions", sessions)
        catalogue, plays, rows = played(sessions)
        document, documents = self._documents(sessions)
        fresh = Weights.fresh(catalogue, plays, self.size, hierarchical=True, seed=self.seed)
        model = make_gensim(hyperparameters, dm=int(self.algorithm == "dm"), dbow_words=1)
        rates = np.linspace(self.learning_rate, self.min_learning_rate, self.epochs + 1).tolist()
        with progress_bar("doc2vec", self.epochs, self.progress) as advance:
            for _ in train_documents(model, fresh, Documents(sessions, rows, document), list(pairwise(rates))):
                advance("")
        self.weights_ = from_gensim(model, fresh)
        self.document_vectors_ = SongVectors(model.dv.vectors, documents)
        self.vectors_ = song_vectors(self.weights_, self.context_weight)
        return self

    def infer(self, songs: Iterable[SongId], unknown: Unknown = "raise") -> Array:
        """The vector of a new document, (size,) float32, trained from nought with everything else as it is.

        Raises UnknownSongError for a song that training never heard; with ``unknown="skip"`` when it heard none of them.
        """
        rows = self._fitted().catalogue.rows(songs, unknown)
        if not len(rows):
            raise UnknownSongError("songs: none that training heard; at least one is needed")
        vector: Array = self._infer(rows, np.array([0, len(rows)]))[0]
        return vector

    def infer_sessions(self, sessions: Sessions) -> Array:
        """The same of many: (sessions, size) float32; songs that training never heard are left out.

        Raises UnknownSongError for a session of which it heard no song.
        """
        rows = sessions.catalogue.rows_in(self._fitted().catalogue)[sessions.songs]
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
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise ArgumentError(f"k={k!r}: a whole number from 1 is allowed")
        vector = unit_rows(self.infer(songs)[None])[0]
        cosines = self.document_vectors_.unit @ vector
        best = np.argsort(-cosines, kind="stable")[:k]
        return pl.DataFrame({"document": self.document_vectors_.catalogue.ids.gather(best), "cosine": cosines[best]})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as a folder (checksummed, atomic, no pickle)."""
        songs, documents = self._fitted().to_parts(), self.document_vectors_.to_parts()
        parts = songs | {f"document-{name}": part for name, part in documents.items()}
        return save_folder(path, KIND, parts | {"doc2vec": Part(meta={"settings": self.settings})})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Doc2Vec:
        """Load what :meth:`save` wrote. Raises SavedFolderError when it is corrupt or of another kind."""
        parts = load_folder(path, KIND)
        with understood(path):
            loaded = cls(**parts["doc2vec"].meta["settings"])
            loaded.weights_ = Weights.from_parts(parts)
            loaded.vectors_ = song_vectors(loaded.weights_, loaded.context_weight)
            documents = {name.removeprefix("document-"): part for name, part in parts.items() if name.startswith("document-")}
            loaded.document_vectors_ = SongVectors.from_parts(documents)
        return loaded

    def _checked(self) -> Hyperparameters:
        """What gensim is made with."""
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise ArgumentError(f"{name}={getattr(self, name)!r}: {' or '.join(map(repr, allowed))} is allowed")
        if isinstance(self.infer_epochs, bool) or not isinstance(self.infer_epochs, int | np.integer) or self.infer_epochs < 1:
            raise ArgumentError(f"infer_epochs={self.infer_epochs!r}: a whole number from 1 is allowed")
        own: dict[str, Any] = {name: value for name, value in self.settings.items() if name not in (*_ALLOWED, "infer_epochs")}
        hyperparameters = Hyperparameters(**own, algorithm="skip-gram", loss="hierarchical-softmax", backend="gensim")
        hyperparameters.check()
        return hyperparameters

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

    def _fitted(self) -> Weights:
        if not hasattr(self, "weights_"):
            raise ArgumentError("this Doc2Vec has learned nothing yet; call fit(sessions) first")
        return self.weights_
