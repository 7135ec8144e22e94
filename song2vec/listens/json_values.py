"""What the readers of JSON share: values checked one by one, and columns made of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from song2vec.core.errors import FormatError
from song2vec.listens.sources import Source

TEXT, NUMBER, FLAG, SECONDS = pl.String(), pl.Float64(), pl.Boolean(), pl.Float32()
ID = pl.Unknown()  # whole numbers where all are, else texts
Fields = Mapping[str, pl.DataType]
_ALLOWED: Mapping[pl.DataType, tuple[Any, str]] = {TEXT: (str, "a text"), NUMBER: (int | float, "a number"), FLAG: (bool, "true, false")}
_KINDS: Mapping[type, str] = {int: "a whole number", str: "a text", list: "an array", dict: "an object"}
# Half of a character outside the basic plane, escaped alone: legal in JSON, but no Unicode text can hold it.
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def is_json_with(source: Source, *keys: str) -> bool:
    """Whether a .json file has all these keys in its head."""
    return source.suffix == ".json" and all(f'"{key}"' in source.head_text for key in keys)


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
    if _is_whole(value):
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


def columns_of_rows(rows: Sequence[Sequence[Any]], fields: Fields) -> pl.DataFrame:
    """Rows of JSON values, one a field, as a table."""
    columns: dict[str, pl.Series] = {}
    for place, (name, kind) in enumerate(fields.items()):
        values = [row[place] for row in rows]
        if kind != ID:
            columns[name] = pl.Series(values, dtype=kind)
        elif all(value is None or _is_whole(value) for value in values):
            columns[name] = pl.Series(values, dtype=pl.Int64)
        else:
            columns[name] = pl.Series([text_of(value) for value in values], dtype=pl.String)
    return pl.DataFrame(columns)


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) < 1 << 63


def json_frame(items: Sequence[Mapping[str, Any]], where: str, needed: Fields, optional: Fields) -> pl.DataFrame:
    """These fields of JSON objects as columns; nulls stay, and an optional field that no item fills is left out.

    Raises FormatError at the first item that lacks a needed field, or has a value of another kind.
    """
    columns = []
    for name, kind in {**needed, **optional}.items():
        values, (types, allowed) = [item.get(name) for item in items], _ALLOWED[kind]
        for number, value in enumerate(values, 1):
            if value is None and name in needed and name not in items[number - 1]:
                raise FormatError(where, f"item {number} has none; {allowed} or null is needed", field=name)
            fits = isinstance(value, types) and (kind != NUMBER or (type(value) is not bool and abs(value) < 1 << 63))
            if value is not None and not fits:
                raise FormatError(where, f"item {number} has {value!r:.60}; {allowed} or null is allowed", field=name)
        if name in needed or any(value is not None for value in values):
            columns.append(pl.Series(name, values, kind, strict=False))
    return pl.DataFrame(columns)
