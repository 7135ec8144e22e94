"""Matrix factorisation of who played what: sessions or listeners times songs, without order or time."""

from __future__ import annotations

from abc import abstractmethod
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from song2vec.core.arrays import Array
from song2vec.core.errors import MissingExtraError
from song2vec.core.jit import jit
from song2vec.core.random import generator
from song2vec.core.settings import Choice, Real, Space, Whole, check_choice, check_real, check_whole
from song2vec.models.base import histories
from song2vec.models.old import OldStyle
from song2vec.search.scoring import inner_products
from song2vec.sessions import Sessions

Users = Literal["sessions", "listeners"]
USERS = ("sessions", "listeners")
_FEW_PLAYS = 20_000  # are trained on before a second thread has woken


class Factorisation(OldStyle):
    """Scores songs by the inner product of their factors with the session's, which are found from the songs it has played.

    Training needs the ``implicit`` package; a model that was fitted or loaded does without it.

    Attributes:
        factors_: (m, numbers) float32, zeros for songs that training never plays.
    """

    users: Users
    factors_: Array

    @abstractmethod
    def _folded_in(self, sessions: Sessions, begin: Array, end: Array) -> Array:
        """(n, numbers) float32 factors of n histories."""

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return inner_products(self.factors_, self._folded_in(sessions, *histories(sessions, plays)))

    def _check(self) -> None:
        for name in ("size", "epochs"):
            check_whole(self, name, 1)
        check_real(self, "regularisation", 0, above=True)
        check_choice(self, "users", USERS)

    def _plays(self, sessions: Sessions) -> Any:
        """(users, m) sparse float32: how often each user played each song."""
        user = np.arange(len(sessions)) if self.users == "sessions" else sessions.listener
        shape = (int(user.max()) + 1, len(sessions.catalogue))
        ones = np.ones(sessions.plays, np.float32)
        return csr_matrix((ones, (np.repeat(user, sessions.lengths), sessions.songs)), shape)  # adds up what is played again


class ALS(Factorisation):
    """Factors by alternating least squares on implicit feedback (Hu, Koren & Volinsky 2008), trained by ``implicit``.

    Minimises the sum over all users u and songs i of c_ui (p_ui - x_u y_i)**2 plus ``regularisation`` times the squared lengths,
    with p = 1 and c = ``alpha`` times the plays where u played i, else p = 0 and c = 1. A session is folded in by the same
    least-squares step: x = (Y'Y + Y'(C - I)Y + regularisation I)^-1 Y'C p.

    Args:
        size: numbers in a factor.
        regularisation: above 0.
        alpha: how much a play counts against a song not played.
        epochs: passes over songs and users.
        users: "sessions", or "listeners" with all their sessions.
        seed: of the factors at the beginning.
    """

    name = "als"
    space: ClassVar[Space] = {
        "size": Whole(16, 256, log=True),
        "regularisation": Real(1e-3, 10, log=True),
        "alpha": Real(0.5, 50, log=True),
        "epochs": Whole(5, 30),
        "users": Choice(USERS),
    }

    def __init__(
        self,
        *,
        size: int = 128,
        regularisation: float = 1.0,
        alpha: float = 5.0,
        epochs: int = 15,
        users: Users = "sessions",
        seed: int = 0,
    ) -> None:
        self.size = size
        self.regularisation = regularisation
        self.alpha = alpha
        self.epochs = epochs
        self.users = users
        self.seed = seed

    def _fit(self, sessions: Sessions) -> None:
        self._check()
        check_real(self, "alpha", 0, above=True)
        settings = {"factors": self.size, "regularization": self.regularisation, "alpha": self.alpha, "iterations": self.epochs}
        trained = _trained("als", "AlternatingLeastSquares", settings, self.seed, self._plays(sessions))
        self.factors_ = trained.item_factors
        self.gram_ = self.factors_.T.astype(np.float64) @ self.factors_

    def _folded_in(self, sessions: Sessions, begin: Array, end: Array) -> Array:
        found = np.empty((len(begin), self.size), np.float32)
        least_squares(self.factors_, self.gram_, sessions.songs, begin, end, self.alpha, self.regularisation, found)
        return found


class BPR(Factorisation):
    """Factors and song biases by Bayesian personalised ranking (Rendle et al. 2009, arXiv:1205.2618), trained by ``implicit``.

    Minimises -log sigmoid(x_u (y_i - y_j) + b_i - b_j) over songs i that user u played and random songs j that they did not.
    Nothing is folded in: a session's factors are the mean of the factors of its plays.

    Args:
        size: numbers in a factor, besides the bias.
        learning_rate, regularisation: of stochastic gradient descent, in one thread: so a seed gives the same bytes.
        epochs: passes over all plays.
        users: "sessions", or "listeners" with all their sessions.
        seed: of all randomness.
    """

    name = "bpr"
    space: ClassVar[Space] = {
        "size": Whole(16, 256, log=True),
        "learning_rate": Real(3e-3, 0.3, log=True),
        "regularisation": Real(1e-4, 0.1, log=True),
        "epochs": Whole(10, 200, log=True),
        "users": Choice(USERS),
    }

    def __init__(
        self,
        *,
        size: int = 128,
        learning_rate: float = 0.1,
        regularisation: float = 0.01,
        epochs: int = 50,
        users: Users = "sessions",
        seed: int = 0,
    ) -> None:
        self.size = size
        self.learning_rate = learning_rate
        self.regularisation = regularisation
        self.epochs = epochs
        self.users = users
        self.seed = seed

    def _fit(self, sessions: Sessions) -> None:
        self._check()
        check_real(self, "learning_rate", 0, above=True)
        settings = {"factors": self.size, "regularization": self.regularisation, "iterations": self.epochs, "num_threads": 1}
        settings["learning_rate"] = self.learning_rate
        trained = _trained("bpr", "BayesianPersonalizedRanking", settings, self.seed, self._plays(sessions))
        self.factors_ = trained.item_factors
        never = np.bincount(sessions.songs, minlength=len(self.factors_)) == 0
        self.factors_[never] = 0
        self.factors_[never, -1] = self.factors_[~never, -1].min()  # the bias

    def _folded_in(self, sessions: Sessions, begin: Array, end: Array) -> Array:
        mean = np.empty((len(begin), self.factors_.shape[1]), np.float32)
        mean_factors(self.factors_, sessions.songs, begin, end, mean)
        mean[:, -1] = 1  # what the bias is multiplied with
        return mean


def _trained(module: str, kind: str, settings: dict[str, Any], seed: int, plays: Any) -> Any:
    """A model of ``implicit``, fitted; on the processor, and with BLAS in one thread as it asks for."""
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
def least_squares(
    factors: Array, gram: Array, songs: Array, begin: Array, end: Array, alpha: float, regularisation: float, found: Array
) -> None:
    """Write (Y'CY + regularisation I)^-1 Y'Cp of each history into (n, size): normal equations, solved in place by Cholesky.

    Not by LAPACK, whose threads take longer over so small a matrix than they save.
    """
    size = len(gram)
    left, right, factor = np.empty((size, size)), np.empty(size), np.empty(size)
    for i in range(len(begin)):
        for d in range(size):
            right[d] = 0
            for e in range(d + 1):
                left[d, e] = gram[d, e]
            left[d, d] += regularisation
        heard = np.sort(songs[begin[i] : end[i]])
        times = 0
        for place in range(len(heard)):
            times += 1
            if place + 1 < len(heard) and heard[place + 1] == heard[place]:
                continue
            for d in range(size):
                factor[d] = factors[heard[place], d]
                right[d] += alpha * times * factor[d]
                for e in range(d + 1):  # the lower half is all that is read
                    left[d, e] += (alpha * times - 1) * factor[d] * factor[e]
            times = 0
        _solve(left, right, factor)
        for d in range(size):
            found[i, d] = right[d]


@jit
def _solve(left: Array, right: Array, column: Array) -> None:
    """Overwrite ``right`` with left^-1 right, for a symmetric, positive definite ``left`` that is spoiled."""
    size = len(right)
    for c in range(size):
        for a in range(size - 1, c - 1, -1):  # the diagonal last: all others are divided by it
            column[a] = left[a, c] / np.sqrt(left[c, c])
            left[a, c] = column[a]
        right[c] /= column[c]
        for a in range(c + 1, size):
            right[a] -= column[a] * right[c]
            for b in range(c + 1, a + 1):
                left[a, b] -= column[a] * column[b]
    for c in range(size - 1, -1, -1):
        right[c] /= left[c, c]
        for b in range(c):
            right[b] -= left[c, b] * right[c]


@jit
def mean_factors(factors: Array, songs: Array, begin: Array, end: Array, mean: Array) -> None:
    """Write the mean factors of each history into (n, d)."""
    for i in range(len(begin)):
        mean[i] = 0
        for play in range(begin[i], end[i]):
            for d in range(factors.shape[1]):
                mean[i, d] += factors[songs[play], d] / (end[i] - begin[i])
