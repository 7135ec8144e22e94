"""What a candidate network knows beside the songs: when a session began, how old an example is, and what else the log has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Self

import numpy as np
import polars as pl

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.models.live import LiveSession, SessionState
from song2vec.sessions import Sessions

HOURS, WEEKDAYS, AGES = 24, 7, 3
MOST_VALUES, MOST_WORDS = 1_000, 50_000  # the most frequent of a column, of all queries; all others count as unknown
_DAY = 86_400
_WORD = re.compile(r"\w+")


class ContextEncoder(NamedTuple):
    """Turns the context of sessions into numbers, and their queries into rows of a table of words.

    Attributes:
        clock, age: whether hour and weekday, and the age of an example, are among the numbers.
        values: by column of context, the values that are known.
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
        queries = [] if query is None else [query]
        for name, setting in [*((column, "context") for column in columns), *((column, "query") for column in queries)]:
            if name not in there:
                has = f"have {', '.join(there)}" if there else "have no context"
                raise ArgumentError(f"{setting}: {name!r} is no context of the sessions, which {has}; read_listens(columns=...) keeps some")
        values = {name: _frequent(_texts(sessions.context, name), MOST_VALUES) for name in columns}
        words = [_split(_texts(sessions.context, name)).explode() for name in queries]
        return cls(clock, age, values, query, _frequent(words[0], MOST_WORDS) if words else [])

    @property
    def size(self) -> int:
        """How many numbers a session has."""
        return self.clock * (HOURS + WEEKDAYS) + self.age * AGES + sum(map(len, self.values.values()))

    def features(self, sessions: Sessions, which: Array, age: Array) -> Array:
        """(n, size) float32 of these sessions; ``age`` is (n, 3). A value that is not known is all zeros."""
        start = None if sessions.start is None else sessions.start[which]
        parts = [np.zeros((len(which), 0), np.float32)] + [clock(start, len(which))] * self.clock + [age] * self.age
        for name, known in self.values.items():
            places = _places(_texts(sessions.context, name, which), known)
            found = np.zeros((len(which), len(known)), np.float32)
            found[np.flatnonzero(places >= 0), places[places >= 0]] = 1
            parts.append(found)
        return np.concatenate(parts, 1)

    def queries(self, sessions: Sessions, which: Array) -> tuple[Array, Array]:
        """(all words,) int64 rows of the known words in the queries of these sessions, end to end, and (n,) how many each has."""
        if self.query is None:
            return np.empty(0, np.int64), np.zeros(len(which), np.int64)
        texts = _split(_texts(sessions.context, self.query, which))
        asked = pl.DataFrame({"session": np.arange(len(which)), "word": texts}).explode("word")
        places = _places(asked["word"], self.words)
        return places[places >= 0], np.bincount(asked["session"].to_numpy()[places >= 0], minlength=len(which))


def _texts(context: pl.DataFrame | None, name: str, which: Array | None = None) -> pl.Series:
    """A column of context; nulls where there is none."""
    if context is None or name not in context.columns:
        return pl.Series(name, [None] * (0 if which is None else len(which)), dtype=pl.String)
    return context[name] if which is None else context[name].gather(which)


def _split(queries: pl.Series) -> pl.Series:
    """Lists of words in lower case."""
    return queries.str.to_lowercase().str.extract_all(_WORD.pattern)


def _frequent(texts: pl.Series, most: int) -> list[str]:
    counted = pl.DataFrame({"text": texts.drop_nulls()}).group_by("text").len().sort(["len", "text"], descending=[True, False])
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
    found = np.zeros((sessions, HOURS + WEEKDAYS), np.float32)
    if start is not None:
        rows, day = np.arange(sessions), np.asarray(start) // _DAY
        found[rows, np.asarray(start) % _DAY // 3600] = 1
        found[rows, HOURS + (day + 3) % 7] = 1  # the first day of the epoch was a Thursday
    return found


def ages(start: Array | None, sessions: int) -> Array:
    """(sessions, 3) float32: how long before the last session each began, as a share a of all the time, as a, a^2 and a^0.5.

    Zeros are the end of the training log: what is asked for when the network serves, and all there is without times.
    """
    if start is None or not len(start) or start.max() == start.min():
        return np.zeros((sessions, AGES), np.float32)
    share = (start.max() - start) / (start.max() - start.min())
    return np.stack([share, share**2, np.sqrt(share)], 1).astype(np.float32)


def known_of(at: datetime | int | None, context: Mapping[str, str | None] | None, columns: Collection[str]) -> dict[str, Any]:
    """What is known of one session: ``at``, when it began in epoch seconds, and ``context``, texts by column; None where it is not known.

    Raises ArgumentError for what is no time, no text by column, and for columns other than these.
    """
    far = isinstance(at, int | np.integer) and not -(2**62) < at < 2**62
    if far or isinstance(at, bool) or not isinstance(at, datetime | int | np.integer | None):
        raise ArgumentError(f"at={at!r}: epoch seconds, a datetime or None is allowed")
    texts = isinstance(context, Mapping) and all(isinstance(value, str | None) for value in context.values())
    if context is not None and not texts:
        raise ArgumentError(f"context={context!r}: texts by column are allowed, such as {{'country': 'SE'}}")
    for name in context or ():
        if name not in columns:
            allowed = f"{', '.join(map(repr, columns))} are allowed" if columns else "this model has learned from no context"
            raise ArgumentError(f"context: {name!r} is no column that the model has learned from; {allowed}")
    seconds = at.timestamp() if isinstance(at, datetime) else at
    return {"at": None if seconds is None else int(seconds), "context": None if context is None else dict(context)}


def with_known(session: Sessions, at: int | None, context: Mapping[str, str | None] | None) -> Sessions:
    """One session with what is known of it."""
    if at is not None:
        session = replace(session, start=np.array([at], np.int64))
    if context is not None:
        frame = pl.DataFrame({name: [value] for name, value in context.items()}, schema=dict.fromkeys(context, pl.String))
        session = replace(session, context=frame)
    return session


class ContextSession(LiveSession):
    """A live session of which more is :func:`known_of` than its songs; ``columns`` of context are those that the model has learned from."""

    def __init__(self, model: Any, listener: SongId | None, known: dict[str, Any], columns: Collection[str]) -> None:
        super().__init__(model, listener)
        self._known, self._columns = known, columns

    @property
    def _asked(self) -> dict[str, Any]:
        return {**super()._asked, **self._known}

    def state(self) -> SessionState:
        state = super().state()
        state.details = {"known": self._known}
        return state

    def resume(self, state: SessionState) -> Self:
        saved = state.details.get("known", {})
        context = {name: value for name, value in (saved.get("context") or {}).items() if name in self._columns}
        self._known = {"at": saved.get("at"), "context": context or None}
        return super().resume(state)
