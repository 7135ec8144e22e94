"""The values that tuning tries: the space that a model declares, as optuna has it, around the model's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from song2vec.core.config import Choice, Dimension, FloatRange, IntRange, Space
from song2vec.models import NextSongModel


def space_around(model: NextSongModel) -> Space:
    """The model's space, widened to hold its own settings."""
    return {name: _holding(dimension, model.value(name)) for name, dimension in model.space.items()}


def _holding(dimension: Dimension, value: Any) -> Dimension:
    if isinstance(dimension, Choice):
        return dimension if _place(dimension, value) is not None else Choice((*dimension.values, value))
    if not _is_number(value) or (dimension.log and value <= 0):  # "off", where the rest are numbers: it is not tried
        return dimension
    return replace(dimension, low=min(dimension.low, value), high=max(_end(dimension, value), value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _end(dimension: IntRange | FloatRange, value: float) -> float:
    return value if dimension.high is None else dimension.high


def distributions(space: Space) -> dict[str, Any]:
    """A space as the distributions of optuna; of a Choice, the places of its values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, Any] = {}
    for name, dimension in space.items():
        if isinstance(dimension, Choice):
            made[name] = CategoricalDistribution(range(len(dimension.values)))
        else:
            kind: Any = IntDistribution if isinstance(dimension, IntRange) else FloatDistribution
            made[name] = kind(dimension.low, dimension.high, log=dimension.log)
    return made


def to_params(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings -> what optuna calls them; those that lie outside the space are left out."""
    params = {name: _place(space[name], value) for name, value in values.items()}
    return {name: value for name, value in params.items() if value is not None}


def from_params(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`to_params`."""
    return {name: dimension.values[params[name]] if isinstance(dimension, Choice) else params[name] for name, dimension in space.items()}


def _place(dimension: Dimension, value: Any) -> Any:
    if not isinstance(dimension, Choice):
        return value if _is_number(value) and dimension.low <= value <= _end(dimension, value) else None
    same = (place for place, each in enumerate(dimension.values) if each == value and isinstance(each, bool) == isinstance(value, bool))
    return next(same, None)
