"""Classes by name: the house's own, those that a program registers, and those of installed packages. Loaded when they are asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Protocol, TypeVar

from song2vec.core.checks import suggestion
from song2vec.core.config import make
from song2vec.core.errors import ArgumentError, MissingExtraError

logger = logging.getLogger("song2vec")

EXTRAS = {"torch": "rnn", "implicit": "mf", "optuna": "tune", "openTSNE": "maps", "voyager": "hnsw", "onnx": "onnx"}


class Named(Protocol):
    """What calls itself by a name."""

    name: ClassVar[str]


T = TypeVar("T", bound=Named)


class Registry(Mapping[str, type[T]]):
    """Names and their classes.

    Args:
        what: what they are, for errors: "model", "learner".
        places: name -> "module:Class", the module within ``song2vec``.
        plural: of ``what``, where it is not what + "s".

    Packages add theirs by an entry point of the group ``song2vec.models`` (by the plural), programs by :meth:`register`.
    Looking a name up raises MissingExtraError where its class needs a package that is not installed.
    """

    def __init__(self, what: str, places: Mapping[str, str], plural: str | None = None) -> None:
        self.what, self.plural = what, plural or f"{what}s"
        self._places = dict(places)
        self._registered: dict[str, type[T]] = {}

    @cached_property
    def _installed(self) -> dict[str, EntryPoint]:
        found = {}
        for point in entry_points(group=f"song2vec.{self.plural}"):
            if point.name in self._places:
                logger.warning("the %s %r of %s is passed over: song2vec has one of that name", self.what, point.name, point.value)
            else:
                found[point.name] = point
        return found

    def register(self, cls: type[T]) -> type[T]:
        """Add a class under its ``name``; also as a decorator. Raises ArgumentError for a name that another class has."""
        if cls.name in self._places or self._registered.get(cls.name, cls).__qualname__ != cls.__qualname__:
            raise ArgumentError(f"name={cls.name!r}: another {self.what} has this name; choose one that is free")
        self._registered[cls.name] = cls
        return cls

    def __getitem__(self, name: str) -> type[T]:
        if name in self._registered:
            return self._registered[name]
        try:
            if name in self._places:
                module, _, kind = self._places[name].partition(":")
                found: type[T] = getattr(import_module(f"song2vec.{module}"), kind)
            else:
                found = self._installed[name].load()
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in EXTRAS:
                raise
            raise MissingExtraError(package, EXTRAS[package], f"the {self.what} {name!r}") from error
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._places or name in self._registered or name in self._installed

    def __iter__(self) -> Iterator[str]:
        return iter([*self._places, *self._registered, *self._installed])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def make(self, name: object, settings: Mapping[str, Any] | None = None) -> T:
        """A new one by its name. Raises ArgumentError for an unknown name or setting, with the nearest known one."""
        made: T = make(self.what, self, name, settings or {})
        return made

    def class_named(self, kind: str) -> type[T]:
        """One of the house's own by the name of its class. Raises AttributeError for any other name."""
        for name, place in self._places.items():
            if place.partition(":")[2] == kind:
                return self[name]
        near = suggestion(kind, [place.partition(":")[2] for place in self._places.values()])
        raise AttributeError(f"module 'song2vec' has no attribute {kind!r}{near}")
