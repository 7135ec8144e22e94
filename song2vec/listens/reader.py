"""What a reader is: one format's name, how to recognise it, and how to read it; with all that the files of readers need for it."""

from __future__ import annotations

import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from song2vec.core.errors import FormatError as FormatError
from song2vec.listens.schema import Rows as Rows
from song2vec.listens.sources import Source as Source


class Reader(ABC):
    """One log format.

    Attributes:
        name: what ``read_listens(format=...)`` calls it.
        title: what people call it.
        looks_like: the files or header it is known by, for ``song2vec formats``.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    looks_like: ClassVar[str]

    @abstractmethod
    def recognise(self, source: Source) -> bool:
        """Whether one source is of this format, by its name and head only; never raises on junk."""

    @abstractmethod
    def read(self, sources: list[Source]) -> Rows:
        """All recognised sources of one call. Raises FormatError when they are not what they claim."""


# Half of a character outside the basic plane, escaped alone: legal in JSON, but no Unicode text can hold it.
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def parse_json(source: Source) -> Any:
    """The whole source as JSON; FormatError names file, line and what was found."""
    return parse_json_text(source.text(), source.where)


def parse_json_text(text: str, where: str, *, line: int | None = None) -> Any:
    """A text as JSON; ``line`` is where the text lies in its file, when it is one line of many."""
    if "\\ud" in text or "\\uD" in text:
        text = _LONE_SURROGATE.sub(r"\\ufffd", text)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(where, f"not valid JSON: {error.msg}", line=line or error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise FormatError(where, f"not valid JSON: {error!s:.80}", line=line) from error


def parse_json_array(source: Source) -> list[dict[str, Any]]:
    """The whole source as a JSON array of objects; FormatError names the first item that is none."""
    items = parse_json(source)
    if not isinstance(items, list):
        raise FormatError(source.where, f"holds a JSON {type(items).__name__}; an array of plays is expected")
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise FormatError(source.where, f"item {number} is {item!r:.60}; an object is expected")
    return items


_KINDS: Mapping[type, str] = {int: "a whole number", str: "a text", list: "an array", dict: "an object"}


def needed(item: Any, field: str, kind: type, where: str, which: str, *, line: int | None = None) -> Any:
    """``item[field]`` of a JSON object, of this kind; ``which`` names the item in the FormatError (``"playlist 17"``)."""
    if not isinstance(item, dict):
        raise FormatError(where, f"{which} is {item!r:.60}; an object with a {field!r} is expected", line=line)
    value = item.get(field)
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    found = f"has {value!r:.60}" if field in item else "has none"
    raise FormatError(where, f"{which} {found}; {_KINDS[kind]} is needed", line=line, field=field)


def text_of(value: Any) -> str | None:
    """A JSON value as a name: texts as they are, whole numbers as their digits, all else null."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return str(value)
    return value if isinstance(value, str) else None


def seconds_of(value: Any, unit: float = 1.0) -> float | None:
    """A length in ``unit`` seconds (a number, or a text of one) as seconds; null when it is none or not above 0."""
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    try:
        seconds = float(value) * unit
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < math.inf else None


def id_series(name: str, values: list[Any]) -> pl.Series:
    """Ids as JSON has them: integers when all are, else text; what is neither becomes null."""
    if all(value is None or (type(value) is int and abs(value) < 1 << 63) for value in values):
        return pl.Series(name, values, pl.Int64)
    return pl.Series(name, [text_of(value) for value in values], pl.String)


def train_first(sources: list[Source]) -> list[Source]:
    """The files of a split in the order they were cut: train, valid, test."""

    def place(source: Source) -> int:
        return next((rank for rank, part in ((2, "test"), (1, "valid")) if part in source.name.lower()), 0)

    return sorted(sources, key=place)
