"""Matrix factorisation of who played what: sessions or listeners times songs, without order or time."""

from __future__ import annotations

from abc import abstractmethod
from importlib import import_module
from typing import Any, Literal

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.config import SEED, Choice, FloatRange, IntRange, learned, setting
from song2vec.core.errors import MissingExtraError
from song2vec.core.jit import jit
from song2vec.core.random import generator
from song2vec.models.base import NextSongModel
from song2vec.models.songs import histories
from song2vec.search.scoring import inner_products
from song2vec.sessions import Sessions

_FEW_PLAYS = 20_000  # are trained on before a second thread has woken


class Factorisation(NextSongModel):
    """Scores songs by the inner product of their factors with the session's, which are found from the songs it has played.

    Training needs the ``implicit`` package; a model that was fitted or loaded does without it.

    Attributes:
        factors_: (m, numbers) float32, zeros for songs that training never plays.
    """

    size: int = setting(IntRange(1), default=128, tune=IntRange(16, 256, log=True), help="numbers in a factor")
    listeners: Literal["sessions", "listeners"] = setting(
        Choice(("sessions", "listeners")),
        default="sessions",
        tune=Choice(("sessions", "listeners")),
        help="whose plays count as one listener's: a session's, or those of all sessions of a listener",
    )
    seed: int = setting(SEED, default=0, help="of all randomness")
    factors_: Array = learned()

    @abstractmethod
    def _folded_in(self, sessions: Sessions, begin: Array, end: Array) -> Array:
        """(n, numbers) float32 factors of n histories."""

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return inner_products(self.factors_, self._folded_in(sessions, *histories(sessions, plays)))

    def _plays(self, sessions: Sessions) -> Any:
        """(listeners, m) sparse float32: how often each listener played each song."""
        from scipy.sparse import csr_matrix  # takes a fifth of a second

        listener = np.arange(len(sessions)) if self.listeners == "sessions" else sessions.listener
        shape = (int(listener.max()) + 1, len(sessions.catalogue))
        ones = np.ones(sessions.plays, np.float32)
        return csr_matrix((ones, (np.repeat(listener, sessions.lengths), sessions.songs)), shape)  # adds up what is played again


class ALS(Factorisation):
    """Factors by alternating least squares on implicit feedback (Hu, Koren & Volinsky 2008), trained by ``implicit``.

    Minimises the sum over all listeners u and songs i of c_ui (p_ui - x_u y_i)**2 plus ``l2`` times the squared lengths,
    with p = 1 and c = ``alpha`` times the plays where u played i, else p = 0 and c = 1. A session is folded in by the same
    least-squares step: x = (Y'Y + Y'(C - I)Y + l2 I)^-1 Y'C p.
    """

    name = "als"
    l2: float = setting(FloatRange(0, above=True), default=1.0, tune=FloatRange(1e-3, 10, log=True), help="penalty on squared lengths")
    alpha: float = setting(
        FloatRange(0, above=True),
        default=5.0,
        tune=FloatRange(0.5, 50, log=True),
        help="how much a play counts against a song that was not played",
    )
    epochs: int = setting(IntRange(1), default=15, tune=IntRange(5, 30), help="passes over songs and listeners")
    gram_: Array = learned()

    def _fit(self, sessions: Sessions) -> None:
        settings = {"factors": self.size, "regularization": self.l2, "alpha": self.alpha, "iterations": self.epochs}
        trained = _trained("als", "AlternatingLeastSquares", settings, self.seed, self._plays(sessions))
        self.factors_ = trained.item_factors
        self.gram_ = self.factors_.T.astype(np.float64) @ self.factors_

    def _folded_in(self, sessions: Sessions, begin: Array, end: Array) -> Array:
        found = np.empty((len(begin), self.size), np.float32)
        _least_squares(self.factors_, self.gram_, sessions.songs, begin, end, self.alpha, self.l2, found)
        return found


class BPR(Factorisation):
    """Factors and song biases by Bayesian personalised ranking (Rendle et al. 2009, arXiv:1205.2618), trained by ``implicit``.

    Minimises -log sigmoid(x_u (y_i - y_j) + b_i - b_j) over songs i that listener u played and random songs j that they did
    not, by stochastic gradient descent in one thread, so that a seed gives the same bytes. Nothing is folded in: a session's
    factors are the mean of the factors of its plays.
    """

    name = "bpr"
    learning_rate: float = setting(
        FloatRange(0, above=True), default=0.1, tune=FloatRange(3e-3, 0.3, log=True), help="of stochastic gradient descent"
    )
    l2: float = setting(FloatRange(0, above=True), default=0.01, tune=FloatRange(1e-4, 0.1, log=True), help="penalty on squared lengths")
    epochs: int = setting(IntRange(1), default=50, tune=IntRange(10, 200, log=True), help="passes over all plays")

    def _fit(self, sessions: Sessions) -> None:
        settings = {"factors": self.size, "regularization": self.l2, "iterations": self.epochs, "num_threads": 1}
        settings["learning_rate"] = self.learning_rate
        trained = _trained("bpr", "BayesianPersonalizedRanking", settings, self.seed, self._plays(sessions))
        self.factors_ = trained.item_factors
        never = np.bincount(sessions.songs, minlength=len(self.factors_)) == 0
        self.factors_[never] = 0
        self.factors_[never, -1] = self.factors_[~never, -1].min()  # the bias

    def _folded_in(self, sessions: Sessions, begin: Array, end: Array) -> Array:
        mean: Array = _mean_factors(self.factors_, sessions.songs, begin, end)
        mean[:, -1] = 1  # what the bias is multiplied with
        return mean


def _trained(module: str, kind: str, settings: dict[str, Any], seed: int, plays: Any) -> Any:
    """A model of ``implicit``, fitted; on the processor, and with BLAS in one thread as it asks for."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    random = generator(seed, module)
    try:
        make = getattr(import_module(f"implicit.cpu.{module}"), kind)
    except ImportError as error:
        raise MissingExtraError("implicit", "mf", f"matrix factorisation by {module}") from error
    threads = 1 if plays.nnz < _FEW_PLAYS else 0  # all cores
    with threadpool_limits(1, "blas"):
        model = make(**{"num_threads": threads, **settings}, random_state=random)
        model.fit(plays, show_progress=False)
    return model


@jit
def _mean_factors(factors: Array, songs: Array, begin: Array, end: Array) -> Array:
    mean = np.zeros((len(begin), factors.shape[1]), np.float32)
    for i in range(len(begin)):
        for play in range(begin[i], end[i]):
            mean[i] += factors[songs[play]] / np.float32(end[i] - begin[i])
    return mean


@jit
def _least_squares(factors: Array, gram: Array, songs: Array, begin: Array, end: Array, alpha: float, l2: float, found: Array) -> None:
    """Write (Y'CY + l2 I)^-1 Y'Cp of each history into (n, size): normal equations, solved in place by Cholesky.

    Not by LAPACK, whose threads take longer over so small a matrix than they save.
    """
    size = len(gram)
    for i in range(len(begin)):
        left, right = gram + l2 * np.eye(size), np.zeros(size)
        history, times = np.sort(songs[begin[i] : end[i]]), 0
        for place in range(len(history)):
            times += 1
            if place + 1 == len(history) or history[place + 1] != history[place]:
                factor = factors[history[place]].astype(np.float64)
                right += alpha * times * factor
                for d in range(size):
                    for e in range(size):  # only half is read, but whole rows go on vector registers
                        left[d, e] += (alpha * times - 1) * factor[d] * factor[e]
                times = 0
        _solve(left, right)
        found[i] = right


@jit
def _solve(left: Array, right: Array) -> None:
    """Overwrite ``right`` with left^-1 right, for a symmetric, positive definite ``left``, whose upper half becomes its Cholesky factor."""
    size = len(right)
    for c in range(size):
        root = np.sqrt(left[c, c])
        for a in range(c, size):
            left[c, a] /= root
        right[c] /= root
        for b in range(c + 1, size):
            right[b] -= left[c, b] * right[c]
            for a in range(b, size):
                left[b, a] -= left[c, b] * left[c, a]
    for c in range(size - 1, -1, -1):
        for b in range(c + 1, size):
            right[c] -= left[c, b] * right[b]
        right[c] /= left[c, c]
