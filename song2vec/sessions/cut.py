"""Cut a listens table into sessions, as the field does it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.listens import Listens, read_listens
from song2vec.listens.schema import CONTEXT
from song2vec.sessions import kernels, numbering, ordering
from song2vec.sessions.codes import Codes, encode
from song2vec.sessions.sessions import CutReport, Sessions

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

    1. a play that repeats time and song (and session, where the log gives sessions) of another of the same listener
       is a duplicate row and dropped;
    2. listeners with more than ``max_plays_per_listener`` keep their latest plays;
    3. a new session begins after more than ``gap_minutes`` of silence: from the end of a play, where the log says how
       long it was played, else from its beginning. Where the log gives sessions, they are kept as they are;
    4. skips are dropped: plays marked as skipped, or played under ``min_played_seconds`` and under half the song, where
       its length is known. They still count against silence;
    5. a song played again right after itself becomes one play (``repeats="collapse"``);
    6. songs with fewer than ``min_song_plays`` plays and sessions with fewer than ``min_session_length`` are dropped,
       again and again until nothing more drops; repeats that come together become one play as in 5.

    Returns:
        Sessions, listener by listener in order of their first play in the log, each listener's in order of time.

    Raises:
        ArgumentError: an argument outside its range.
        NothingLeftError: no session is left; says what dropped them.
    """
    _check(gap_minutes, min_played_seconds, repeats, min_song_plays, min_session_length, max_plays_per_listener)
    table = (listens if isinstance(listens, Listens) else read_listens(listens)).table
    log = _in_order(table, min_played_seconds, max_plays_per_listener)
    plays, offsets, counts = kernels.cut(
        log.bounds,
        log.songs,
        log.times,
        log.given,
        log.played,
        log.skipped,
        int(gap_minutes * 60e6),
        repeats == "collapse",
    )
    dropped = dict(zip(kernels.CUT_REASONS, counts.tolist(), strict=True))
    dropped["duplicate rows"] += log.duplicates
    dropped["over the listener's cap"] = log.over_cap
    plays, offsets, counts = kernels.to_fixed_point(
        plays, offsets, log.songs, len(log.song_codes), min_song_plays, min_session_length, repeats == "collapse"
    )
    dropped[f"of songs with under {min_song_plays} plays"] = int(counts[0])
    dropped[f"in sessions under {min_session_length} plays"] = int(counts[1])
    dropped["repeats"] += int(counts[2])
    report = CutReport(table.height, len(plays), {why: count for why, count in dropped.items() if count})
    if not len(plays):
        raise NothingLeftError(f"no session is left of {table.height:,} plays: {report}")
    logger.info("%s", report)
    return _assemble(table, log, plays, offsets, report)


@dataclass(frozen=True)
class _Log:
    """The columns of a listens table, listener by listener in order of time; what the log lacks is an empty array.

    Attributes:
        bounds: (listeners + 1,) int64, where each listener's plays begin.
        songs: (plays,) int32 codes. times: int64 microseconds. given: int32 session codes.
        played: float32 seconds. skipped: bool.
        order: int64, which row of the table each play is; empty where nobody asks.
        duplicates, over_cap: plays that a cap has dropped already.
    """

    listener_codes: Codes
    song_codes: Codes
    bounds: Array
    songs: Array
    times: Array
    given: Array
    played: Array
    skipped: Array
    order: Array
    duplicates: int
    over_cap: int


def _in_order(table: pl.DataFrame, min_played_seconds: float, cap: int | None) -> _Log:
    """Number listeners and songs, and put the plays in order; equal times keep the order of the table."""
    with ThreadPoolExecutor(2) as both:  # the kernels let go of the interpreter's lock
        listeners, songs = both.map(encode, (table["listener"], table["song"]))
    order, bounds = ordering.group(listeners.codes, len(listeners))
    times = ordering.gather(_times(table), order)
    if len(times) and ordering.sort_within(times, bounds, order):
        times = ordering.gather(_times(table), order)
    sessions = encode(table["session"]) if "session" in table.columns else None
    given = np.empty(0, np.int32) if sessions is None else ordering.gather(sessions.codes, order)
    duplicates = over_cap = 0
    if cap is not None:  # before given sessions are gathered: the latest plays may be of several that interleave
        order, bounds, dropped = ordering.keep_latest(order, bounds, ordering.gather(songs.codes, order), times, given, cap)
        times, given = ordering.gather(_times(table), order), given if sessions is None else ordering.gather(sessions.codes, order)
        duplicates, over_cap = dropped.tolist()
    if sessions is not None and ordering.sort_within(ordering.session_places(given, bounds, len(sessions)), bounds, order):
        times, given = ordering.gather(_times(table), order), ordering.gather(sessions.codes, order)
    return _Log(
        listeners,
        songs,
        bounds,
        ordering.gather(songs.codes, order),
        times,
        given,
        ordering.gather(_played(table), order),
        ordering.gather(_skipped(table, min_played_seconds), order),
        order if _context_names(table) else np.empty(0, np.int64),
        duplicates,
        over_cap,
    )


def _check(
    gap_minutes: float, min_played_seconds: float, repeats: str, min_song_plays: int, min_session_length: int, max_plays: int | None
) -> None:
    if not 0 < gap_minutes < 1e6:
        raise ArgumentError(f"gap_minutes={gap_minutes!r}: a number above 0 and below 1,000,000 is allowed")
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
    return table["time"].to_physical().to_numpy()


def _played(table: pl.DataFrame) -> Array:
    """(plays,) float32 seconds, NaN where unknown; empty where the log has none."""
    if "played_seconds" not in table.columns:
        return np.empty(0, np.float32)
    return table["played_seconds"].fill_null(float("nan")).to_numpy()


def _skipped(table: pl.DataFrame, min_played_seconds: float) -> Array:
    """(plays,) bool: marked as skipped, or left too soon; empty where the log knows neither."""
    rules = []
    if "skipped" in table.columns:
        rules.append(pl.col("skipped").fill_null(False))
    if "played_seconds" in table.columns and min_played_seconds > 0:
        least: pl.Expr = pl.lit(min_played_seconds, pl.Float32)
        if "duration_seconds" in table.columns:
            least = pl.min_horizontal(least, pl.col("duration_seconds") / 2)
        rules.append((pl.col("played_seconds") < least).fill_null(False))
    return table.select(pl.any_horizontal(rules)).to_series().to_numpy() if rules else np.empty(0, np.bool_)


def _assemble(table: pl.DataFrame, log: _Log, plays: Array, offsets: Array, report: CutReport) -> Sessions:
    """Sessions of the plays kept, with a catalogue of just their songs, most played first."""
    codes = ordering.gather(log.songs, plays)
    counts = numbering.count_each(codes, len(log.song_codes))
    rows = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    row_of = np.full(len(counts), -1, np.int32)
    row_of[rows] = np.arange(len(rows), dtype=np.int32)
    first_plays = plays[offsets[:-1]]
    owner = np.searchsorted(log.bounds, first_plays, side="right") - 1
    present, listener = np.unique(owner, return_inverse=True)
    timed = bool(len(log.times))
    return Sessions(
        songs=ordering.gather(row_of, codes),
        offsets=offsets,
        listener=listener.astype(np.int32),
        catalogue=Catalogue(log.song_codes.values.gather(rows), counts[rows], *_names(table, log.song_codes, rows)),
        listeners=log.listener_codes.values.gather(present).rename("listener"),
        start=log.times[first_plays] // 1_000_000 if timed else None,
        dwell=kernels.dwell(plays, offsets, log.times, log.played) if timed or len(log.played) else None,
        context=_context(table, log.order[first_plays]) if len(log.order) else None,
        report=report,
    )


def _context(table: pl.DataFrame, rows: Array) -> pl.DataFrame:
    """What the log tells of the first play of each session."""
    return pl.DataFrame([table[name].gather(rows).rename(name.removeprefix(CONTEXT)) for name in _context_names(table)])


def _context_names(table: pl.DataFrame) -> list[str]:
    return [name for name in table.columns if name.startswith(CONTEXT)]


def _names(table: pl.DataFrame, songs: Codes, rows: Array) -> list[pl.Series | None]:
    """Artist and title of each song: the first that the log gives it."""
    found: list[pl.Series | None] = []
    for column in ("artist", "title"):
        if column not in table.columns or table[column].null_count() == table.height:
            found.append(None)
            continue
        names = table[column]
        first = songs.first
        if names.null_count():
            known = np.flatnonzero(names.is_not_null().to_numpy())
            first_known = numbering.first_of_each(songs.codes[known], len(songs))
            first = np.where(first_known < 0, first, known[first_known])
        found.append(names.gather(first[rows]))
    return found
