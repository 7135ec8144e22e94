"""Hyperparameters checked by name: a bad one is an ArgumentError that says what is allowed."""

from __future__ import annotations

import math

import numpy as np

from song2vec.errors import ArgumentError
from song2vec.settings import Configured


def check_whole(model: Configured, name: str, low: int, *, none: bool = False) -> None:
    """Raises ArgumentError unless the setting is a whole number from ``low`` on, or None where that is allowed."""
    value = getattr(model, name)
    if none and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
        raise ArgumentError(f"{name}={value!r}: a whole number from {low}{' or None' if none else ''} is allowed")


def check_real(model: Configured, name: str, low: float, high: float = math.inf, *, above: bool = False) -> None:
    """Raises ArgumentError unless the setting is a number from ``low`` to ``high``; with ``above``, not ``low`` itself."""
    value = getattr(model, name)
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high or (above and value == low):
        begin = f"above {low:g}" if above else f"from {low:g}"
        raise ArgumentError(f"{name}={value!r}: a number {begin}{'' if math.isinf(high) else f' to {high:g}'} is allowed")


def check_choice(model: Configured, name: str, allowed: tuple[object, ...]) -> None:
    """Raises ArgumentError unless the setting is one of these values."""
    value = getattr(model, name)
    if not any(value is one or (type(value) is type(one) and value == one) for one in allowed):
        raise ArgumentError(f"{name}={value!r}: {', '.join(map(repr, allowed))} are allowed")
