"""Splits of sessions into train and test: nothing leaks, and nothing is lost without being counted."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_at_random, split_by_listener, split_by_time, split_last_session, split_predefined
from tests import small

DAY = 86_400
SPLITS = {
    "time": lambda whole, unseen: split_by_time(whole, 2, unseen=unseen),
    "last session": lambda whole, unseen: split_last_session(whole, unseen=unseen),
    "listener": lambda whole, unseen: split_by_listener(whole, 0.4, seed=3, unseen=unseen),
    "random": lambda whole, unseen: split_at_random(whole, 0.4, seed=3, unseen=unseen),
}


def sessions_of(count):
    return Sessions.from_lists([[number, 1000 + number % 3, 1000] for number in range(count)])


def told_apart(lists, listener=None, start=None, dwell=None):
    """Sessions of these lists of integers; each play's dwell is its own (or given), so that it can be followed through a split."""
    plain = Sessions.from_lists(lists)
    names = [f"artist of {song}" for song in plain.catalogue.ids]
    return Sessions(
        songs=plain.songs,
        offsets=plain.offsets,
        listener=np.array(range(len(lists)) if listener is None else listener, np.int32),
        catalogue=Catalogue(plain.catalogue.ids, plain.catalogue.plays, artists=names),
        listeners=pl.Series("listener", [f"listener {number}" for number in range(max(listener or [len(lists)]) + 1)]),
        start=None if start is None else np.array(start, np.int64),
        dwell=np.arange(plain.plays, dtype=np.float32) if dwell is None else np.array(dwell, np.float32),
    )


def parts_of(sessions):
    """Each session as (listener, start, songs, dwells)."""
    bounds = zip(sessions.offsets, sessions.offsets[1:], strict=False)
    return [
        (sessions.listeners[int(who)], int(when), songs, sessions.dwell[a:b].tolist())
        for who, when, songs, (a, b) in zip(sessions.listener, sessions.start, sessions, bounds, strict=True)
    ]


@st.composite
def logs(draw):
    lists = draw(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=5), min_size=2, max_size=25))
    count = len(lists)
    listener = draw(st.lists(st.integers(0, 5), min_size=count, max_size=count))
    start = [DAY * day for day in draw(st.lists(st.integers(0, 6), min_size=count, max_size=count))]
    return told_apart(lists, listener, start)


@settings(max_examples=120, deadline=None)
@given(whole=logs(), kind=st.sampled_from(list(SPLITS)), unseen=st.sampled_from(["drop", "keep"]))
def test_nothing_leaks_and_nothing_is_lost_without_being_counted(whole, kind, unseen):
    try:
        train, test = SPLITS[kind](whole, unseen)
    except (ArgumentError, NothingLeftError):
        return
    learned = Counter(song for session in train for song in session)
    assert train.catalogue is test.catalogue
    assert dict(zip(train.catalogue.ids, train.catalogue.plays, strict=True)) == {
        **learned,
        **{song: 0 for song in train.catalogue.ids if song not in learned},
    }
    assert (np.diff(train.catalogue.plays) <= 0).all()
    assert train.catalogue.artists.to_list() == [f"artist of {song}" for song in train.catalogue.ids]
    assert train.listeners is test.listeners is whole.listeners
    dwell_of = {dwell: song for session in parts_of(whole) for song, dwell in zip(session[2], session[3], strict=True)}
    for side in (train, test):
        assert all(dwell_of[d] == song for session in parts_of(side) for song, d in zip(session[2], session[3], strict=True))
        assert (np.diff(side.dwell) > 0).all()  # dwell numbers the plays of the log: their order is kept
        assert side.report.kept == side.plays == side.report.plays - sum(side.report.dropped.values())
        assert all(side.report.dropped.values())
    assert train.report.plays + test.report.plays == whole.plays
    assert (test.lengths >= 2).all()
    heard = Counter(song for session in test for song in session)
    if unseen == "drop":
        assert set(train.catalogue.ids) == set(learned)
        assert set(heard) <= set(learned)
    else:
        assert set(heard) <= set(train.catalogue.ids)
        assert set(test.report.dropped) <= {"in sessions left with under 2 plays"}


def by_hand(whole, in_test):
    """What ``drop`` leaves of these test sessions, in plain Python."""
    known = {song for number, session in enumerate(whole) if not in_test[number] for song in session}
    cut = [[song for song in session if song in known] for number, session in enumerate(whole) if in_test[number]]
    return [session for session in cut if len(session) >= 2], known


@settings(max_examples=80, deadline=None)
@given(whole=logs())
def test_the_last_session_of_each_listener_is_the_test(whole):
    sessions = list(zip(whole.listener.tolist(), whole.start.tolist(), range(len(whole)), strict=True))
    last = {who: max((start, n) for other, start, n in sessions if other == who)[1] for who, _, _ in sessions}
    several = {who for who, count in Counter(who for who, _, _ in sessions).items() if count > 1}
    in_test = [who in several and last[who] == number for who, _, number in sessions]
    kept, known = by_hand(whole, in_test)
    if not kept:
        with pytest.raises((ArgumentError, NothingLeftError)):
            split_last_session(whole)
        return
    train, test = split_last_session(whole)
    assert [*test] == kept
    assert set(train.catalogue.ids) == known
    assert {session[0] for session in parts_of(train)} == {f"listener {who}" for who, _, _ in sessions}


@settings(max_examples=80, deadline=None)
@given(whole=logs(), seed=st.integers(0, 99))
def test_no_listener_is_on_both_sides(whole, seed):
    try:
        train, test = split_by_listener(whole, 0.3, seed=seed)
    except (ArgumentError, NothingLeftError):
        return
    assert not {*train.listener.tolist()} & {*test.listener.tolist()}
    assert len({*whole.listener.tolist()} - {*train.listener.tolist()}) == round(0.3 * len({*whole.listener.tolist()}))


@settings(max_examples=80, deadline=None)
@given(whole=logs(), days=st.floats(0.5, 5))
def test_training_knows_nothing_of_the_days_of_the_test(whole, days):
    boundary = whole.start.max() - days * DAY
    hours = np.where(whole.dwell % 7 == 3, np.nan, whole.dwell % 5 * 3600 * 9).astype(np.float32)  # sessions of up to six days
    times = []
    for _, start, _, dwell in parts_of(replace(whole, dwell=hours)):
        times += [start + np.nansum(dwell[:place]) for place in range(len(dwell))]
    began = np.array(times)
    try:
        train, test = split_by_time(replace(whole, dwell=hours), days)
    except (ArgumentError, NothingLeftError):
        return
    in_test = np.repeat(whole.start > boundary, whole.lengths)
    assert (test.start > boundary).all()
    before = whole.songs[~in_test & (began <= boundary)]
    assert [song for session in train for song in session] == whole.catalogue.songs(before)
    assert train.plays + sum(train.report.dropped.values()) == (~in_test).sum()
    assert len(train) == (whole.start <= boundary).sum()
    assert train.lengths.min() >= 1


def test_a_session_that_runs_into_the_test_is_cut_there_and_its_loss_counted():
    boundary = 10 * DAY
    start = [0, boundary - 100, boundary - 100, boundary, boundary + 1, 12 * DAY]
    dwell = [60, np.nan, 100, 999, 60, 41, 0, np.nan, 10, 5, 7, 7, 7, np.nan]
    lists = [[1, 2], [1, 2], [1, 2, 3], [1, 2, 3], [1, 2], [1, 2]]
    train, test = split_by_time(told_apart(lists, start=start, dwell=dwell), 2)
    assert [*train] == [[1, 2], [1, 2], [1, 2], [1, 2]]  # the second session's last play begins at the boundary
    assert train.dwell[:6].tolist()[2:] == [100, 999, 60, 41]
    assert test.start.tolist() == [boundary + 1, 12 * DAY]
    assert str(train.report) == "8 of 10 plays kept (dropped: 2 after the test began)"
    assert str(test.report) == "4 of 4 plays kept"


def test_songs_of_the_test_alone_are_dropped_and_counted_or_kept_behind_the_others():
    lists = [[5, 6, 5], [6, 7], [5, 5], [8, 6, 9, 5], [8, 6]]
    whole = told_apart(lists, [0, 1, 2, 3, 3], [0, 0, 0, 9 * DAY, 9 * DAY])
    train, test = split_by_time(whole, 1)
    assert train.catalogue.table().rows() == [(5, "artist of 5", 4), (6, "artist of 6", 2), (7, "artist of 7", 1)]
    assert [*test] == [[6, 5]]
    reasons = {"of songs that training never plays": 3, "in sessions left with under 2 plays": 1}
    assert (test.report.plays, test.report.kept, test.report.dropped) == (6, 2, reasons)
    assert str(test.report).startswith("2 of 6 plays kept (dropped: 3 of songs that training never plays, 1 in sessions")
    train, test = split_by_time(whole, 1, unseen="keep")
    assert train.catalogue.ids.to_list() == [5, 6, 7, 8, 9]
    assert train.catalogue.plays.tolist() == [4, 2, 1, 0, 0]
    assert [*test] == lists[3:]
    assert test.report.dropped == {}


def test_context_stays_with_its_session_also_where_others_are_dropped_or_cut():
    whole = replace(sessions_of(9), start=np.arange(9) * DAY, dwell=np.full(27, DAY / 2))
    whole = replace(whole, context=pl.DataFrame({"number": [f"{number}" for number in range(9)]}))
    lone = replace(whole, songs=np.where(whole.songs == whole.songs[12], whole.songs[13], whole.songs))
    for split in (lambda: split_by_time(lone, 5), lambda: split_at_random(lone, 0.5, seed=1), lambda: split_last_session(lone)):
        try:
            sides = split()
        except ArgumentError:  # each session is a listener's own
            continue
        for side in sides:
            assert side.context["number"].to_list() == [f"{int(start) // DAY}" for start in side.start]


def test_names_and_times_come_along():
    train, test = split_by_time(small.sessions(), 19.5)
    assert set(train.catalogue.artists) == {*small.FOLK, *small.METAL}
    assert train.start.max() < test.start.min()
    assert len(test) == 20
    assert len(train) + len(test) == 120


@settings(max_examples=80, deadline=None)
@given(first=logs(), second=logs(), unseen=st.sampled_from(["drop", "keep"]))
def test_two_files_make_the_split_of_one(first, second, unseen):
    heard = {song for session in first for song in session}
    kept = [session for session in ([song for song in one if song in heard or unseen == "keep"] for one in second) if len(session) >= 2]
    if not kept:
        with pytest.raises(NothingLeftError, match="no session is left: 0 of"):
            split_predefined(first, second, unseen=unseen)
        return
    train, test = split_predefined(first, second, unseen=unseen)
    assert [*train] == [*first]
    assert [*test] == kept
    assert parts_of(train) == parts_of(first)
    assert all(session[0] in second.listeners for session in parts_of(test))
    assert set(train.catalogue.ids) == heard | ({song for one in kept for song in one} if unseen == "keep" else set()) or unseen == "keep"
    assert train.catalogue.artists.to_list() == [f"artist of {song}" for song in train.catalogue.ids]


def test_two_files_share_listeners_by_id():
    train, test = split_predefined(told_apart([[1, 2], [3, 1]], [1, 0], [0, 0]), told_apart([[1, 2], [2, 3], [1, 3]], [2, 1, 4], [0, 0, 0]))
    assert [who for who, *_ in parts_of(train)] == ["listener 1", "listener 0"]
    assert [who for who, *_ in parts_of(test)] == ["listener 2", "listener 1", "listener 4"]
    assert train.listeners is test.listeners


def test_two_files_with_and_without_names_and_with_other_kinds_of_listeners():
    named, plain = told_apart([[1, 2]], [0], [0]), Sessions.from_lists([[2, 1, 9]])
    train, test = split_predefined(named, plain, unseen="keep")
    assert train.catalogue.artists.to_list() == ["artist of 1", "artist of 2", None]
    assert train.listeners.to_list() == ["listener 0", "0"]
    train, test = split_predefined(plain, named)
    assert train.catalogue.artists.to_list() == [None] * 3
    assert [*test] == [[1, 2]]


def test_ids_of_two_kinds_are_refused():
    with pytest.raises(ArgumentError, match="song ids are integers in train and strings in test"):
        split_predefined(Sessions.from_lists([[1, 2]]), Sessions.from_lists([["a", "b"]]))


@pytest.mark.parametrize("kind", ["random", "listener"])
def test_the_same_seed_splits_alike_and_another_otherwise(kind):
    split = {"random": split_at_random, "listener": split_by_listener}[kind]
    first, again, other = (split(sessions_of(100), 0.3, seed=seed) for seed in (1, 1, 2))
    assert [*first[1]] == [*again[1]]
    assert [*first[1]] != [*other[1]]


def test_sessions_are_held_out_at_random():
    held_out = np.concatenate([split_at_random(sessions_of(20), 0.25, seed=seed)[1].listener for seed in range(200)])
    times = np.bincount(held_out, minlength=20)  # 50 each on average
    assert times.min() > 25
    assert times.max() < 80


@pytest.mark.parametrize("split", [split_at_random, split_by_listener])
@pytest.mark.parametrize("test", [0, 1, -0.5, 1.5, math.nan, 20, True, "half", None])
def test_a_share_outside_its_range_is_refused(split, test):
    with pytest.raises(ArgumentError, match=f"test={test!r}: a number above 0 to 1|leaves one side empty"):
        split(sessions_of(10), test)


@pytest.mark.parametrize(("split", "what"), [(split_at_random, "sessions"), (split_by_listener, "listeners")])
@pytest.mark.parametrize(("count", "test"), [(1, 0.5), (2, 0.1), (3, 0.9)])
def test_too_few_sessions_to_split_are_refused(split, what, count, test):
    whole = sessions_of(3).keep(np.arange(count))
    with pytest.raises(ArgumentError, match=f"of {count} {what}"):
        split(whole, test)


@pytest.mark.parametrize("days", [0, -1, math.nan, math.inf, "7", None, True])
def test_days_that_are_none_are_refused(days):
    with pytest.raises(ArgumentError, match=f"test_days={days!r}: a number above 0"):
        split_by_time(small.sessions(), days)


@pytest.mark.parametrize("kind", SPLITS)
@pytest.mark.parametrize(
    "wrong", [[["a", "b"]], None, sessions_of(3).keep(np.arange(0)), "unseen"], ids=["lists", "None", "empty", "unseen"]
)
def test_what_cannot_be_split_is_refused(kind, wrong):
    with pytest.raises(ArgumentError, match=r"sessions is a (list|NoneType)|sessions: hold no play|unseen='x': 'drop', 'keep' are"):
        SPLITS[kind](small.sessions() if wrong == "unseen" else wrong, "x" if wrong == "unseen" else "drop")


def test_a_log_that_the_rule_cannot_split_is_refused():
    with pytest.raises(ArgumentError, match="have no times; split_last_session"):
        split_by_time(sessions_of(5))
    with pytest.raises(ArgumentError, match=r"test_days=400: leaves no session to train on, as the log spans 119\.0 days"):
        split_by_time(small.sessions(), 400)
    with pytest.raises(ArgumentError, match="none of 5 listeners has two"):
        split_last_session(sessions_of(5))
    with pytest.raises(NothingLeftError, match="test: no session is left: 0 of 2 plays kept"):
        split_last_session(told_apart([[1, 2], [3, 4]], [0, 0]))


@pytest.mark.parametrize("split", [split_at_random, split_by_listener])
@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, None, True, "1"])
def test_a_seed_outside_its_range_is_refused(split, seed):
    with pytest.raises(ArgumentError, match="seed="):
        split(sessions_of(10), seed=seed)
