"""Song ids as word2vec files hold them: without white space, and integers as text."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import polars as pl

from song2vec.catalogue import Catalogue

# Ids are cut at a space by every word2vec reader; only what would break is escaped, so plain ids stay as they are.
_UNSAFE = re.compile(r"[\s%]")
_ESCAPED = re.compile(r"(?:%[0-9A-F]{2})+")


def written_ids(catalogue: Catalogue) -> list[str]:
    """Ids as text, white space and % as in URLs (``%20``)."""
    if catalogue.holds_integers:
        return [str(song) for song in catalogue.ids.to_list()]
    return [_UNSAFE.sub(lambda found: quote(found[0], safe=""), song) for song in catalogue.ids.to_list()]


def read_id(song: str) -> str:
    """The inverse of :func:`written_ids` for one id."""

    def decode(found: re.Match[str]) -> str:
        text = unquote(found[0])
        return text if all(_UNSAFE.match(character) for character in text) else found[0]

    return _ESCAPED.sub(decode, song)


def whole_numbers(ids: pl.Series) -> pl.Series:
    """Ids that are all whole numbers as int64; any others as they are."""
    if not ids.str.contains(r"^(0|-?[1-9][0-9]{0,18})$").all():
        return ids
    numbers = ids.cast(pl.Int64, strict=False)
    return ids if numbers.null_count() else numbers
