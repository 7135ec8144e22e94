"""Cut a listens table into sessions, as the field does it."""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.errors import ArgumentError, NothingLeftError
from song2vec.listens import Listens, read_listens
from song2vec.sessions import kernels
from song2vec.sessions.codes import Codes, encode
from song2vec.sessions.sessions import CutReport, Sessions
from song2vec.storage import Array

logger = logging.getLogger("song2vec")


def cut_sessions(
    listens: Listens | pl.DataFrame,
    *,
    gap_minutes: float = 30,
    min_played_seconds: float = 30,
    repeats: Literal["collapse", "keep"] = "collapse",
    min_song_plays: int = 1,
    min_session_length: int = 2,
    max_plays_per_listener: int | None = None,
) -> Sessions:
    """Cut listens into sessions.

    The plays of each listener are put in order of time (equal times keep the order of the log) and then, in turn:

    1. a play that repeats time and song of another of the same listener is a duplicate row and dropped;
    2. listeners with more than ``max_plays_per_listener`` keep their latest plays;
    3. a new session begins after more than ``gap_minutes`` of silence: from the end of a play, where the log says how
       long it was played, else from its beginning. Where the log gives sessions, they are kept as they are;
    4. skips are dropped: plays marked as skipped, or played under ``min_played_seconds`` (songs shorter than that:
       under half their length). They still count against silence;
    5. a song played again right after itself becomes one play (``repeats="collapse"``);
    6. songs with fewer than ``min_song_plays`` plays and sessions with fewer than ``min_session_length`` are dropped,
       again and again until nothing more drops.

    Returns:
        Sessions, listener by listener in order of their first play in the log, each listener's in order of time.

    Raises:
        ArgumentError: an argument outside its range.
        NothingLeftError: no session is left; says what dropped them.
    """
    _check(gap_minutes, min_played_seconds, repeats, min_song_plays, min_session_length, max_plays_per_listener)
    table = (listens if isinstance(listens, Listens) else read_listens(listens)).table
    listeners, songs = encode(table["listener"]), encode(table["song"])
    times = _times(table)
    given = encode(table["session"]).codes if "session" in table.columns else None
    order, bounds = kernels.in_order(listeners.codes, len(listeners), times, given)
    dwell = table["played_seconds"].fill_null(float("nan")).to_numpy() if "played_seconds" in table.columns else None
    plays, offsets, counts = kernels.cut(
        order,
        bounds,
        songs.codes,
        times,
        _or_empty(given, np.int32),
        _or_empty(dwell, np.float32),
        _or_empty(_skipped(table, min_played_seconds), np.bool_),
        int(gap_minutes * 60e6),
        repeats == "collapse",
        max_plays_per_listener or table.height,
    )
    kept, offsets, more = kernels.to_fixed_point(
        songs.codes[plays], offsets, len(songs), min_song_plays, min_session_length, repeats == "collapse"
    )
    dropped = dict(zip(kernels.CUT_REASONS, counts.tolist(), strict=True))
    dropped[f"of songs with under {min_song_plays} plays"], dropped[f"in sessions under {min_session_length} plays"] = more[:2].tolist()
    dropped["repeats"] += int(more[2])
    report = CutReport(table.height, len(kept), {why: count for why, count in dropped.items() if count})
    if not len(kept):
        raise NothingLeftError(f"no session is left of {table.height:,} plays; dropped: {report}")
    logger.info("%s", report)
    return _assemble(table, listeners, songs, times, dwell, plays[kept], offsets, report)


def _check(
    gap_minutes: float, min_played_seconds: float, repeats: str, min_song_plays: int, min_session_length: int, max_plays: int | None
) -> None:
    if not 0 < gap_minutes < 1e6:
        raise ArgumentError(f"gap_minutes={gap_minutes!r}: a number above 0 is allowed")
    if not min_played_seconds >= 0:
        raise ArgumentError(f"min_played_seconds={min_played_seconds!r}: 0 or more is allowed")
    if repeats not in ("collapse", "keep"):
        raise ArgumentError(f"repeats={repeats!r}: 'collapse' or 'keep' is allowed")
    if min_song_plays < 1 or min_session_length < 1:
        raise ArgumentError(f"min_song_plays={min_song_plays!r}, min_session_length={min_session_length!r}: 1 or more is allowed")
    if max_plays is not None and max_plays < 1:
        raise ArgumentError(f"max_plays_per_listener={max_plays!r}: None, or 1 or more, is allowed")


def _times(table: pl.DataFrame) -> Array:
    """(plays,) int64 microseconds; empty where the log has no times."""
    if "time" not in table.columns:
        return np.empty(0, np.int64)
    return table["time"].dt.timestamp("us").to_numpy()


def _skipped(table: pl.DataFrame, min_played_seconds: float) -> Array | None:
    """(plays,) bool: marked as skipped, or left too soon; None where the log knows neither."""
    rules = []
    if "skipped" in table.columns:
        rules.append(pl.col("skipped").fill_null(False))
    if "played_seconds" in table.columns and min_played_seconds > 0:
        least: pl.Expr = pl.lit(min_played_seconds, pl.Float32)
        if "duration_seconds" in table.columns:
            least = pl.min_horizontal(least, pl.col("duration_seconds") / 2)
        rules.append((pl.col("played_seconds") < least).fill_null(False))
    return table.select(pl.any_horizontal(rules)).to_series().to_numpy() if rules else None


def _or_empty(array: Array | None, dtype: type) -> Array:
    """Kernels take one type an argument: what the log lacks is an empty array."""
    return np.empty(0, dtype) if array is None else np.ascontiguousarray(array, dtype)


def _assemble(
    table: pl.DataFrame, listeners: Codes, songs: Codes, times: Array, dwell: Array | None, plays: Array, offsets: Array, report: CutReport
) -> Sessions:
    """Sessions of the plays kept (rows of ``table`` in order), with a catalogue of just their songs, most played first."""
    codes = songs.codes[plays]
    counts = np.bincount(codes, minlength=len(songs))
    rows = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    row_of = np.full(len(songs), -1, np.int32)
    row_of[rows] = np.arange(len(rows), dtype=np.int32)
    first_plays = plays[offsets[:-1]]
    owner = listeners.codes[first_plays]
    present = np.unique(owner)
    timed = bool(len(times))
    return Sessions(
        songs=row_of[codes],
        offsets=offsets,
        listener=np.searchsorted(present, owner).astype(np.int32),
        catalogue=Catalogue(songs.values.gather(rows), counts[rows], *_names(table, songs, rows)),
        listeners=listeners.values.gather(present).rename("listener"),
        start=times[first_plays] // 1_000_000 if timed else None,
        dwell=kernels.dwell(plays, offsets, times, _or_empty(dwell, np.float32)) if timed or dwell is not None else None,
        report=report,
    )


def _names(table: pl.DataFrame, songs: Codes, rows: Array) -> list[pl.Series | None]:
    """Artist and title of each song: the first that the log gives it."""
    found: list[pl.Series | None] = []
    for column in ("artist", "title"):
        if column not in table.columns:
            found.append(None)
            continue
        names = table[column]
        first = songs.first
        if names.null_count():
            known = np.flatnonzero(names.is_not_null().to_numpy())
            first = kernels.first_of_each(songs.codes[known], len(songs))
            first = np.where(first < 0, songs.first, known[first])
        found.append(names.gather(first[rows]))
    return found
