"""What a listens table is, and what becomes of rows that do not fit it.

Five rows of one, as every reader returns it::

    listener  song                    time                 played_seconds  artist       title
    me        spotify:track:0x1       2020-01-01 00:00 UTC 185.0           Fleet Foxes  Mykonos
    me        spotify:track:0x2       2020-01-01 00:03 UTC 12.5            Low          Monkey
    me        spotify:track:0x3       2020-01-01 00:04 UTC 240.1           Wilco        Jesus, Etc.
    me        spotify:track:0x1       2020-01-03 18:20 UTC 185.0           Fleet Foxes  Mykonos
    me        spotify:track:0x4       2020-01-03 18:24 UTC 201.9           Feist        Mushaboom
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from song2vec.core.errors import FormatError, NothingLeftError
from song2vec.listens.times import parse_time

logger = logging.getLogger("song2vec")

COLUMNS: Mapping[str, str] = {
    "listener": "who listened: a string or an integer",
    "song": "which song: a string or an integer; where a log has no ids, 'artist - title'",
    "time": "when the play began, UTC; absent where the log has no times",
    "played_seconds": "how long it was played, float32",
    "duration_seconds": "how long the song is, float32",
    "artist": "the artist's name",
    "title": "the song's title",
    "session": "the session, playlist or basket it came in, where the log gives one",
    "skipped": "true where the log marks the play as skipped",
}
_TYPES: Mapping[str, pl.DataType] = {"played_seconds": pl.Float32(), "duration_seconds": pl.Float32(), "skipped": pl.Boolean()}
CONTEXT = "context:"  # what begins so is kept as text for models that take it: "context:country", "context:query"
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # unset clocks say 1970 or 1980; no listening log is this old
DEFAULT_LISTENER = "me"


@dataclass(frozen=True)
class ReadReport:
    """What a reader found: rows read, kept, and dropped for each reason; files it left alone."""

    format: str
    files: list[str]
    read: int
    kept: int
    dropped: dict[str, int]
    ignored: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        files = self.files[0] if len(self.files) == 1 else f"{len(self.files)} files"
        text = f"{files} ({self.format}): {self.read:,} rows read, {self.kept:,} kept"
        if self.dropped:
            text += f", {self.read - self.kept:,} dropped ({reasons(self.dropped)})"
        return text


@dataclass(frozen=True, eq=False)
class Listens:
    """A listens table with the report of how it was read.

    Attributes:
        table: polars DataFrame with ``listener`` and ``song``, those of the other columns of
            ``song2vec.listens.schema.COLUMNS`` that the log has, and what was asked for as "context:..."; in the order of the log.
        report: rows read, kept and dropped, reason by reason.
    """

    table: pl.DataFrame
    report: ReadReport

    def __len__(self) -> int:
        return self.table.height

    def __repr__(self) -> str:
        return f"{self.report}\n{self.table}"


@dataclass(frozen=True)
class Rows:
    """What one reader hands over: columns under their listens names, and the rows it dropped itself.

    ``time`` may still be text or numbers, ``song`` may be null where artist and title stand for it, and
    ``listener`` may be missing: :func:`standardise` settles all that once for every format.
    """

    frame: pl.DataFrame
    dropped: Mapping[str, int] = field(default_factory=dict)


def standardise(rows: Rows, *, format: str, files: list[str], ignored: list[str] | None = None) -> Listens:
    """Turn what a reader found into the one listens table.

    Raises FormatError when a needed column is absent or unreadable, NothingLeftError when every row was dropped.
    """
    where = files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    dropped = dict(rows.dropped)
    read = rows.frame.height + sum(dropped.values())
    frame = _with_song(rows.frame, where)
    if "listener" not in frame.columns:  # each of its sessions stands for one, or all of it is one listener's
        frame = frame.with_columns(listener=pl.col("session") if "session" in frame.columns else pl.lit(DEFAULT_LISTENER))
    if "time" in frame.columns:
        frame = frame.with_columns(parse_time(frame["time"], where))
    context = [name for name in frame.columns if name.startswith(CONTEXT)]
    frame = frame.select(*(name for name in COLUMNS if name in frame.columns), *context)
    wanted = {name: _TYPES.get(name, pl.String()) for name in frame.columns if name != "time"}
    wanted |= {name: pl.Int64() for name in ("listener", "song", "session") if name in wanted and frame.schema[name].is_integer()}
    frame = _drop(frame.cast({name: dtype for name, dtype in wanted.items() if frame.schema[name] != dtype}), dropped)
    report = ReadReport(format, files, read, frame.height, {why: n for why, n in dropped.items() if n}, ignored or [])
    if not frame.height:
        raise NothingLeftError(f"{where}: no usable row among {read:,} ({reasons(report.dropped) or 'it is empty'})")
    if report.dropped:
        logger.warning("%s", report)
    return Listens(frame, report)


def reasons(dropped: Mapping[str, int]) -> str:
    """``3 no song, 2 time in the future``: counts with their reasons, largest first."""
    return ", ".join(f"{count:,} {why}" for why, count in sorted(dropped.items(), key=lambda item: -item[1]))


def _with_song(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Blank names become null; a row without an id is known by ``artist - title``."""
    texts = [name for name in ("song", "artist", "title", "listener", "session") if frame.schema.get(name) == pl.String]
    frame = frame.with_columns(pl.col(texts).str.strip_chars().replace("", None))
    if {"artist", "title"} <= set(frame.columns):
        name = pl.format("{} - {}", "artist", "title")
        if "song" not in frame.columns:
            return frame.with_columns(song=name)
        if frame["song"].null_count():
            return frame.with_columns(song=pl.coalesce(pl.col("song").cast(pl.String), name))
    if "song" not in frame.columns:
        raise FormatError(where, f"no song column, nor artist and title, among {frame.columns}; name it with columns={{'song': ...}}")
    return frame


def _drop(frame: pl.DataFrame, dropped: dict[str, int]) -> pl.DataFrame:
    """Drop rows no later step can use, counting each under the first reason that applies."""
    rules = {"without a song": pl.col("song").is_null(), "without a listener": pl.col("listener").is_null()}
    if "session" in frame.columns:
        rules["without a session"] = pl.col("session").is_null()
    if "time" in frame.columns:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        rules["without a readable time"] = pl.col("time").is_null()
        rules[f"before {EARLIEST.year} (clock not set)"] = pl.col("time") < EARLIEST
        rules["in the future"] = pl.col("time") > tomorrow
    # a clean log, the usual case, is settled by one cheap pass and never copied
    if not frame.select(pl.any_horizontal(rule.any() for rule in rules.values())).item():
        return frame
    frame, counts = sift(frame, rules)
    dropped |= {why: dropped.get(why, 0) + count for why, count in counts.items()}
    return frame


def sift(frame: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows that no rule is true for, and how many were dropped by which; a row counts under the first rule that takes it."""
    dropped = {}
    for why, rule in rules.items():
        before = frame.height
        frame = frame.filter(~rule.fill_null(False))
        dropped[why] = before - frame.height
    return frame, dropped
