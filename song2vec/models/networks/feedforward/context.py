"""What a candidate network is told beside the songs: when the session began, how old an example is, and what the log adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions

HOURS, WEEKDAYS, AGES = 24, 7, 3
MOST_VALUES, MOST_WORDS = 1_000, 50_000  # the most frequent of a column, of all queries; others are as good as untold
_DAY = 86_400
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Teller:
    """What a network is told of sessions, as numbers and as the words of a query.

    Attributes:
        clock, age: hour and weekday, and the age of an example.
        values: of each column of context that is told, the values that are known.
        query: the column of context that holds queries; None without.
        words: those that are known.
    """

    clock: bool
    age: bool
    values: Mapping[str, Sequence[str]]
    query: str | None
    words: Sequence[str]

    @classmethod
    def learned(cls, sessions: Sessions, *, clock: bool, age: bool, columns: Iterable[str], query: str | None) -> Self:
        """With the most frequent values and words of these sessions. Raises ArgumentError for a column that they lack."""
        there = [] if sessions.context is None else sessions.context.columns
        for name, setting in [*((column, "context") for column in columns), *([(query, "query")] if query is not None else [])]:
            if name not in there:
                has = f"have {', '.join(there)}" if there else "have no context"
                raise ArgumentError(f"{setting}: {name!r} is no context of the sessions, which {has}; read_listens(columns=...) keeps some")
        texts = {name: _texts(sessions.context, name) for name in (*columns, *([query] if query is not None else []))}
        values = {name: _frequent(texts[name].drop_nulls(), MOST_VALUES) for name in columns}
        words = _frequent(pl.Series(_split(texts[query]).explode().drop_nulls()), MOST_WORDS) if query is not None else []
        return cls(clock, age, values, query, words)

    @property
    def numbers(self) -> int:
        """How many numbers are told of a session."""
        return self.clock * (HOURS + WEEKDAYS) + self.age * AGES + sum(map(len, self.values.values()))

    def tell(self, sessions: Sessions, which: Array, age: Array) -> Array:
        """(n, numbers) float32 of these sessions; ``age`` is (n, 3). A value that is not known is told as zeros."""
        start = None if sessions.start is None else sessions.start[which]
        parts = [np.zeros((len(which), 0), np.float32)] + [clock(start, len(which))] * self.clock + [age] * self.age
        for name, known in self.values.items():
            places = _places(_texts(sessions.context, name, which), known)
            told = np.zeros((len(which), len(known)), np.float32)
            told[np.flatnonzero(places >= 0), places[places >= 0]] = 1
            parts.append(told)
        return np.concatenate(parts, 1)

    def say(self, sessions: Sessions, which: Array) -> tuple[Array, Array]:
        """(all words,) int64 rows of the words that are known in the queries of these sessions, and (n,) how many each has."""
        if self.query is None:
            return np.empty(0, np.int64), np.zeros(len(which), np.int64)
        said = pl.DataFrame({"session": np.arange(len(which)), "word": _split(_texts(sessions.context, self.query, which))}).explode("word")
        places = _places(said["word"], self.words)
        known = places >= 0
        return places[known], np.bincount(said["session"].to_numpy()[known], minlength=len(which))


def _texts(context: pl.DataFrame | None, name: str, which: Array | None = None) -> pl.Series:
    """A column of context; nulls where there is none."""
    if context is None or name not in context.columns:
        return pl.Series(name, [None] * (0 if which is None else len(which)), dtype=pl.String)
    return context[name] if which is None else context[name].gather(which)


def _split(queries: pl.Series) -> pl.Series:
    """Lists of words in lower case."""
    return queries.str.to_lowercase().str.extract_all(_WORD.pattern)


def _frequent(texts: pl.Series, most: int) -> list[str]:
    counted = pl.DataFrame({"text": texts}).group_by("text").len().sort(["len", "text"], descending=[True, False])
    found: list[str] = counted["text"].head(most).to_list()
    return found


def _places(texts: pl.Series, known: Sequence[str]) -> Array:
    """(n,) int64: where each stands among those known; -1 for others and for nulls."""
    places = texts.replace_strict(list(known), np.arange(len(known)), default=-1, return_dtype=pl.Int64)
    return places.fill_null(-1).to_numpy()


def clock(start: Array | None, sessions: int) -> Array:
    """(sessions, 31) float32: 1 for the hour of the day and 1 for the weekday (UTC, Monday first); zeros without times.

    Args:
        start: (sessions,) epoch seconds, or None.
    """
    told = np.zeros((sessions, HOURS + WEEKDAYS), np.float32)
    if start is not None:
        rows, day = np.arange(sessions), np.asarray(start) // _DAY
        told[rows, np.asarray(start) % _DAY // 3600] = 1
        told[rows, HOURS + (day + 3) % 7] = 1  # the first day of the epoch was a Thursday
    return told


def ages(start: Array | None, sessions: int) -> Array:
    """(sessions, 3) float32: how long before the last session each began, as a share a of all the time, as a, a^2 and a^0.5.

    Zeros are the end of the training log: what is asked for when the network serves, and all there is without times.
    """
    if start is None or not len(start) or start.max() == start.min():
        return np.zeros((sessions, AGES), np.float32)
    share = (start.max() - start) / (start.max() - start.min())
    return np.stack([share, share**2, np.sqrt(share)], 1).astype(np.float32)
