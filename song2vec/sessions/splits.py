"""Sessions for training and sessions for testing, over one catalogue: the songs that training plays.

Every split returns (train, test). Rows, order and play counts of the catalogue come from the training sessions alone, so
that nothing of the test shows in them. Plays of songs that training never plays are dropped from the test sessions, then
test sessions left with fewer than two plays; ``test.report`` counts both, ``train.report`` what left training. With
``unseen="keep"`` those songs stay, behind all others and with 0 plays: every model misses them, as in the figures
published for some logs. Both sides share ``listeners`` and keep the order of their sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.checks import check_choice, check_float, named_options
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.core.jit import jit
from song2vec.core.random import generator
from song2vec.sessions import CutReport, Sessions, check_sessions
from song2vec.sessions._kernels import gather
from song2vec.sessions.numbering import count_each
from song2vec.sessions.sessions import offsets_of

Split = tuple[Sessions, Sessions]
Unseen = Literal["drop", "keep"]
DAY = 86_400


@named_options
def split_by_time(sessions: Sessions, test_days: float = 7, *, unseen: Unseen = "drop") -> Split:
    """The sessions that begin within the last ``test_days`` days, counted back from the newest, are the test.

    A session that begins before them and still runs when they begin is cut there: training knows nothing of that time, and
    ``train.report`` counts the plays it lost. When a play began follows from the start of its session and the dwell of the
    plays before, unknown dwell taken as none.

    Raises ArgumentError for sessions without times, days not above 0, and when no session is left to train on.
    """
    _check(sessions, unseen)
    if sessions.start is None:
        raise ArgumentError("sessions: have no times; split_last_session, split_by_listener and split_at_random need none")
    check_float("test_days", test_days, 0, above=True)
    boundary = float(sessions.start.max() - test_days * DAY)
    in_test = sessions.start > boundary
    if in_test.all():
        span = (sessions.start.max() - sessions.start.min()) / DAY
        raise ArgumentError(f"test_days={test_days!r}: leaves no session to train on, as the log spans {span:.1f} days; fewer are allowed")
    before = sessions.keep(~in_test)
    dwell = np.zeros(0, np.float32) if before.dwell is None else before.dwell
    train = before.keep(plays=_begun(before.start, before.offsets, dwell, boundary))
    return _finished(train, sessions.keep(in_test), unseen, {"after the test began": before.plays - train.plays})


@named_options
def split_last_session(sessions: Sessions, *, unseen: Unseen = "drop") -> Split:
    """The last session of each listener is the test; who has one session only stays in training.

    Without times, a listener's sessions are taken to be in order. Raises ArgumentError when nobody has two sessions.
    """
    _check(sessions, unseen)
    times = np.zeros(len(sessions), np.int8) if sessions.start is None else sessions.start
    order = np.lexsort((times, sessions.listener))  # of equal times the later in the log is the last
    last = np.flatnonzero(np.diff(sessions.listener[order], append=-1))
    in_test = np.zeros(len(sessions), bool)
    in_test[order[last[np.diff(last, prepend=-1) > 1]]] = True
    if not in_test.any():
        raise ArgumentError(f"sessions: none of {len(sessions.listeners):,} listeners has two; split_at_random needs no listeners")
    return _finished(sessions.keep(~in_test), sessions.keep(in_test), unseen)


@named_options
def split_by_listener(sessions: Sessions, test: float = 0.2, *, seed: int = 0, unseen: Unseen = "drop") -> Split:
    """All sessions of a share ``test`` of the listeners, drawn at random, are the test: nobody is on both sides.

    Raises ArgumentError when either side would be empty.
    """
    _check(sessions, unseen)
    present = np.unique(sessions.listener)
    chosen = np.zeros(len(sessions.listeners), bool)
    chosen[present[_drawn(len(present), "listeners", test, seed)]] = True
    in_test = chosen[sessions.listener]
    return _finished(sessions.keep(~in_test), sessions.keep(in_test), unseen)


@named_options
def split_at_random(sessions: Sessions, test: float = 0.2, *, seed: int = 0, unseen: Unseen = "drop") -> Split:
    """A share ``test`` of the sessions, drawn at random, is the test.

    Raises ArgumentError when either side would be empty.
    """
    _check(sessions, unseen)
    in_test = np.zeros(len(sessions), bool)
    in_test[_drawn(len(sessions), "sessions", test, seed)] = True
    return _finished(sessions.keep(~in_test), sessions.keep(in_test), unseen)


@named_options
def split_predefined(train: Sessions, test: Sessions, *, unseen: Unseen = "drop") -> Split:
    """Two sets of sessions, read from two files, put over one catalogue: the same song and listener ids mean the same.

    Raises ArgumentError when either is empty, or the song ids of one are strings and of the other integers.
    """
    for name, given in (("train", train), ("test", test)):
        _check(given, unseen, name)
    ours, theirs = train.catalogue, test.catalogue
    if ours.holds_integers != theirs.holds_integers:
        kinds = ("integers", "strings") if ours.holds_integers else ("strings", "integers")
        raise ArgumentError(f"train, test: song ids are {kinds[0]} in train and {kinds[1]} in test; ids of one kind are allowed")
    _, row_of = _joined(ours.ids, theirs.ids)
    joint = ours.plus(theirs.subset(np.flatnonzero(row_of >= len(ours))))
    listeners = [train.listeners, test.listeners]
    if listeners[0].dtype != listeners[1].dtype:
        listeners = [ids.cast(pl.String) for ids in listeners]
    everybody, number_of = _joined(*listeners)
    moved = replace(test.over(joint, row_of), listeners=everybody, listener=number_of[test.listener])
    return _finished(replace(train, catalogue=joint, listeners=everybody), moved, unseen)


def _check(sessions: Sessions, unseen: str, name: str = "sessions") -> None:
    check_sessions(sessions, name)
    check_choice("unseen", unseen, ("drop", "keep"))
    if not sessions.plays:
        raise ArgumentError(f"{name}: hold no play; at least one is needed")


def _drawn(count: int, what: str, test: float, seed: int) -> Array:
    """Which of ``count`` things are held out."""
    held_out = round(float(check_float("test", test, 0, 1, above=True)) * count)
    if not 0 < held_out < count:
        raise ArgumentError(f"test={test!r} of {count} {what} leaves one side empty; more {what} are needed")
    return generator(seed, "split").permutation(count)[:held_out]


def _finished(train: Sessions, test: Sessions, unseen: Unseen, lost: Mapping[str, int] | None = None) -> Split:
    """Two sides over one catalogue -> over the songs that training plays; ``lost`` are plays that left training, by reason."""
    counts = count_each(train.songs, len(train.catalogue))
    rows = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    if unseen == "keep":
        rows = np.concatenate([rows, np.flatnonzero((counts == 0) & (count_each(test.songs, len(counts)) > 0))])
    row_of = np.full(len(counts), -1, np.int32)
    row_of[rows] = np.arange(len(rows), dtype=np.int32)
    songs = train.catalogue.subset(rows)
    catalogue = Catalogue(songs.ids, counts[rows], songs.artists, songs.titles)
    lost = {why: count for why, count in (lost or {}).items() if count}
    report = CutReport(train.plays + sum(lost.values()), train.plays, lost)
    return replace(train.over(catalogue, row_of), report=report), _known(test, gather(row_of, test.songs) >= 0).over(catalogue, row_of)


def _known(test: Sessions, known: Array) -> Sessions:
    """Sessions without the plays that are not known, and without those then left with fewer than two plays."""
    lengths = np.diff(offsets_of(known)[test.offsets])
    kept = test.keep(lengths >= 2, plays=known)
    unseen = int(np.count_nonzero(~known))
    dropped = {"of songs that training never plays": unseen, "in sessions left with under 2 plays": len(known) - unseen - kept.plays}
    report = CutReport(test.plays, kept.plays, {why: count for why, count in dropped.items() if count})
    if not report.kept:
        raise NothingLeftError(f"test: no session is left: {report}")
    return replace(kept, report=report)


def _joined(ours: pl.Series, theirs: pl.Series) -> tuple[pl.Series, Array]:
    """Unique ids and then those that only ``theirs`` has; and the place of each of theirs among them, int32."""
    name = ours.name
    joint = pl.concat([ours, theirs.alias(name)]).unique(maintain_order=True)
    places = theirs.alias(name).to_frame().join(joint.to_frame().with_row_index("place"), on=name, how="left", maintain_order="left")
    return joint, places["place"].to_numpy().astype(np.int32)


@jit
def _begun(start: Array, offsets: Array, dwell: Array, boundary: float) -> Array:
    """(plays,) bool: which plays began by the boundary, in epoch seconds."""
    begun = np.zeros(offsets[-1], np.bool_)
    for session in range(len(start)):
        time = np.float64(start[session])
        for play in range(offsets[session], offsets[session + 1]):
            if time > boundary:
                break
            begun[play] = True
            if len(dwell) and not np.isnan(dwell[play]):
                time += dwell[play]
    return begun
