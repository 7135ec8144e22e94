"""Checks of arguments: each names the argument, what was found and what is allowed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

from song2vec.core.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")

MAX_SEED = 2**31 - 1  # what gensim, Annoy and scikit-learn all accept


def check_int(name: str, value: object, low: int = 1, high: int | None = None) -> int:
    """``value`` as an int; raises ArgumentError unless it is a whole number from ``low`` to ``high``."""
    fits = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not fits or not low <= int(value) or (high is not None and int(value) > high):  # type: ignore[call-overload]
        raise ArgumentError(f"{name}={value!r}: a whole number from {low}{'' if high is None else f' to {high}'} is allowed")
    return int(value)  # type: ignore[call-overload,no-any-return]


def check_float(name: str, value: object, low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> float:
    """``value`` as it is; raises ArgumentError unless it is a finite number from ``low`` (with ``above``: above it) to ``high``."""
    fits = isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not low <= float(value) <= high or (above and float(value) == low):  # type: ignore[arg-type]
        limits = {"above" if above else "from": low, "to": high}
        range_ = "".join(f" {word} {limit:g}" for word, limit in limits.items() if math.isfinite(limit))
        raise ArgumentError(f"{name}={value!r}: a number{range_} is allowed")
    return value  # type: ignore[return-value]


def check_choice(name: str, value: object, allowed: Iterable[object]) -> None:
    """Raises ArgumentError unless ``value`` is one of these, of the same type; suggests the nearest."""
    known = tuple(allowed)
    if not any(value is one or (type(value) is type(one) and value == one) for one in known):
        raise ArgumentError(f"{name}={value!r}: {', '.join(map(repr, known))} are allowed{suggestion(value, known)}")


def check_seed(seed: object, name: str = "seed") -> int:
    """``seed`` as an int; raises ArgumentError unless it is a whole number from 0 to 2**31 - 1."""
    return check_int(name, seed, 0, MAX_SEED)


def check_type(name: str, value: object, kind: type | tuple[type, ...], allowed: str) -> None:
    """Raises ArgumentError unless ``value`` is of this kind; ``allowed`` says what is and how it is made."""
    if not isinstance(value, kind):
        raise ArgumentError(f"{name} is a {type(value).__name__}; {allowed}")


def check_ending(path: str | os.PathLike[str], allowed: Iterable[str]) -> str:
    """The ending of a file's name, in lower case; raises ArgumentError unless it is one of these."""
    ending = Path(path).suffix.lower()
    if ending not in allowed:
        raise ArgumentError(f"path={os.fspath(path)!r} ends in {ending!r}; {', '.join(allowed)} are allowed")
    return ending


def check_names(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raises ArgumentError for the first name that is not known, with the nearest one that is."""
    allowed = tuple(known)
    for name in given:
        if name not in allowed:
            raise ArgumentError(f"{name}: not a setting of {what}; {', '.join(allowed) or 'none'} are allowed{suggestion(name, allowed)}")


def suggestion(name: object, known: Iterable[object]) -> str:
    """``"; did you mean 'hidden'?"``, or nothing where no known name is near."""
    near = get_close_matches(str(name), [one for one in known if isinstance(one, str)], 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def named_options(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose keyword arguments are checked by name: a wrong one is an ArgumentError with the nearest right one."""
    parameters = signature(function).parameters.values()
    known = tuple(one.name for one in parameters if one.kind is not Parameter.POSITIONAL_ONLY and one.name not in ("self", "cls"))

    @wraps(function)
    def checked(*args: P.args, **options: P.kwargs) -> R:
        check_names(function.__qualname__.removesuffix(".__init__"), options, known)
        return function(*args, **options)

    return checked
