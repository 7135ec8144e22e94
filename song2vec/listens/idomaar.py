"""30Music's sessions (Turrin et al., RecSys 2015) in the Idomaar format: tab-separated events with JSON in their last column."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from song2vec.listens.json_values import ID, SECONDS, columns_of_rows, needed, parse_json_text, seconds_of
from song2vec.listens.reader import FileReader, FormatError, Rows, Source

_EVENT = "event.session"
_BATCH = 500_000  # plays held as Python objects at a time; the dataset has 31 million
_SECOND_OBJECT = re.compile(r"\}\s*\{")  # inside an object there is always a comma between
_UNIX_TIME = re.compile(r"-?\d{1,18}")  # -1 means unknown
_FIELDS = {"listener": ID, "session": ID, "song": ID, "time": pl.Int64(), "played_seconds": SECONDS}


class Idomaar(FileReader):
    name = "idomaar"
    title = "30Music sessions (Idomaar)"
    looks_like = "sessions.idomaar: event.session, id, time, properties and plays as JSON"

    def recognise(self, source: Source) -> bool:
        """Begins with an ``event.session``; other Idomaar files (tracks, users, ...) are none of ours."""
        return source.head.startswith(_EVENT.encode() + b"\t")

    def rows(self, source: Source) -> Rows:
        """All plays of all sessions; a play's time is its session's start plus its own ``playstart``."""
        frames: list[pl.DataFrame] = []
        plays: list[tuple[Any, ...]] = []
        for number, line in source.lines():
            plays += _plays(line.rstrip("\n"), source.where, number)
            if len(plays) >= _BATCH:
                frames.append(columns_of_rows(plays, _FIELDS))
                plays = []
        return Rows(pl.concat([*frames, columns_of_rows(plays, _FIELDS)], how="vertical_relaxed"))


def _plays(line: str, where: str, number: int) -> list[tuple[Any, ...]]:
    """One line: the kind of event, its id, its time in unix seconds, and two JSON objects in one column."""
    kind, session, start, rest = [*line.split("\t", 3), "", "", "", ""][:4]
    if kind != _EVENT:
        raise FormatError(where, f"begins with {kind!r:.60}; {_EVENT!r} is expected", line=number)
    if not _UNIX_TIME.fullmatch(start):
        raise FormatError(where, f"has {start!r:.60}; a unix time in seconds is expected", line=number, field="time")
    cut = _SECOND_OBJECT.search(rest)
    links = parse_json_text(rest[cut.end() - 1 :], where, line=number) if cut else None
    if not isinstance(links, dict):
        raise FormatError(where, f"ends in {rest[-60:]!r}; two JSON objects are expected", line=number)
    listener = next(iter(_objects(links, "subjects", where, number)), {}).get("id")
    given = int(session) if session.isdecimal() and len(session) < 19 else session
    plays = []
    for song in _objects(links, "objects", where, number):
        after, time = song.get("playstart"), None
        if isinstance(after, int | float) and not isinstance(after, bool) and abs(after) <= 1e12:
            time = int(start) + round(after)
        plays.append((listener, given, song.get("id"), time, seconds_of(song.get("playtime"))))
    return plays


def _objects(links: dict[str, Any], field: str, where: str, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = needed(links, field, list, where, "the session", line=number)
    for item in found:
        if not isinstance(item, dict):
            raise FormatError(where, f"has {item!r:.60}; objects with an 'id' are expected", line=number, field=field)
    return found
