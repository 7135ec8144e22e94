"""The contract of every learner of song vectors, and the settings that several of them share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from song2vec.core.checks import check_choice, check_type
from song2vec.core.config import FLAG, SEED, Choice, FloatRange, IntRange, learned, setting, settings_of
from song2vec.core.errors import ArgumentError
from song2vec.core.estimator import Estimator
from song2vec.core.registry import Registry
from song2vec.nn.trainer import Epoch
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

LossName = Literal["hierarchical-softmax", "negative-sampling"]
Window = int | Literal["session"]
WINDOW = IntRange(1, also=("session",))
WHOLE = '"session" for all of the session, up to 1,000 each way'

LEARNERS: Registry[Any] = Registry(
    "learner",
    {
        "word2vec": "vectors.word2vec:Word2Vec",
        "word2vec-ensemble": "vectors.ensemble:Word2VecEnsemble",
        "product2vec": "vectors.prod2vec:Product2Vec",
        "metaprod2vec": "vectors.prod2vec:MetaProd2Vec",
        "doc2vec": "vectors.documents:Doc2Vec",
    },
)


class Learner(Estimator):
    """Makes song vectors from sessions.

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
    """

    kind = "song vectors learner"
    vectors_: SongVectors = learned(SongVectors)

    @classmethod
    def registry(cls) -> Registry[Any]:
        return LEARNERS

    @abstractmethod
    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions``; returns self. Raises ArgumentError where none has two plays, or but one song."""


class GradientLearner(Learner):
    """A learner that predicts songs from songs by gradient descent.

    Attributes:
        history_: one :class:`Epoch` an epoch; not saved.
    """

    size: int = setting(IntRange(1), default=128, tune=IntRange(32, 256, log=True), help="numbers in a vector")
    context_weight: float = setting(
        FloatRange(0, 1), default=0.3, tune=True, help="so much of the unit output vectors is added: brings songs played together nearer"
    )
    subsample: float = setting(
        FloatRange(0), default=1e-3, help="plays of songs that make up more than this share of the log are left out at random; 0 for none"
    )
    learning_rate: float = setting(
        FloatRange(0, above=True), default=0.025, tune=FloatRange(0.005, 0.1, log=True), help="at the beginning; it falls linearly"
    )
    min_learning_rate: float = setting(FloatRange(0), default=1e-4, help="at the end")
    epochs: int = setting(IntRange(1), default=30, tune=IntRange(5, 60, log=True), help="passes over the sessions")
    workers: int | None = setting(
        IntRange(1), default=None, help="threads; None takes every core; the same seed gives the same bytes with one only"
    )
    seed: int = setting(SEED, default=0, help="of all randomness")
    progress: bool | None = setting(FLAG, default=None, help="show a progress bar; None shows it on a terminal")
    history_: list[Epoch] = learned(saved=False)

    def _check_together(self) -> None:
        if self.min_learning_rate > self.learning_rate:
            raise ArgumentError(f"min_learning_rate={self.min_learning_rate!r}: not above learning_rate={self.learning_rate!r} is allowed")


class SampledLearner(GradientLearner):
    """A learner whose softmax over all songs is approximated in one of two ways."""

    loss: LossName = setting(
        Choice(get_args(LossName)), default="hierarchical-softmax", tune=True, help="how the softmax over all songs is approximated"
    )
    n_negatives: int = setting(IntRange(1), default=5, help="negatives drawn for each pair, by negative sampling")
    negative_exponent: float = setting(
        FloatRange(), default=0.75, tune=FloatRange(-1, 1), help="drawn by plays**negative_exponent, below 0 rare songs more often"
    )

    @property
    def hierarchical(self) -> bool:
        """Whether the loss is hierarchical softmax."""
        return self.loss == "hierarchical-softmax"


class Word2VecSettings(SampledLearner):
    """What training by the kernel, or by gensim, asks for."""

    algorithm: Literal["skip-gram", "cbow"] = setting(Choice(("skip-gram", "cbow")), default="skip-gram", help="what predicts what")
    window: Window = setting(WINDOW, default=3, tune=IntRange(1, 10), help=f"songs before and after that count as context; {WHOLE}")
    dynamic_window: bool = setting(
        FLAG, default=False, help="draw the window anew for each play from 1 to ``window``, so that near songs count more"
    )


def make_learner(learner: str | Estimator, seed: int, settings: Mapping[str, Any]) -> Any:
    """A learner by its name in ``LEARNERS`` with these settings, or one made already as it is, also a model that leaves ``vectors_``.

    Raises ArgumentError for any other, for settings that it does not take, and for settings beside one made already.
    """
    if isinstance(learner, str):
        check_choice("vectors", learner, LEARNERS)
        seeded = {"seed": seed} if "seed" in settings_of(LEARNERS[learner]) else {}
        return LEARNERS.make(learner, {**seeded, **settings})
    allowed = f"{', '.join(map(repr, LEARNERS))}, a learner such as Word2Vec(window=3) or SongVectors are allowed"
    check_type("vectors", learner, Estimator, allowed)
    if settings:
        raise ArgumentError(f"{', '.join(settings)}: settings go to the learner you made, not to Engine.train")
    return learner
