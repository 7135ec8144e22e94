"""What the readers of play logs share: JSON fields as columns, ends to starts, newest-first logs turned round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from song2vec.core.errors import FormatError
from song2vec.listens.scanning import readable
from song2vec.listens.sources import Source
from song2vec.listens.times import parse_time

TEXT, NUMBER, FLAG = pl.String(), pl.Float64(), pl.Boolean()
Fields = Mapping[str, pl.DataType]
_ALLOWED = {TEXT: "a text", NUMBER: "a number", FLAG: "true, false"}
_DAY = 86_400_000  # milliseconds


def is_json_with(source: Source, *keys: str) -> bool:
    """Whether a .json file has all these keys in its head."""
    return source.suffix == ".json" and all(f'"{key}"' in source.head_text for key in keys)


def json_frame(items: Sequence[Mapping[str, Any]], where: str, needed: Fields, optional: Fields) -> pl.DataFrame:
    """These fields of JSON objects as columns; nulls stay, and an optional field that no item fills is left out.

    Raises FormatError at the first item that lacks a needed field, or has a value of another kind.
    """
    columns = []
    for name, kind in {**needed, **optional}.items():
        values = [item.get(name) for item in items]
        for number, value in enumerate(values, 1):
            if value is None and name in needed and name not in items[number - 1]:
                raise FormatError(where, f"item {number} has none; {_ALLOWED[kind]} or null is needed", field=name)
            if value is not None and not _is(value, kind):
                raise FormatError(where, f"item {number} has {value!r:.60}; {_ALLOWED[kind]} or null is allowed", field=name)
        if name in needed or any(value is not None for value in values):
            columns.append(pl.Series(name, values, kind, strict=False))
    return pl.DataFrame(columns)


def _is(value: Any, kind: pl.DataType) -> bool:
    if kind == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1 << 63
    return isinstance(value, str if kind == TEXT else bool)


def numbers(texts: pl.Series, where: str, lines: Sequence[int]) -> pl.Series:
    """A column of text as numbers, blanks as null; FormatError names the line of the first that is none."""
    texts = texts.str.strip_chars()
    found = texts.cast(pl.Float64, strict=False)
    wrong = texts.is_not_null() & (texts != "") & ~found.is_finite().fill_null(False)
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise FormatError(where, f"has {texts[row]!r:.60}; a number or nothing is allowed", line=lines[row], field=texts.name)
    return found


def start_of(ended: str, milliseconds: str) -> pl.Expr:
    """When a play began that ended then and lasted so long; a length below 0 or above a day counts as 0 or a day."""
    played = pl.col(milliseconds).fill_null(0).clip(0, _DAY).cast(pl.Int64)
    return pl.col(ended) - pl.duration(milliseconds=played)


def oldest_first(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """A log that its format keeps newest first, in the order it was played, so that plays with equal stamps keep theirs too.

    One that someone has already turned round (its times rise more often than they fall) is left as it is.
    """
    times = parse_time(frame["time"], where)
    steps = times.drop_nulls().diff().dt.total_microseconds()
    frame, rises, falls = frame.with_columns(times), (steps > 0).sum(), (steps < 0).sum()
    return frame if rises > falls else frame.reverse()


def headerless(data: Path | bytes, where: str, names: Sequence[str], *, separator: str, quote: str | None) -> pl.DataFrame:
    """A table without a header line, every column as text; rows that are cut short end in nulls, empty lines are left out.

    Broken characters become U+FFFD. Raises FormatError when its first line has fewer columns than ``names``.
    """
    with readable(where, f"table of {len(names)} columns", line=1):
        lazy = pl.scan_csv(
            data,
            has_header=False,
            schema=dict.fromkeys(names, pl.String()),
            separator=separator,
            quote_char=quote,
            encoding="utf8-lossy",
            truncate_ragged_lines=True,
            glob=False,
        )
        return lazy.filter(~pl.all_horizontal(pl.all().is_null())).collect()
