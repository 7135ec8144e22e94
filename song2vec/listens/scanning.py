"""One table file as a lazy frame: text in any encoding and with any separator, NDJSON, Parquet, Arrow."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from song2vec.core.errors import FormatError
from song2vec.listens.sources import Source

_SEPARATORS = "\t,;|"
_POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)  # polars panics on some damaged files


@contextmanager
def readable(where: str, what: str = "table", line: int | None = None) -> Iterator[None]:
    """Whatever polars cannot read in here is a FormatError."""
    try:
        yield
    except _POLARS_ERRORS as error:
        raise FormatError(where, f"not a readable {what} ({str(error).splitlines()[0]})", line=line) from error


def scan(source: Source) -> pl.LazyFrame:
    """One source as a lazy table; plain files stay on disk until their needed columns are read."""
    scanner, what = _SCANNERS.get(source.suffix, (_scan_csv, "table"))
    with readable(source.where, what):
        lazy = scanner(source)
        lazy.collect_schema()
        return lazy


def _scan_parquet(source: Source) -> pl.LazyFrame:
    return pl.scan_parquet(_plain(source), glob=False)


def _scan_arrow(source: Source) -> pl.LazyFrame:
    return pl.scan_ipc(_plain(source), glob=False)


def _scan_ndjson(source: Source) -> pl.LazyFrame:
    # polars would take these characters in a path for patterns
    on_disk = source.path is not None and not set("*?[") & set(source.where)
    return pl.scan_ndjson(source.where if on_disk else io.BytesIO(source.read()), infer_schema_length=10_000)


def _scan_csv(source: Source) -> pl.LazyFrame:
    """Every column as text: an id such as 007 must not become 7. Columns that are whole numbers are made so later."""
    data: Any = source.path if source.path is not None and _is_plain_utf8(source) else source.text().encode()
    separator = separator_of(source.head_text)
    # a tab-separated log quotes nothing, and titles hold lone quotes
    quote = None if separator == "\t" and not source.head_text.startswith('"') else '"'
    return pl.scan_csv(data, separator=separator, quote_char=quote, infer_schema=False, truncate_ragged_lines=True, glob=False)


def _plain(source: Source) -> Any:
    return source.path if source.path is not None else io.BytesIO(source.read())


_SCANNERS: dict[str, tuple[Callable[[Source], pl.LazyFrame], str]] = {
    **dict.fromkeys((".parquet", ".pq"), (_scan_parquet, "Parquet file")),
    **dict.fromkeys((".arrow", ".feather"), (_scan_arrow, "Arrow file")),
    **dict.fromkeys((".ndjson", ".jsonl"), (_scan_ndjson, "file of one JSON object a line")),
}


def separator_of(text: str) -> str:
    """The separator that the header line has most of."""
    header = text.split("\n", 1)[0]
    return max(_SEPARATORS, key=header.count)


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


def header(source: Source) -> list[str]:
    """The column names by the source's head; none when it is junk."""
    try:
        return _header(source)
    except (ValueError, RecursionError, csv.Error, pl.exceptions.PolarsError):  # FormatError is a ValueError
        return []


def _header(source: Source) -> list[str]:
    if source.suffix in (".ndjson", ".jsonl"):
        first = json.loads(source.head_text.split("\n", 1)[0])
        return list(first) if isinstance(first, dict) else []
    if source.suffix in (".parquet", ".pq", ".arrow", ".feather"):
        return scan(source).collect_schema().names()
    line = source.head_text.split("\n", 1)[0]
    if "\0" in line:  # binary junk under a text file's name
        return []
    return next(csv.reader([line], delimiter=separator_of(line)), [])
