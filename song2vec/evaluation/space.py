"""The values that tuning tries: a model's declared space, as optuna has it, around the model's own settings.

A name with a dot is a setting within a setting: "word2vec.size" is ``size`` in the dictionary ``word2vec``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from song2vec.core.settings import Choice, Real, Space, Whole
from song2vec.models import NextSongModel
from song2vec.vectors import LEARNERS


def own_values(model: NextSongModel) -> dict[str, Any]:
    """What the model's own settings are in its space."""
    settings = model.settings
    own: dict[str, Any] = {}
    for name in model.space:
        outer, _, inner = name.partition(".")
        own[name] = settings[outer] if not inner else (settings[outer] or {}).get(inner, _default(outer, inner))
    return own


def _default(learner: str, setting: str) -> Any:
    return inspect.signature(LEARNERS[learner]).parameters[setting].default


def space_around(model: NextSongModel) -> Space:
    """The model's space, widened to hold its own settings."""
    own = own_values(model)
    return {name: _holding(dimension, own[name]) for name, dimension in model.space.items()}


def _holding(dimension: Whole | Real | Choice, value: Any) -> Whole | Real | Choice:
    if isinstance(dimension, Choice):
        return dimension if _place(dimension, value) is not None else Choice((*dimension.values, value))
    if not is_number(value) or (dimension.log and value <= 0):  # "off", where the rest are numbers: it is not tried
        return dimension
    return replace(dimension, low=min(dimension.low, value), high=max(dimension.high, value))


def is_number(value: Any) -> bool:
    """Whether this can be a point between others."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def with_settings(model: NextSongModel, values: Mapping[str, Any]) -> NextSongModel:
    """The model, not fitted, with some of its settings changed. Raises ArgumentError where its constructor does."""
    settings = model.settings
    for name, value in values.items():
        outer, _, inner = name.partition(".")
        settings[outer] = {**(settings[outer] or {}), inner: value} if inner else value
    return type(model)(**settings)


def distributions(space: Space) -> dict[str, Any]:
    """A space as the distributions of optuna; of a Choice, the places of its values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, Any] = {}
    for name, dimension in space.items():
        if isinstance(dimension, Choice):
            made[name] = CategoricalDistribution(range(len(dimension.values)))
        elif isinstance(dimension, Whole):
            made[name] = IntDistribution(dimension.low, int(dimension.high or 0), log=dimension.log)
        else:
            made[name] = FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    return made


def to_params(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings -> what optuna calls them; those that lie outside the space are left out."""
    params = {name: _place(space[name], value) for name, value in values.items()}
    return {name: value for name, value in params.items() if value is not None}


def from_params(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`to_params`."""
    return {name: dimension.values[params[name]] if isinstance(dimension, Choice) else params[name] for name, dimension in space.items()}


def _place(dimension: Whole | Real | Choice, value: Any) -> Any:
    if not isinstance(dimension, Choice):
        return value if is_number(value) and dimension.low <= value <= dimension.high else None
    return next((place for place, each in enumerate(dimension.values) if _same(each, value)), None)


def _same(one: Any, other: Any) -> bool:
    """As JSON has them: a tuple is its list and 5 is 5.0, but True is not 1."""
    plain: bool = json.loads(json.dumps(one)) == json.loads(json.dumps(other))
    return plain and isinstance(one, bool) == isinstance(other, bool)
