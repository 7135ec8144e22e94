"""Hyperparameters, declared once: a field of a class carries its default, what is allowed, what tuning tries, and a line of help.

A class with settings derives from :class:`Config` and writes them as fields::

    class Markov(Config):
        name = "markov"
        decay: float = setting(FloatRange(0, 1), default=0.8, tune=FloatRange(0.1, 1), help="weight of a play by its distance")
        counts_: Array = learned()

It becomes a keyword-only dataclass. The check, the search space, the JSON form, the command line's options and the list of settings
in the docstring all come from the fields.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal, Self, dataclass_transform

import numpy as np

from song2vec.core.checks import MAX_SEED, check_choice, check_float, check_int, check_names, named_options
from song2vec.core.errors import ArgumentError


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from ``low`` to ``high``, both allowed, or one of ``also``; ``log`` tries small ones as often as large ones."""

    low: int = 1
    high: int | None = None
    log: bool = False
    also: tuple[object, ...] = ()

    def check(self, name: str, value: object) -> object:
        """``value`` as a setting keeps it; raises ArgumentError for what is not allowed."""
        return value if value in self.also else check_int(name, value, self.low, self.high)

    def __str__(self) -> str:
        return f"a whole number from {self.low}" + ("" if self.high is None else f" to {self.high}") + _or(self.also)


@dataclass(frozen=True)
class FloatRange:
    """Numbers from ``low`` to ``high``, both allowed, but with ``above`` not ``low`` itself; the rest as in :class:`IntRange`."""

    low: float = -math.inf
    high: float = math.inf
    log: bool = False
    above: bool = False
    also: tuple[object, ...] = ()

    def check(self, name: str, value: object) -> object:
        """``value`` as a setting keeps it; raises ArgumentError for what is not allowed."""
        return value if value in self.also else check_float(name, value, self.low, self.high, above=self.above)

    def __str__(self) -> str:
        limits = {"above" if self.above else "from": self.low, "to": self.high}
        return "a number" + "".join(f" {word} {limit:g}" for word, limit in limits.items() if math.isfinite(limit)) + _or(self.also)


@dataclass(frozen=True)
class Choice:
    """One of these values."""

    values: tuple[Any, ...]

    def check(self, name: str, value: object) -> object:
        """``value`` as it is; raises ArgumentError for what is not allowed."""
        check_choice(name, value, self.values)
        return value

    def __str__(self) -> str:
        return ", ".join(map(repr, self.values))


@dataclass(frozen=True)
class Text:
    """Any text; with ``several`` a list of texts."""

    several: bool = False

    def check(self, name: str, value: object) -> object:
        """``value`` as it is; raises ArgumentError for what is no text, or no list of them."""
        texts = value if self.several and isinstance(value, list | tuple) else [None if self.several else value]
        if not all(isinstance(text, str) for text in texts):
            raise ArgumentError(f"{name}={value!r}: {self} is allowed")
        return value

    def __str__(self) -> str:
        return "a list of texts" if self.several else "text"


@dataclass(frozen=True)
class Component:
    """Something with settings of its own, from a registry: a name, ``{"name": ..., "settings": {...}}``, or one made already."""

    registry: Callable[[], Mapping[str, type[Any]]]  # a function, since registries are made after the classes that name them

    def check(self, name: str, value: object) -> object:
        """``value`` as it is; raises ArgumentError for what the registry cannot make."""
        self.made(name, value)
        return value

    def made(self, name: str, value: Any) -> Any:
        """A new one, with the settings of ``value``; what it has learned stays behind."""
        if isinstance(value, Config):
            registry, own = self.registry(), getattr(value, "name", None)
            family = getattr(value, "registry", lambda: None)()  # whose member it is, registered or not
            if family is registry or (own in registry and isinstance(value, registry[str(own)])):
                return type(value)(**value.settings)
            raise ArgumentError(f"{name}={value!r}: {self}, by name or made already, is allowed")
        named = value if isinstance(value, Mapping) else {"name": value}
        if not set(named) <= {"name", "settings"} or not isinstance(named.get("settings", {}), Mapping):
            raise ArgumentError(f'{name}={value!r}: a name, or {{"name": ..., "settings": {{...}}}}, is allowed')
        return make(name, self.registry(), named.get("name"), named.get("settings", {}))

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self.registry()))}"


@dataclass(frozen=True)
class Components:
    """A list of ``least`` or more :class:`Component` of one registry."""

    registry: Callable[[], Mapping[str, type[Any]]]
    least: int = 1

    def check(self, name: str, value: object) -> object:
        """``value`` as a tuple; raises ArgumentError for what is no list, too short, or holds what the registry cannot make."""
        self.made(name, value)
        return tuple(value)  # type: ignore[arg-type]

    def made(self, name: str, value: Any) -> list[Any]:
        """New ones, as :meth:`Component.made`."""
        if not isinstance(value, list | tuple) or len(value) < self.least:
            raise ArgumentError(f"{name}={value!r}: a list of {self.least} or more is allowed, each {Component(self.registry)}")
        return [Component(self.registry).made(name, one) for one in value]

    def __str__(self) -> str:
        return f"{self.least} or more, each {Component(self.registry)}"


Allowed = IntRange | FloatRange | Choice | Text | Component | Components
Dimension = IntRange | FloatRange | Choice
Space = Mapping[str, Dimension]

FLAG = Choice((False, True))
SEED = IntRange(0, MAX_SEED)


def setting(allowed: Allowed, *, default: Any, help: str, tune: Dimension | Literal[True] | None = None) -> Any:
    """A setting of a :class:`Config`.

    Args:
        allowed: its values; None is allowed too where it is the default.
        help: what it does, in one line.
        tune: the values that tuning tries, True for all that are allowed; None leaves it as it is.
    """
    return dataclasses.field(default=default, metadata={"allowed": allowed, "help": help, "tune": allowed if tune is True else tune})


def learned(kind: type[Any] | None = None, *, saved: bool = True, default: Any = dataclasses.MISSING, init: Literal[False] = False) -> Any:
    """What ``fit`` leaves behind; its name ends in ``_``, or begins with it where users have no business with it.

    Args:
        kind: the class of what is saved by itself, such as Catalogue, and of a named tuple; None for arrays, ids and what JSON has.
        saved: False for what a saved one does without.
        default: what it is before ``fit``; without one, it is not there.
    """
    return dataclasses.field(init=init, default=default, metadata={"kind": kind, "saved": saved})


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(setting, learned))
class Config:
    """Keyword settings, checked where they are given; two things with the same settings do the same."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclass(kw_only=True, eq=False, repr=False)(cls)  # type: ignore[call-overload]
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            if not field.metadata:
                raise TypeError(f"{cls.__name__}.{field.name}: is declared by setting(...), by learned(...), or as a ClassVar")
        setattr(cls, "__init__", named_options(cls.__init__))  # noqa: B010
        if any("allowed" in field.metadata for field in dataclasses.fields(cls)):  # type: ignore[arg-type]
            cls.__doc__ = f"{(cls.__doc__ or cls.__name__).rstrip()}\n\n    Args:\n{_described(cls)}"

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Raises ArgumentError for a setting that is not allowed; ``fit`` checks again, since attributes may have changed."""
        for field in _settings(type(self)):
            value = getattr(self, field.name)
            if value is not None or field.default is not None:
                setattr(self, field.name, field.metadata["allowed"].check(field.name, value))
        self._check_together()

    def _check_together(self) -> None:
        """Raises ArgumentError for settings that are allowed each by itself but not together."""

    @property
    def settings(self) -> dict[str, Any]:
        """All settings, as JSON has them: ``type(self)(**settings)`` makes the same again."""
        return {field.name: as_json(getattr(self, field.name)) for field in _settings(type(self))}

    @property
    def space(self) -> Space:
        """What tuning tries, by the name of the setting; ``learner.size`` is the setting ``size`` of the component ``learner``."""
        found: dict[str, Dimension] = {}
        for field in _settings(type(self)):
            if field.metadata["tune"] is not None:
                found[field.name] = field.metadata["tune"]
            elif isinstance(field.metadata["allowed"], Component):
                part = self.component(field.name)
                found |= {f"{field.name}.{name}": dimension for name, dimension in part.space.items()}
        return found

    def component(self, name: str) -> Any:
        """A new instance of what the setting of this name describes."""
        _, allowed, _ = settings_of(type(self))[name]
        return allowed.made(name, getattr(self, name))  # type: ignore[union-attr]

    def value(self, name: str) -> Any:
        """What a setting is, as JSON has it; ``learner.size`` as in :attr:`space`."""
        outer, _, inner = name.partition(".")
        return self.component(outer).value(inner) if inner else self.settings[outer]

    def replaced(self, changes: Mapping[str, Any]) -> Self:
        """The same with some settings changed, and nothing learned. Raises ArgumentError as the constructor does."""
        settings = self.settings
        inner: dict[str, dict[str, Any]] = {}
        for name, value in changes.items():
            outer, _, rest = name.partition(".")
            if rest:
                inner.setdefault(outer, {})[rest] = value
            else:
                settings[outer] = value
        nested = [field.name for field in _settings(type(self)) if isinstance(field.metadata["allowed"], Component)]
        check_names(f"{type(self).__name__} that has settings of its own", inner, nested)
        for name, values in inner.items():
            settings[name] = as_json(self.component(name).replaced(values))
        return type(self)(**settings)

    def __repr__(self) -> str:
        defaults = {field.name: as_json(field.default) for field in _settings(type(self))}
        given = [f"{name}={value!r}" for name, value in self.settings.items() if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(given)})"


def _settings(cls: type[Any]) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(cls) if "allowed" in field.metadata]


def learned_fields(cls: type[Any]) -> dict[str, type[Any] | None]:
    """Names of what a class learns and saves, each with its kind: see :func:`learned`."""
    return {field.name: field.metadata["kind"] for field in dataclasses.fields(cls) if field.metadata.get("saved")}


def settings_of(cls: type[Config]) -> dict[str, tuple[Any, Allowed, str]]:
    """Default, allowed values and help of each setting of a class."""
    return {field.name: (field.default, field.metadata["allowed"], field.metadata["help"]) for field in _settings(cls)}


def as_json(value: Any) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Config):
        return {"name": getattr(value, "name", type(value).__name__), "settings": value.settings}
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_json(item) for item in value]
    return value


def make(what: str, registry: Mapping[str, type[Any]], name: object, settings: Mapping[str, Any]) -> Any:
    """What a registry has under ``name``, made with these settings; errors call it ``what``: "model", "learner".

    Raises ArgumentError for an unknown name or setting, with the nearest known one.
    """
    if not isinstance(name, str) or name not in registry:
        check_choice(what, name, tuple(registry))
    kind = registry[str(name)]
    check_names(str(name), settings, signature(kind).parameters)
    return kind(**settings)


def _described(cls: type[Any]) -> str:
    """The settings of a class as the Args section of its docstring."""
    lines = []
    for field in _settings(cls):
        text = field.metadata["help"].rstrip(".")
        allowed = field.metadata["allowed"]
        if not isinstance(allowed, Component | Components) and allowed != Text():  # names of components are not known yet
            text += f"; {allowed}"
        lines.append(f"        {field.name}: {text}; default {field.default!r}.")
    return "\n".join(lines) + "\n"


def _or(values: Iterable[object]) -> str:
    return "".join(f" or {value!r}" for value in values)
