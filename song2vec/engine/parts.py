"""What an engine says of itself and is made from, and functions over a model or vectors as its methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from song2vec.core.checks import check_choice, check_type, named_options
from song2vec.models import MODELS, NextSongModel, make_model

P = ParamSpec("P")
T = TypeVar("T")

_SONG, _SONGS = ("a", "b"), ("seed_songs", "history", "exclude", "songs")  # arguments that may be names


@dataclass(frozen=True)
class EngineInfo:
    """What an engine is made of.

    Attributes:
        songs, plays, size: of the catalogue and its vectors (size in numbers a vector).
        learner: which learner made the vectors, with its settings; empty for vectors from elsewhere.
        index: kind of the index; ``recall`` its recall@10 against exact search on a sample.
        next_song: which model says what comes next, with its settings; empty when there is none.
    """

    songs: int
    plays: int
    size: int
    learner: dict[str, Any]
    index: str
    recall: float
    next_song: dict[str, Any]

    def __str__(self) -> str:
        text = f"{self.songs:,} songs, {self.plays:,} plays, vectors of {self.size}, {self.index} index (recall@10 {self.recall:.3f})"
        return f"{text}, {self.next_song['name']} for what comes next" if self.next_song else text


def next_song_model(given: str | NextSongModel | None, seed: int) -> NextSongModel | None:
    """A model by its name, with this seed if it takes one, or one of the caller's own making as it is."""
    if isinstance(given, str):
        check_choice("next_song", given, MODELS)
        return make_model(given, {"seed": seed} if "seed" in signature(MODELS[given]).parameters else {})
    if given is not None:
        check_type("next_song", given, NextSongModel, f"None, {', '.join(map(repr, MODELS))} or a model such as MarkovChain() is allowed")
    return given


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
