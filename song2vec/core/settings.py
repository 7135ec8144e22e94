"""Hyperparameters: what a constructor was given, how it is shown, checked by name, and which values are worth trying."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from song2vec.core.config import Choice, Space
from song2vec.core.config import FloatRange as Real
from song2vec.core.config import IntRange as Whole
from song2vec.core.errors import ArgumentError

T = TypeVar("T")
__all__ = [
    "Choice",
    "Configured",
    "Real",
    "Space",
    "Whole",
    "check_choice",
    "check_number",
    "check_real",
    "check_whole",
    "make",
    "settings_of",
]


def settings_of(thing: object) -> dict[str, Any]:
    """The keyword arguments a thing was made with, as JSON has them: constructors store them under their own names."""
    values = {name: getattr(thing, name) for name in inspect.signature(type(thing)).parameters if hasattr(thing, name)}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


class Configured:
    """Constructors store keyword hyperparameters and nothing else; two with the same settings do the same."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the constructor was given, as JSON has it."""
        return settings_of(self)

    def __repr__(self) -> str:
        defaults = {name: parameter.default for name, parameter in inspect.signature(type(self)).parameters.items()}
        told = [f"{name}={value!r}" for name, value in self.settings.items() if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(told)})"


def make(what: str, registry: Mapping[str, type[T]], name: str, settings: Mapping[str, Any]) -> T:
    """What a registry has under ``name``, made with these settings; those it does not take are refused.

    Args:
        what: how errors call it: "model", "learner".

    Raises ArgumentError for an unknown name and for settings that the constructor does not take.
    """
    if not isinstance(name, str) or name not in registry:
        raise ArgumentError(f"{what}={name!r}: {', '.join(map(repr, registry))} are allowed")
    known = inspect.signature(registry[name]).parameters
    unknown = [setting for setting in settings if setting not in known]
    if unknown:
        raise ArgumentError(f"{', '.join(unknown)}: not a setting of {name}; {', '.join(known) or 'none'} are allowed")
    return registry[name](**settings)


def check_whole(thing: Configured, name: str, low: int, *, none: bool = False) -> None:
    """Raises ArgumentError unless the setting is a whole number from ``low`` on, or None where that is allowed."""
    value = getattr(thing, name)
    if none and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
        raise ArgumentError(f"{name}={value!r}: a whole number from {low}{' or None' if none else ''} is allowed")


def check_real(thing: Configured, name: str, low: float, high: float = math.inf, *, above: bool = False) -> None:
    """Raises ArgumentError unless the setting is a number from ``low`` to ``high``; with ``above``, not ``low`` itself."""
    check_number(name, getattr(thing, name), most=high, **{"above" if above else "least": low})


def check_number(name: str, value: object, *, least: float = -math.inf, above: float = -math.inf, most: float = math.inf) -> None:
    """Raises ArgumentError unless ``value`` is a finite number from ``least`` to ``most`` and above ``above``."""
    fits = isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not least <= float(value) <= most or not float(value) > above:  # type: ignore[arg-type]
        limits = {"from": least, "above": above, "to": most}
        told = "".join(f" {word} {limit:g}" for word, limit in limits.items() if math.isfinite(limit))
        raise ArgumentError(f"{name}={value!r}: a number{told} is allowed")


def check_choice(thing: Configured, name: str, allowed: tuple[object, ...]) -> None:
    """Raises ArgumentError unless the setting is one of these values."""
    value = getattr(thing, name)
    if not any(value is one or (type(value) is type(one) and value == one) for one in allowed):
        raise ArgumentError(f"{name}={value!r}: {', '.join(map(repr, allowed))} are allowed")
