"""Vectors of sessions, playlists and listeners: of their own beside those of the songs (doc2vec), or the mean of the songs' (SIF)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.config import Choice, FloatRange, IntRange, learned, setting
from song2vec.core.errors import UnknownSongError
from song2vec.core.estimator import Estimator
from song2vec.core.jit import jit
from song2vec.nn.trainer import Trainer
from song2vec.sessions import Sessions
from song2vec.vectors.learner import WHOLE, WINDOW, GradientLearner, Window
from song2vec.vectors.song_vectors import SongVectors, unit_rows
from song2vec.vectors.training.huffman import Tree
from song2vec.vectors.training.weights import Weights, check_plays, played
from song2vec.vectors.word2vec import Word2Vec

_LONGEST = 10_000  # songs each way when the window is the session, as gensim has it in training


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
    algorithm: Literal["dbow", "dm"] = setting(Choice(("dbow", "dm")), default="dbow", tune=True, help="what a document predicts")
    documents: Literal["sessions", "listeners"] = setting(
        Choice(("sessions", "listeners")), default="sessions", tune=True, help='"sessions", or "listeners" with all their sessions'
    )
    window: Window = setting(WINDOW, default=3, tune=IntRange(1, 10), help=f"songs before and after that count as context; {WHOLE}")
    infer_epochs: int = setting(
        IntRange(1), default=3, help="passes over a new document; the fewer, the nearer its vector is to what all of its songs point at"
    )
    document_vectors_: SongVectors = learned(SongVectors)
    weights_: Weights = learned(Weights)

    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions`` and of the documents; returns self. Raises ArgumentError where Word2Vec does."""
        from song2vec.vectors.training.by_gensim import GensimTrainee  # gensim takes a second to import

        self.check()
        check_plays("sessions", sessions)
        catalogue, plays, rows = played(sessions)
        document, documents = self._documents(sessions)
        own = {name: value for name, value in self.settings.items() if name not in ("algorithm", "documents", "infer_epochs")}
        fresh = Weights.fresh(catalogue, plays, self.size, hierarchical=True, seed=self.seed)
        trainee = GensimTrainee(sessions, rows, fresh, Word2Vec(**own), document, dm=self.algorithm == "dm")
        self.history_ = Trainer(trainee, name=self.name, epochs=self.epochs, progress=self.progress).run()
        self.weights_ = trainee.weights
        self.document_vectors_ = SongVectors(trainee.document_vectors, documents)
        self.vectors_ = self.weights_.song_vectors(self.context_weight)
        return self

    def infer(self, songs: Iterable[SongId], unknown: Unknown = "raise") -> Array:
        """The vector of a new document, (size,) float32, trained from nought with everything else as it is.

        Raises UnknownSongError for a song that training never saw; with ``unknown="skip"`` when it saw none of them.
        """
        self._check_fitted()
        rows = self.weights_.catalogue.rows(songs, unknown)
        if not len(rows):
            raise UnknownSongError("songs: none that training saw; at least one is needed")
        return self._infer(rows, np.array([0, len(rows)])).ravel()

    def infer_sessions(self, sessions: Sessions) -> Array:
        """The same of many, (sessions, size) float32, less songs never seen; raises UnknownSongError for a session of such songs alone."""
        self._check_fitted()
        return self._infer(*known_plays(sessions, self.weights_.catalogue))

    def similar_documents(self, songs: Iterable[SongId], k: int = 10) -> pl.DataFrame:
        """The k playlists most like a new one, or the listeners like one who plays these songs: their numbers or ids, and cosines.

        Raises UnknownSongError, and ArgumentError for a k below 1.
        """
        check_int("k", k)
        vector = unit_rows(self.infer(songs)[None])[0]
        cosines = self.document_vectors_.unit @ vector
        best = np.argsort(-cosines, kind="stable")[:k]
        return pl.DataFrame({"document": self.document_vectors_.catalogue.ids.gather(best), "cosine": cosines[best]})

    def _documents(self, sessions: Sessions) -> tuple[Array, Catalogue]:
        """Of each session the number of its document; and the documents, with how many plays each has."""
        of = np.arange(len(sessions)) if self.documents == "sessions" else sessions.listener
        numbers = np.unique(of[sessions.lengths > 0])
        plays = np.bincount(of, sessions.lengths).astype(np.int64)[numbers]
        ids = pl.Series(numbers) if self.documents == "sessions" else sessions.listeners.gather(numbers)
        return np.searchsorted(numbers, of), Catalogue(ids, plays)

    def _infer(self, rows: Array, offsets: Array) -> Array:
        """By a kernel of our own: gensim begins with a vector drawn by Python's hash of strings, which is another in every process."""
        weights, window = self.weights_, _LONGEST if self.window == "session" else int(self.window)
        inputs, outputs = (np.ascontiguousarray(matrix[:, : weights.size]) for matrix in (weights.inputs, weights.outputs))
        rates = np.linspace(self.learning_rate, self.min_learning_rate, self.infer_epochs).astype(np.float32)
        found = np.zeros((len(offsets) - 1, weights.size), np.float32)
        _infer(inputs, outputs, weights.tree, rows, offsets, window if self.algorithm == "dm" else 0, rates, found)
        return found


@jit
def _infer(inputs: Array, outputs: Array, tree: Tree, songs: Array, offsets: Array, window: int, rates: Array, found: Array) -> None:
    """Train ``found``, (documents, size) float32 zeros, every other weight held; document i is ``songs[offsets[i]:offsets[i + 1]]``.

    The mean of the document and ``window`` songs each way predicts a song (PV-DM); with 0 the document alone (PV-DBOW).
    """
    hidden, error = np.empty_like(found[0]), np.empty_like(found[0])
    for document in range(len(offsets) - 1):
        begin, end = offsets[document], offsets[document + 1]
        for rate in rates:
            for place in range(begin, end):
                hidden[:] = found[document]
                low, high = max(begin, place - window), min(end, place + window + 1)
                if window > 0:
                    for near in range(low, high):
                        if near != place:
                            hidden += inputs[songs[near]]
                    hidden /= np.float32(high - low)
                error[:] = 0
                above = tree.songs[songs[place]]
                while above >= 0:
                    node = outputs[above >> 1]
                    miss = np.float32(1 - (above & 1)) - np.float32(1) / (np.float32(1) + np.exp(-np.dot(hidden, node)))
                    error += miss * node
                    above = tree.nodes[above >> 1]
                found[document] += rate * error


class SIF(Estimator):
    """Smooth inverse frequency (Arora, Liang & Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings").

    A session is the mean over its plays of a / (a + p(song)) times the unit vector of the song, p its share of all plays, so
    that hits count less; then what it has in the direction that all sessions have most in common is taken out of it.
    ``SIF(a=None, components=0)`` is the plain mean, as :func:`song2vec.search.listeners.listener` has it for one listener; on radio
    playlists (yes.com) SIF does not surely find more than that (``benchmarks/bench_learners.py``).

    Attributes:
        weights_: (songs,) float32, a / (a + p) of each song of the vectors.
        components_: (components, size) float32, at right angles, of length 1.
    """

    name = kind = "sif"
    a: float | None = setting(
        FloatRange(0, above=True, also=(None,)), default=1e-3, help="the smaller, the less hits count; None weighs all plays alike"
    )
    components: int = setting(
        IntRange(0), default=1, help="so many first principal directions of the sessions are taken out, not centred; the paper takes one"
    )
    weights_: Array = learned()
    components_: Array = learned()
    _vectors: SongVectors = learned(SongVectors)

    def fit(self, sessions: Sessions, vectors: SongVectors) -> Self:
        """Learn from sessions how often songs are played and what all have in common; returns self.

        Raises ArgumentError for a setting outside its range; UnknownSongError when a session has no song with a vector.
        """
        self.check()
        check_int("components", self.components, 0, vectors.size - 1)
        rows = sessions.catalogue.rows_in(vectors.catalogue)[sessions.songs]
        share = np.bincount(rows[rows >= 0], minlength=len(vectors)) / max(1, sessions.plays)
        weights: Array = np.ones(len(vectors)) if self.a is None else self.a / (self.a + share)
        self.weights_, self._vectors = weights.astype(np.float32), vectors
        self.components_ = np.empty((0, vectors.size), np.float32)
        self.components_ = self._principal(self.vectors_of(sessions))
        return self

    def vectors_of(self, sessions: Sessions) -> Array:
        """(sessions, size) float32, less songs without a vector; raises UnknownSongError for a session of such songs alone."""
        self._check_fitted()
        return self._weighted(*known_plays(sessions, self._vectors.catalogue))

    def vector(self, songs: Iterable[SongId], unknown: Unknown = "raise") -> Array:
        """The vector of one session, (size,) float32; raises UnknownSongError for a song without one, or with "skip" when all are."""
        self._check_fitted()
        rows = self._vectors.catalogue.rows(songs, unknown)
        if not len(rows):
            raise UnknownSongError("songs: none that has a vector; at least one is needed")
        return self._weighted(rows, np.array([0, len(rows)])).ravel()

    def _weighted(self, rows: Array, offsets: Array) -> Array:
        """The means of these rows, less the components."""
        from scipy.sparse import csr_matrix

        shape = (len(offsets) - 1, len(self.weights_))
        plays: Any = csr_matrix((self.weights_[rows], rows, offsets), shape)  # a song played twice is added twice
        means = (plays @ self._vectors.unit) / np.diff(offsets)[:, None].astype(np.float32)
        less: Array = means - (means @ self.components_.T) @ self.components_
        return less.astype(np.float32, copy=False)

    def _principal(self, means: Array) -> Array:
        """The directions in which the means are longest, the longest first; of two signs that which most means have."""
        squares = means.astype(np.float64).T @ means
        directions = np.linalg.eigh(squares)[1].T[::-1][: self.components]
        sign = np.where(directions @ means.sum(axis=0, dtype=np.float64) < 0, -1.0, 1.0)
        return (directions * sign[:, None]).astype(np.float32)


def known_plays(sessions: Sessions, catalogue: Catalogue) -> tuple[Array, Array]:
    """Plays of songs in a catalogue: their rows there, and where each session begins; raises UnknownSongError for one with none."""
    rows = sessions.catalogue.rows_in(catalogue)[sessions.songs]
    offsets = np.concatenate([[0], np.cumsum(rows >= 0)])[sessions.offsets]
    empty = np.flatnonzero(np.diff(offsets) == 0)
    if len(empty):
        raise UnknownSongError(f"sessions: no song of session {empty[0]} has a vector; at least one is needed")
    return rows[rows >= 0], offsets
