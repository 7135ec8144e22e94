"""Cut a listens table into sessions, as the field does it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.checks import check_choice, check_float, check_int, named_options
from song2vec.core.errors import NothingLeftError
from song2vec.listens import Listens, read_listens
from song2vec.listens.schema import CONTEXT
from song2vec.sessions import _kernels, numbering
from song2vec.sessions._kernels import Plays, gather
from song2vec.sessions.numbering import Codes, encode
from song2vec.sessions.sessions import CutReport, Sessions

logger = logging.getLogger("song2vec")


@named_options
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
    check_float("gap_minutes", gap_minutes, 0, 1e6, above=True)
    check_float("min_played_seconds", min_played_seconds, 0)
    check_choice("repeats", repeats, ("collapse", "keep"))
    check_int("min_song_plays", min_song_plays)
    check_int("min_session_length", min_session_length)
    if max_plays_per_listener is not None:
        check_int("max_plays_per_listener", max_plays_per_listener)
    table = (listens if isinstance(listens, Listens) else read_listens(listens)).table
    log = _in_order(table, min_played_seconds, max_plays_per_listener)
    collapse = repeats == "collapse"
    kept, offsets, cut = _kernels.cut(log.plays, int(gap_minutes * 60e6), collapse)
    songs = log.plays.songs
    kept, offsets, rare = _kernels.to_fixed_point(kept, offsets, songs, len(log.songs), min_song_plays, min_session_length, collapse)
    dropped = dict(zip(_kernels.CUT_REASONS, (cut + np.array([log.duplicates, 0, rare[2]])).tolist(), strict=True))
    dropped["over the listener's cap"] = log.over_cap
    dropped[f"of songs with under {min_song_plays} plays"] = int(rare[0])
    dropped[f"in sessions under {min_session_length} plays"] = int(rare[1])
    report = CutReport(table.height, len(kept), {why: count for why, count in dropped.items() if count})
    if not len(kept):
        raise NothingLeftError(f"no session is left of {table.height:,} plays: {report}")
    logger.info("%s", report)
    return _assemble(table, log, kept, offsets, report)


class _Log(NamedTuple):
    """A listens table in order."""

    plays: Plays
    listeners: Codes
    songs: Codes
    order: Array  # (plays,) int32, which row of the table each play is
    duplicates: int  # plays that a cap has dropped already,
    over_cap: int  # by reason


def _in_order(table: pl.DataFrame, min_played_seconds: float, cap: int | None) -> _Log:
    """Number listeners and songs, and put the plays in order; equal times keep the order of the table."""
    with ThreadPoolExecutor(2) as both:  # the kernels let go of the interpreter's lock
        listeners, songs = both.map(encode, (table["listener"], table["song"]))
    order, bounds = _kernels.group(listeners.codes, len(listeners))
    sessions = encode(table["session"]) if "session" in table.columns else None
    given = np.empty(0, np.int32) if sessions is None else sessions.codes
    stamps = table["time"].to_physical().to_numpy() if "time" in table.columns else np.empty(0, np.int64)
    times = gather(stamps, order)
    moved, dropped = bool(len(times)) and _kernels.sort_within(times, bounds, order), (0, 0)
    if cap is not None:  # before sessions are put together: the latest plays may be of several that interleave
        lacking = np.empty(0, np.float32), np.empty(0, np.bool_)
        so_far = [gather(column, order) for column in (songs.codes, stamps, given, *lacking)]
        order, bounds, dropped = _kernels.keep_latest(order, Plays(bounds, *so_far), cap)
        moved = True
    if sessions is not None:
        places = _kernels.session_places(gather(given, order), bounds, len(sessions))
        moved |= _kernels.sort_within(places, bounds, order)
    times = gather(stamps, order) if moved else times
    lengths = "played_seconds" in table.columns
    played = table["played_seconds"].fill_null(float("nan")).to_numpy() if lengths else np.empty(0, np.float32)
    rest = [gather(column, order) for column in (given, played, _skipped(table, min_played_seconds))]
    plays = Plays(bounds, gather(songs.codes, order), times, *rest)
    return _Log(plays, listeners, songs, order, *map(int, dropped))


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


def _assemble(table: pl.DataFrame, log: _Log, kept: Array, offsets: Array, report: CutReport) -> Sessions:
    """Sessions of the plays kept, with a catalogue of just their songs, most played first."""
    codes = gather(log.plays.songs, kept)
    counts = numbering.count_each(codes, len(log.songs))
    rows = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    row_of = np.full(len(counts), -1, np.int32)
    row_of[rows] = np.arange(len(rows), dtype=np.int32)
    first_plays = kept[offsets[:-1]]
    owner = np.searchsorted(log.plays.bounds, first_plays, side="right") - 1
    present, listener = np.unique(owner, return_inverse=True)
    names = [_names(table, column, log.songs, rows) for column in ("artist", "title")]
    timed, dwell = bool(len(log.plays.times)), None
    if timed or len(log.plays.played):
        dwell = np.full(len(kept), np.nan, np.float32)
        _kernels.fill_dwell(dwell, kept, offsets, log.plays.times, log.plays.played)
    context = table.select(pl.col(f"^(?s:{CONTEXT}.*)$").gather(log.order[first_plays]))
    return Sessions(
        songs=gather(row_of, codes),
        offsets=offsets,
        listener=listener,
        catalogue=Catalogue(log.songs.values.gather(rows), counts[rows], *names),
        listeners=log.listeners.values.gather(present).rename("listener"),
        start=log.plays.times[first_plays] // 1_000_000 if timed else None,
        dwell=dwell,
        context=context.rename(lambda name: name.removeprefix(CONTEXT)) if context.width else None,
        report=report,
    )


def _names(table: pl.DataFrame, column: str, songs: Codes, rows: Array) -> pl.Series | None:
    """The first artist or title that the log gives each song."""
    if column not in table.columns or table[column].null_count() == table.height:
        return None
    first = songs.first.copy()
    if table[column].null_count():
        known = np.flatnonzero(table[column].is_not_null().to_numpy())[::-1]
        first[songs.codes[known]] = known  # of several the last one stays
    return table[column].gather(first[rows])
