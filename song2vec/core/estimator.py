"""What learns: settings in the constructor, data in ``fit``, and what was learned in fields that are saved as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from song2vec.core.arrays import Array, pack_ids, unpack_ids
from song2vec.core.config import Config, learned_fields
from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.core.registry import Registry
from song2vec.core.storage import Part, Saved, prefixed, within

MAIN = "estimator"  # the part that says what it is


class Estimator(Config, Saved):
    """A thing with settings (:class:`Config`) that learns from data and is saved (:class:`Saved`).

    A subclass names itself and declares what it learns by :func:`learned`. Arrays, ids (a polars Series), whatever JSON has, named
    tuples of these and things that are Saved themselves are kept without further words; what is kept otherwise is for
    ``_learned_parts`` and ``_restore``.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        unfinished = any(getattr(getattr(cls, name, None), "__isabstractmethod__", False) for name in dir(cls))
        if not unfinished and not isinstance(getattr(cls, "name", None), str):
            raise TypeError(f'{cls.__name__}: has no name; write name = "..." in the class, as registries and saved folders call it')

    @classmethod
    def registry(cls) -> Registry[Any]:
        """The classes of the family by name, where ``load`` of its base class finds the right one; what has no family is its own."""
        alone: Registry[Any] = Registry(cls.kind, {})
        alone.register(cls)
        return alone

    def to_parts(self) -> dict[str, Part]:
        """Settings and everything learned. Raises ArgumentError before ``fit``."""
        self._check_fitted()
        parts = self._learned_parts()
        main = parts.setdefault(MAIN, Part())
        main.meta = {"name": self.name, "settings": self.settings, "learned": main.meta}
        return parts

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`, of whichever class of the family was saved."""
        main = parts[MAIN]
        found = cls.registry().make(main.meta["name"], main.meta["settings"])
        if not isinstance(found, cls):
            raise SavedFolderError(f"holds a {type(found).__name__}, where {cls.__name__} is asked for")
        found._restore({**parts, MAIN: Part(main.meta["learned"], main.arrays, file=main.file)})
        return found

    def _check_fitted(self) -> None:
        """Raises ArgumentError before ``fit``."""
        if any(not hasattr(self, name) for name in learned_fields(type(self))):
            raise ArgumentError(f"this {type(self).__name__} has learned nothing yet; call fit first")

    def _learned_parts(self) -> dict[str, Part]:
        """What was learned, by part; ``MAIN`` holds arrays and JSON."""
        main = Part()
        parts = {MAIN: main}
        for name, value in _pieces({name: getattr(self, name) for name in learned_fields(type(self))}):
            if isinstance(value, Saved):
                parts |= prefixed(name, value.to_parts())
            elif isinstance(value, np.ndarray):
                main.arrays[name] = value
            elif isinstance(value, pl.Series):
                main.arrays |= {f"{name}.{piece}": array for piece, array in pack_ids(value).items()}
            else:
                main.meta[name] = value
        return parts

    def _restore(self, parts: Mapping[str, Part]) -> None:
        """The inverse of ``_learned_parts``, on one that has its settings."""
        main = parts[MAIN]
        for name, kind in learned_fields(type(self)).items():
            setattr(self, name, _restored(name, kind, main, parts))

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays learned, without catalogue and ids."""
        return sum(array.nbytes for name, array in self._learned_parts()[MAIN].arrays.items())


def _pieces(learned: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values, with the fields of a named tuple in its place."""
    for name, value in learned.items():
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            yield from ((f"{name}.{field}", part) for field, part in value._asdict().items())
        else:
            yield name, value


def _restored(name: str, kind: type[Any] | None, main: Part, parts: Mapping[str, Part]) -> Any:
    if kind is not None and issubclass(kind, tuple):
        return kind(*(_restored(f"{name}.{field}", None, main, parts) for field in kind._fields))  # type: ignore[attr-defined]
    if name in main.meta:
        return main.meta[name]
    if kind is not None and issubclass(kind, Saved):
        return kind.from_parts(within(name, parts))
    if name in main.arrays:
        return main.arrays[name]
    ids: dict[str, Array] = {key.removeprefix(f"{name}."): array for key, array in main.arrays.items() if key.startswith(f"{name}.")}
    return unpack_ids(name.strip("_"), ids)
