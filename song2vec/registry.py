"""Classes by name; those that need an optional package are loaded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import ClassVar, Protocol, TypeVar

from song2vec.errors import MissingExtraError


class Named(Protocol):
    """What calls itself by a name."""

    name: ClassVar[str]


T = TypeVar("T", bound=Named)


class Registry(Mapping[str, type[T]]):
    """Names and their classes.

    Args:
        room: the package that the classes are in.
        ready: classes, named by themselves.
        later: names, and "module:Class" within the room: what imports torch, or this registry.

    Looking one up raises MissingExtraError where torch is not installed.
    """

    def __init__(self, room: str, ready: tuple[type[T], ...], later: Mapping[str, str]) -> None:
        self._room = room
        self._ready = {model.name: model for model in ready}
        self._later = dict(later)

    def __getitem__(self, name: str) -> type[T]:
        if name not in self._later:
            return self._ready[name]
        module, _, kind = self._later[name].partition(":")
        try:
            found: type[T] = getattr(import_module(f"{self._room}.{module}"), kind)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "torch":
                raise
            raise MissingExtraError("torch", "rnn", f"the model {name!r}") from error
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._ready or name in self._later

    def __iter__(self) -> Iterator[str]:
        yield from self._ready
        yield from self._later

    def __len__(self) -> int:
        return len(self._ready) + len(self._later)

    def class_named(self, kind: str) -> type[T]:
        """What is loaded late, by the name of its class. Raises AttributeError for any other name."""
        for name, place in self._later.items():
            if place.partition(":")[2] == kind:
                return self[name]
        raise AttributeError(f"module {self._room!r} has no attribute {kind!r}")
