"""Functions over a model or vectors as methods of an engine."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from song2vec.core.checks import named_options

P = ParamSpec("P")
T = TypeVar("T")

_SONG, _SONGS = ("a", "b"), ("seed_songs", "history", "exclude", "songs")  # arguments that may be names


def of_engine(make: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """A function as a method: over the model or vectors of the engine, with songs by name too, without those removed.

    Its options are spelt out once, in the function: type checkers, completion and help find the same in the method.
    """
    call: Callable[..., T] = make
    first, *rest = signature(make).parameters.values()
    names = [parameter.name for parameter in rest]

    def method(engine: Any, /, *args: P.args, **options: P.kwargs) -> T:
        given = signature(method).bind(engine, *args, **options).arguments
        del given["self"]
        for name in (name for name in given if name in _SONG + _SONGS and given[name] is not None):
            given[name] = engine.find(given[name]) if name in _SONG else engine._ids(given[name])
        if "exclude" in names:
            given["exclude"] = given.get("exclude", []) + engine._removed
        if "vectors" in names:
            given.setdefault("vectors", engine.vectors)
        model = engine.vectors if engine.next_song is None else engine.next_song
        return call(engine.vectors if first.name == "vectors" else model, **given)

    method.__name__, method.__qualname__ = make.__name__, f"Engine.{make.__name__.removeprefix('song_')}"
    method.__signature__ = signature(make).replace(parameters=[Parameter("self", first.kind), *rest])  # type: ignore[attr-defined]
    method.__doc__ = f"{make.__doc__}\n    Of an engine: ``{first.name}`` is its own, songs may be names, and songs removed are left out."
    return named_options(method)
