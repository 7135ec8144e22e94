"""Several models as one: the weighted mean of what each of them scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.config import Components, FloatRange, learned, setting
from song2vec.core.errors import ArgumentError
from song2vec.core.storage import Part, prefixed, within
from song2vec.models.base import MODELS, NextSongModel
from song2vec.models.live import LiveSession
from song2vec.sessions import Sessions

CATALOGUE = "catalogue_"  # is kept once, and not with each model


class Blend(NextSongModel):
    """Scores songs by the weighted mean of other models' scores, each query's scaled to 0 to 1: (s - min) / (max - min).

    Minimum and maximum are over all songs of the catalogue, so that no model counts for more because its scores are larger.
    With GRU4Rec on nowplaying, neither standardised scores nor probabilities nor reciprocal ranks found more
    (``benchmarks/bench_blend.py``). A model that tells no song from another adds nothing.

    ``fit`` fits every model anew; :meth:`of` blends models that are fitted. :func:`song2vec.tune_weight` finds the weight, at
    the price of scoring the validation sessions once.

    Attributes:
        models_: the fitted models.
    """

    name = "blend"
    models: Sequence[object] = setting(
        Components(lambda: MODELS, least=2), default=("vstan", "sr"), help="by name, as {name, settings}, or made already"
    )
    weight: float = setting(FloatRange(0, 1), default=0.5, tune=FloatRange(0, 1), help="of the first model; the others share the rest")
    models_: list[NextSongModel] = learned(saved=False)

    @classmethod
    def of(cls, models: Iterable[NextSongModel], *, weight: float = 0.5) -> Self:
        """A blend of models that are fitted already, ready for use.

        Raises ArgumentError for models of different songs, or not fitted.
        """
        given = list(models)
        blend = cls(models=given, weight=weight)
        catalogue = given[0]._fitted()
        for model in given[1:]:
            if model._fitted() != catalogue:
                raise ArgumentError(f"models: {model.name} was fitted to other songs than {given[0].name}; the same are needed")
        blend.models_, blend.catalogue_ = given, catalogue
        return blend

    def weighted(self, weight: float) -> Self:
        """The same fitted models at another weight."""
        self._fitted()
        return type(self).of(self.models_, weight=weight)

    def knows(self, listener: SongId | None) -> bool:
        self._fitted()
        return any(model.knows(listener) for model in self.models_)

    def with_history(self, sessions: Sessions) -> Self:
        """This blend for somebody who played these sessions before, of models that each go on from there in its own way."""
        self._fitted()
        models = [model.with_history(sessions) for model in self.models_]
        return self if models == self.models_ else type(self).of(models, weight=self.weight)

    def _fit(self, sessions: Sessions) -> None:
        self.models_ = [model.fit(sessions) for model in self.component("models")]

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        return mixed([model.score(sessions, plays) for model in self.models_], self.weight)

    def score_blocks(self, sessions: Sessions, plays: Array) -> Iterator[tuple[Array, Array]]:
        """(plays, scores) of these plays, each model walking the sessions in its own way."""
        self.score(sessions, plays[:0])  # refuses other songs, and a model that has learned nothing
        for block, scores in side_by_side(self.models_, sessions, plays):
            yield block, mixed(scores, self.weight)

    def session(self, listener: SongId | None = None) -> BlendSession:
        """A session that goes on in every model, each carrying its own state. Raises ArgumentError before ``fit``."""
        self._fitted()
        return BlendSession(self, listener)

    @property
    def nbytes(self) -> int:
        return sum(model.nbytes for model in self.models_)

    def _learned_parts(self) -> dict[str, Part]:
        parts = super()._learned_parts()
        for place, model in enumerate(self.models_):
            own = {name: part for name, part in model.to_parts().items() if not name.startswith(f"{CATALOGUE}.")}
            parts |= prefixed(f"models_{place}", own)
        return parts

    def _restore(self, parts: Mapping[str, Part]) -> None:
        super()._restore(parts)
        shared = prefixed(CATALOGUE, within(CATALOGUE, parts))
        saved = [shared | within(f"models_{place}", parts) for place in range(len(self.models))]
        self.models_ = [NextSongModel.from_parts(own) for own in saved]


class BlendSession(LiveSession):
    """A live session of a blend: one of each model in it."""

    def __init__(self, model: Blend, listener: SongId | None = None) -> None:
        super().__init__(model, listener)
        self._blend = model
        self._parts = [member.session(listener) for member in model.models_]

    def listen(self, song: SongId) -> Self:
        """A song was played; returns self. Raises UnknownSongError for one that the model does not know."""
        super().listen(song)
        for part in self._parts:
            part.listen(song)
        return self

    def scores(self) -> Array:
        """(songs,) float32 scores of every song as the next, in row order. Raises UnknownSongError before the first song."""
        scores: Array = mixed([part.scores()[None] for part in self._parts], self._blend.weight)[0]
        return scores


def side_by_side(models: Sequence[NextSongModel], sessions: Sessions, plays: Array) -> Iterator[tuple[Array, list[Array]]]:
    """(plays, scores of each model) of some of these plays after others, until all are scored.

    The first model tells which plays come when; what another has scored before it is asked for waits. All are given
    ascending plays, in which nearly all score: so hardly more than a block of each waits.
    """
    plays, times = np.unique(np.asarray(plays, np.int64), return_counts=True)
    first, *others = (model.score_blocks(sessions, plays) for model in models)
    waiting: list[dict[int, Array]] = [{} for _ in others]
    for block, scores in first:
        again = np.repeat(np.arange(len(block)), times[np.searchsorted(plays, block)])
        found = [scores, *(_taken(stream, rows, block) for stream, rows in zip(others, waiting, strict=True))]
        yield (block, found) if len(again) == len(block) else (block[again], [some[again] for some in found])


def _taken(stream: Iterator[tuple[Array, Array]], waiting: dict[int, Array], plays: Array) -> Array:
    """(n, songs) scores of these plays, which are not taken again; ``waiting`` holds those of plays that the stream gave before."""
    wanted = plays.tolist()
    while not waiting.keys() >= set(wanted):
        block, scores = next(stream)
        if not waiting and np.array_equal(block, plays):
            return scores
        waiting |= zip(block.tolist(), scores.copy(), strict=True)  # a model may write its next block over this one
    return np.stack([waiting.pop(play) for play in wanted])


def mixed(scores: list[Array], weight: float) -> Array:
    """(n, songs) float32: scaled scores of each model, all (n, songs), the first by its weight, the others by the rest.

    Scaled are (s - min) / (max - min) of each row; a row of equals adds nothing.
    """
    total = np.zeros(scores[0].shape, np.float32)
    rest = (1 - weight) / (len(scores) - 1)
    for place, some in enumerate(scores):
        low = some.min(axis=1, keepdims=True)
        span = some.max(axis=1, keepdims=True) - low
        factor = np.divide(rest if place else weight, span, out=np.zeros_like(span), where=span > 0)
        total += factor * (some - low)
    return total
