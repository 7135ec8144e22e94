"""One table file as a lazy frame: text in any encoding and with any separator, NDJSON, Parquet, Arrow."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from song2vec.core.errors import FormatError
from song2vec.listens.sources import Source

_SEPARATORS = "\t,;|"
_POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)  # polars panics on some damaged files
_PARQUET, _ARROW, _LINES = (".parquet", ".pq"), (".arrow", ".feather"), (".ndjson", ".jsonl")
_KINDS = {
    **dict.fromkeys(_PARQUET, "Parquet file"),
    **dict.fromkeys(_ARROW, "Arrow file"),
    **dict.fromkeys(_LINES, "file of one JSON object a line"),
}


@contextmanager
def readable(where: str, what: str = "table", line: int | None = None) -> Iterator[None]:
    """Whatever polars cannot read in here is a FormatError."""
    try:
        yield
    except _POLARS_ERRORS as error:
        raise FormatError(where, f"not a readable {what} ({str(error).splitlines()[0]})", line=line) from error


def scan(source: Source) -> pl.LazyFrame:
    """One source as a lazy table; plain files stay on disk until their needed columns are read."""
    with readable(source.where, _KINDS.get(source.suffix, "table")):
        lazy = _scan(source)
        lazy.collect_schema()
        return lazy


def _scan(source: Source) -> pl.LazyFrame:
    if source.suffix in _PARQUET + _ARROW:
        plain: Any = source.path if source.path is not None else io.BytesIO(source.read())
        return pl.scan_parquet(plain, glob=False) if source.suffix in _PARQUET else pl.scan_ipc(plain, glob=False)
    if source.suffix in _LINES:
        # polars would take these characters in a path for patterns
        on_disk = source.path is not None and not set("*?[") & set(source.where)
        return pl.scan_ndjson(source.where if on_disk else io.BytesIO(source.read()), infer_schema_length=10_000)
    # every column as text: an id such as 007 must not become 7; columns that are whole numbers are made so later
    data: Any = source.path if source.path is not None and _is_plain_utf8(source) else source.text().encode()
    separator = _separator_of(source.head_text)
    # a tab-separated log quotes nothing, and titles hold lone quotes
    quote = None if separator == "\t" and not source.head_text.startswith('"') else '"'
    return pl.scan_csv(data, separator=separator, quote_char=quote, infer_schema=False, truncate_ragged_lines=True, glob=False)


def columns_of(source: Source, columns: Mapping[str, str], needed: Sequence[str] = ()) -> pl.DataFrame:
    """The columns of a table that are keys of ``columns``, under these names; FormatError where one that is needed is absent."""
    lazy = scan(source)
    names = lazy.collect_schema().names()
    for name in needed:
        if name not in names:
            line = None if source.suffix in _KINDS else 1
            raise FormatError(source.where, f"is no column; the columns are {', '.join(names):.300}", line=line, field=name)
    with readable(source.where):
        return lazy.select(pl.col(name).alias(column) for name, column in columns.items() if name in names).collect()


def headerless(data: Path | bytes, where: str, names: Sequence[str], *, separator: str, quote: str | None) -> pl.DataFrame:
    """A table without a header line, every column as text; rows that are cut short end in nulls, empty lines are left out.

    Broken characters become U+FFFD. Raises FormatError when its first line has fewer columns than ``names``.
    """
    text = {"schema": dict.fromkeys(names, pl.String()), "separator": separator, "quote_char": quote, "encoding": "utf8-lossy"}
    with readable(where, f"table of {len(names)} columns", line=1):
        lazy = pl.scan_csv(data, has_header=False, truncate_ragged_lines=True, glob=False, **text)  # type: ignore[arg-type]
        return lazy.filter(~pl.all_horizontal(pl.all().is_null())).collect()


def header(source: Source) -> list[str]:
    """The column names by the source's head; none when it is junk."""
    try:
        line = source.head_text.split("\n", 1)[0]
        if source.suffix in _LINES:
            first = json.loads(line)
            return list(first) if isinstance(first, dict) else []
        if source.suffix in _PARQUET + _ARROW:
            return scan(source).collect_schema().names()
        # binary junk may lie under a text file's name
        return [] if "\0" in line else next(csv.reader([line], delimiter=_separator_of(line)), [])
    except (ValueError, RecursionError, csv.Error, pl.exceptions.PolarsError):  # FormatError is a ValueError
        return []


def _separator_of(text: str) -> str:
    """The separator that the header line has most of."""
    return max(_SEPARATORS, key=text.split("\n", 1)[0].count)


def _is_plain_utf8(source: Source) -> bool:
    """Whether polars can read the file as it lies: valid UTF-8 to the end, Unix or Windows line ends."""
    old_mac = b"\r" in source.head and b"\n" not in source.head
    if old_mac or source.head.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    with source.open() as file:
        try:
            while block := file.read(1 << 22):
                decoder.decode(block)
        except UnicodeDecodeError:
            return False
    return True
