"""Several models as one: the weighted mean of what each of them scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.jit import jit
from song2vec.core.settings import Real, Space, check_real
from song2vec.models.base import NextSongModel
from song2vec.models.best import best_songs, check_k
from song2vec.models.blocks import side_by_side
from song2vec.models.live import LiveSession
from song2vec.models.registry import make_model
from song2vec.sessions import Sessions

DEFAULT: Mapping[str, Mapping[str, Any]] = {"vstan": {}, "sr": {}}  # the best of the simple ones by recall, and by MRR


class Blend(NextSongModel):
    """Scores songs by the weighted mean of other models' scores, each query's scaled to 0 to 1: (s - min) / (max - min).

    Minimum and maximum are over all songs of the catalogue, so that no model counts for more because its scores are larger.
    With GRU4Rec on nowplaying, neither standardised scores nor probabilities nor reciprocal ranks found more
    (``benchmarks/bench_blend.py``). A model that tells no song from another adds nothing.

    :func:`song2vec.tune_weight` finds the weight, at the price of scoring the validation sessions once.

    Args:
        models: names of models, and the settings of each; two at least. None for vstan and sr.
        weight: of the first model, 0 to 1; the others share the rest alike.

    Attributes:
        models_: the fitted models, by name.
    """

    name = "blend"
    models_: dict[str, NextSongModel]
    space: ClassVar[Space] = {"weight": Real(0, 1)}

    def __init__(self, *, models: Mapping[str, Mapping[str, Any]] | None = None, weight: float = 0.5) -> None:
        self.models = models
        self.weight = weight

    @classmethod
    def of(cls, models: Iterable[NextSongModel], *, weight: float = 0.5) -> Self:
        """A blend of models that are fitted already, ready for use.

        Raises ArgumentError for models of the same name, of different songs, or not fitted.
        """
        given = list(models)
        blend = cls(models={model.name: model.settings for model in given}, weight=weight)
        blend._check()
        if len(blend.models or ()) < len(given):
            raise ArgumentError(f"models: {', '.join(model.name for model in given)}; each name is allowed once")
        catalogue = given[0]._fitted()
        for model in given[1:]:
            if model._fitted() != catalogue:
                raise ArgumentError(f"models: {model.name} was fitted to other songs than {given[0].name}; the same are needed")
        blend.models_, blend.catalogue_ = {model.name: model for model in given}, catalogue
        return blend

    def weighted(self, weight: float) -> Self:
        """The same fitted models at another weight."""
        self._fitted()
        return type(self).of(self.models_.values(), weight=weight)

    def _members(self) -> Mapping[str, Mapping[str, Any]]:
        return DEFAULT if self.models is None else self.models

    def _check(self) -> None:
        check_real(self, "weight", 0, 1)
        members = self._members()
        if not isinstance(members, Mapping) or len(members) < 2 or not all(isinstance(of, Mapping) for of in members.values()):
            example = "{'gru4rec': {'hidden': 100}, 'vstan': {}}"
            raise ArgumentError(f"models={self.models!r}: None, or names of two models or more with their settings, {example}, is allowed")

    def _made(self) -> dict[str, NextSongModel]:
        self._check()
        return {name: make_model(name, settings) for name, settings in self._members().items()}

    def _fit(self, sessions: Sessions) -> None:
        self.models_ = {name: model.fit(sessions) for name, model in self._made().items()}

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return mixed([model.score(sessions, plays) for model in self.models_.values()], self.weight)

    def score_blocks(self, sessions: Sessions, plays: Array) -> Iterator[tuple[Array, Array]]:
        """(plays, scores) of these plays, each model walking the sessions in its own way."""
        self.score(sessions, plays[:0])  # refuses other songs, and a model that has learned nothing
        for block, scores in side_by_side(list(self.models_.values()), sessions, plays):
            yield block, mixed(scores, self.weight)

    def session(self, listener: SongId | None = None) -> BlendSession:
        """A session that goes on in every model, each carrying its own state. Raises ArgumentError before ``fit``."""
        self._fitted()
        return BlendSession(self, listener)

    def _arrays(self) -> dict[str, Array]:
        return {f"{name}.{key}": array for name, model in self.models_.items() for key, array in model._arrays().items()}

    def _restore(self, arrays: dict[str, Array]) -> None:
        self.models_ = self._made()
        for name, model in self.models_.items():
            model.catalogue_ = self.catalogue_
            model._restore({key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")})


class BlendSession(LiveSession):
    """A live session of a blend: one of each model in it."""

    def __init__(self, model: Blend, listener: SongId | None = None) -> None:
        super().__init__(model, listener)
        self._blend = model
        self._parts = [member.session(listener) for member in model.models_.values()]

    def listen(self, song: SongId) -> Self:
        """A song was heard; returns self. Raises UnknownSongError for one that the model does not know."""
        super().listen(song)
        for part in self._parts:
            part.listen(song)
        return self

    def scores(self) -> Array:
        """(songs,) float32 scores of every song as the next, in row order. Raises UnknownSongError before the first song."""
        scores: Array = mixed([part.scores()[None] for part in self._parts], self._blend.weight)[0]
        return scores

    def next(self, k: int = 10, *, exclude: Iterable[SongId] = ()) -> pl.DataFrame:
        """The k songs most likely to come next: the table of :meth:`NextSongModel.recommend`.

        Raises UnknownSongError before the first song, and ArgumentError for a k below 1.
        """
        check_k(k)
        return best_songs(self._blend.catalogue_, self.scores(), k, exclude)


def mixed(scores: list[Array], weight: float) -> Array:
    """(n, songs) float32: scaled scores of each model, all (n, songs), the first by its weight, the others by the rest."""
    total = np.zeros(scores[0].shape, np.float32)
    rest = (1 - weight) / (len(scores) - 1)
    for place, some in enumerate(scores):
        add_scaled(some, rest if place else weight, total)
    return total


@jit
def add_scaled(scores: Array, weight: float, total: Array) -> None:
    """Add weight (s - min) / (max - min) of each row of (n, songs) scores to a total; nothing where all are equal."""
    for i in range(len(scores)):
        low, high = scores[i].min(), scores[i].max()
        if high > low:
            factor = np.float32(weight / (high - low))
            for song in range(scores.shape[1]):
                total[i, song] += factor * (scores[i, song] - low)
