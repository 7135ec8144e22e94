"""Cutting: every documented rule by an example, and all of them together against a slow, literal reference."""

from __future__ import annotations

import logging
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.listens import Listens, ReadReport
from song2vec.sessions import cut_sessions

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
TYPES = {
    "time": pl.Datetime("us", "UTC"),
    "played_seconds": pl.Float32,
    "duration_seconds": pl.Float32,
    "artist": pl.String,
    "title": pl.String,
    "skipped": pl.Boolean,
}


def as_listens(**columns):
    table = pl.DataFrame([pl.Series(name, values, TYPES.get(name)) for name, values in columns.items()])
    return Listens(table, ReadReport("test", ["test"], table.height, table.height, {}))


def log(songs, minutes=None, listener="me", **columns):
    """A log of one listener: songs as a string of one-letter ids, times in minutes."""
    if minutes is not None:
        columns["time"] = [BEGIN + timedelta(minutes=minute) for minute in minutes]
    listeners = [listener] * len(songs) if isinstance(listener, str) else listener
    return as_listens(listener=listeners, song=list(songs), **columns)


def cut(listens, **arguments):
    """Sessions as strings of one-letter ids."""
    return ["".join(session) for session in cut_sessions(listens, **{"min_played_seconds": 0} | arguments)]


# The rules, one by one


def test_a_log_in_any_order_is_put_in_order_of_time():
    assert cut(log("cab", [2, 0, 1])) == ["abc"]


def test_equal_times_keep_the_order_of_the_log():
    assert cut(log("zbyaxc", [5, 0, 5, 0, 5, 0])) == ["bac" + "zyx"]


def test_listeners_come_in_order_of_their_first_play_in_the_log():
    sessions = cut_sessions(log("abcdef", [50, 0, 51, 1, 52, 2], listener=["late", "early"] * 3))
    assert [*sessions] == [["a", "c", "e"], ["b", "d", "f"]]
    assert sessions.listeners.to_list() == ["late", "early"]
    assert sessions.listener.tolist() == [0, 1]


def test_listeners_without_a_session_are_not_listed():
    sessions = cut_sessions(log("abcde", [0, 0, 1, 1, 2], listener=["lone", "x", "y", "x", "y"]))
    assert sessions.listeners.to_list() == ["x", "y"]
    assert [*sessions] == [["b", "d"], ["c", "e"]]


def test_sessions_never_span_listeners():
    assert cut(log("abcd", [0, 1, 1, 2], listener=["x", "x", "y", "y"])) == ["ab", "cd"]


def test_a_row_that_repeats_time_and_song_is_dropped_even_when_others_lie_between():
    sessions = cut_sessions(log("abaabc", [0, 0, 0, 0, 0, 1]), repeats="keep")
    assert [*sessions] == [["a", "b", "c"]]
    assert sessions.report.dropped == {"duplicate rows": 3}


def test_the_same_song_and_time_of_two_listeners_is_no_duplicate():
    assert cut(log("abab", [0, 1, 0, 1], listener=["x", "x", "y", "y"])) == ["ab", "ab"]


def test_the_same_song_and_time_in_two_given_sessions_is_no_duplicate():
    assert cut(log("aabb", [0, 0, 1, 1], session=["p", "q", "p", "q"])) == ["ab", "ab"]


def test_a_log_without_times_has_no_duplicates():
    assert cut(log("ab" * 3), repeats="keep") == ["ababab"]


def test_listeners_over_the_cap_keep_their_latest_plays():
    listens = log("abcdwxyz", [0, 1, 2, 3, 0, 1, 9, 10], listener=["one"] * 4 + ["two"] * 4)
    assert cut(listens, max_plays_per_listener=2) == ["cd", "yz"]
    assert cut(listens, max_plays_per_listener=3) == ["bcd", "xyz"]
    assert cut(listens, max_plays_per_listener=4) == ["abcd", "wxyz"]
    assert cut_sessions(listens, max_plays_per_listener=3).report.dropped == {"over the listener's cap": 2}


def test_duplicate_rows_do_not_count_against_the_cap():
    assert cut(log("abbb", [0, 1, 1, 1]), max_plays_per_listener=2) == ["ab"]
    assert cut(log("abac", [0, 0, 0, 1]), max_plays_per_listener=2) == ["bc"]


def test_the_latest_plays_are_kept_where_given_sessions_interleave():
    assert cut(log("abcd", [0, 1, 2, 3], session=["p", "q", "q", "p"]), max_plays_per_listener=3, min_session_length=1) == ["bc", "d"]


def test_a_session_begins_after_more_than_the_gap():
    assert cut(log("abcd", [0, 30, 60 + 1 / 60, 61])) == ["ab", "cd"]
    assert cut(log("abcd", [0, 30, 60 + 1 / 60, 61]), gap_minutes=31) == ["abcd"]
    assert cut(log("abcd", [0, 1, 2, 3]), gap_minutes=0.5, min_session_length=1) == [*"abcd"]


def test_silence_begins_at_the_end_of_a_play_where_its_length_is_known():
    assert cut(log("abcd", [0, 60, 120, 180], played_seconds=[1800.0, 1799.0, None, 10.0]), min_session_length=1) == ["ab", "c", "d"]


def test_given_sessions_are_kept_whatever_the_silence_between():
    assert cut(log("abcd", [0, 500, 501, 1000], session=["p", "p", "q", "q"])) == ["ab", "cd"]
    assert cut(log("abcd", [0, 1, 2, 3], session=[7, 8, 7, 8])) == ["ac", "bd"]


def test_given_sessions_of_the_same_name_stay_with_their_listeners():
    assert cut(log("abcd", listener=["x", "y", "x", "y"], session=["1", "1", "1", "1"])) == ["ac", "bd"]


def test_given_sessions_come_in_order_of_time():
    assert cut(log("abcd", [10, 11, 0, 1], session=["p", "p", "q", "q"])) == ["cd", "ab"]


def test_plays_marked_as_skipped_are_dropped():
    assert cut(log("abcd", [0, 1, 2, 3], skipped=[False, True, None, False])) == ["acd"]


def test_plays_cut_short_are_dropped():
    listens = log("abcd", [0, 1, 2, 3], played_seconds=[30.0, 29.5, None, 200.0])
    assert cut(listens, min_played_seconds=30) == ["acd"]
    assert cut(listens, min_played_seconds=0) == ["abcd"]
    assert cut(listens, min_played_seconds=100, min_session_length=1) == ["cd"]


def test_half_of_a_short_song_is_enough():
    listens = log("abcd", [0, 1, 2, 3], played_seconds=[10.0, 9.5, 29.0, 29.0], duration_seconds=[20.0, 20.0, 300.0, None])
    assert cut(listens, min_played_seconds=30, min_session_length=1) == ["a"]


def test_skips_still_count_against_silence():
    assert cut(log("axb", [0, 20, 40], skipped=[False, True, False])) == ["ab"]


def test_a_song_again_right_after_itself_is_one_play():
    assert cut(log("aabba", range(5))) == ["aba"]
    assert cut(log("aabba", range(5)), repeats="keep") == ["aabba"]


def test_repeats_are_seen_across_a_skip_but_not_across_sessions():
    assert cut(log("axab", range(4), skipped=[False, True, False, False])) == ["ab"]
    assert cut(log("baac", [0, 1, 100, 101])) == ["ba", "ac"]


def test_rare_songs_and_short_sessions_drop_again_and_again():
    # r is rare; without it x's session is short; without that session, x is rare; without x, the last session is short
    listens = log("rxxyababab", [0, 1, 100, 101, 200, 201, 300, 301, 400, 401])
    assert cut(listens, min_song_plays=2) == ["ab", "ab", "ab"]


def test_repeats_that_come_together_when_a_rare_song_goes_become_one_play():
    listens = log("araab", range(5))
    assert cut(listens, min_song_plays=2, repeats="keep", min_session_length=1) == ["aaa"]
    assert cut(log("arabab", range(6)), min_song_plays=2) == ["abab"]


def test_sessions_under_the_least_length_are_dropped():
    listens = log("abcdef", [0, 100, 101, 200, 201, 202])
    assert cut(listens) == ["bc", "def"]
    assert cut(listens, min_session_length=1) == ["a", "bc", "def"]
    assert cut(listens, min_session_length=3) == ["def"]


# What else sessions know


def test_starts_are_seconds_of_the_first_play_kept():
    sessions = cut_sessions(log("xabcd", [0, 10, 11, 100.51, 101], skipped=[True] + [False] * 4))
    assert sessions.start.tolist() == [int(BEGIN.timestamp()) + 600, int(BEGIN.timestamp()) + 6030]
    assert sessions.start.dtype == np.int64


def test_dwell_is_what_was_played_else_the_time_to_the_next_play():
    sessions = cut_sessions(log("abcd", [0, 3, 4, 9], played_seconds=[100.0, None, None, None]))
    np.testing.assert_array_equal(sessions.dwell, np.array([100, 60, 300, np.nan], np.float32))


def test_without_times_there_is_no_start_and_dwell_is_what_was_played():
    sessions = cut_sessions(log("abc"))
    assert sessions.start is None
    assert sessions.dwell is None
    np.testing.assert_array_equal(cut_sessions(log("abc", played_seconds=[40.0, None, 50.0])).dwell, [40, np.nan, 50])


def test_the_catalogue_holds_the_songs_kept_most_played_first():
    catalogue = cut_sessions(log("zbaabab", range(7)), repeats="keep", min_song_plays=2).catalogue
    assert catalogue.ids.to_list() == ["b", "a"]  # as often played: by first appearance
    assert catalogue.plays.tolist() == [3, 3]
    assert cut_sessions(log("abcbc", range(5))).catalogue.ids.to_list() == ["b", "c", "a"]


def test_a_song_is_called_as_the_log_first_names_it():
    names = {"artist": [None, "B1", "A1", "B2", "A2"], "title": ["T", None, None, None, "U"]}
    catalogue = cut_sessions(log("ababa", range(5), **names)).catalogue
    assert dict(zip(catalogue.ids, catalogue.artists, strict=True)) == {"a": "A1", "b": "B1"}
    assert dict(zip(catalogue.ids, catalogue.titles, strict=True)) == {"a": "T", "b": None}


def test_integer_ids_stay_integers():
    sessions = cut_sessions(as_listens(listener=["x"] * 3, song=[7, -(2**60), 7]))
    assert [*sessions] == [[7, -(2**60), 7]]
    assert sessions.catalogue.holds_integers
    assert cut_sessions(as_listens(listener=[5, 4, 5, 4], song=[7, 8, 9, 7])).listeners.to_list() == [5, 4]


def test_a_frame_is_read_as_listens_first():
    frame = pl.DataFrame({"listener": ["x"] * 3, "song": ["a", None, "b"], "time": [1_600_000_000, 1_600_000_001, 1_600_000_002]})
    sessions = cut_sessions(frame)
    assert [*sessions] == [["a", "b"]]
    assert sessions.report.plays == 2


def test_the_report_says_what_was_dropped_and_why(caplog):
    listens = log("aabcdrefg", [0, 0, 1, 2, 3, 4, 100, 200, 201], skipped=[False] * 3 + [True] + [False] * 5)
    with caplog.at_level(logging.INFO, "song2vec"):
        report = cut_sessions(listens).report
    assert (report.plays, report.kept) == (9, 6)
    assert report.dropped == {"duplicate rows": 1, "skips": 1, "in sessions under 2 plays": 1}
    assert str(report) in caplog.text
    assert str(report).startswith("6 of 9 plays kept (dropped: 1 ")


# Errors


@pytest.mark.parametrize(
    ("listens", "arguments", "reason"),
    [
        (log("abc", [0, 100, 200]), {}, "3 in sessions under 2 plays"),
        (log("abc"), {"min_song_plays": 2}, "3 of songs with under 2 plays"),
        (log("abc", skipped=[True] * 3), {}, "3 skips"),
        (log("abc", played_seconds=[10.0] * 3), {}, "3 skips"),
        (log("aaa"), {}, "2 repeats, 1 in sessions under 2 plays"),
        (log("aaa", [0, 0, 0]), {}, "2 duplicate rows, 1 in sessions under 2 plays"),
        (log("abc", [0, 1, 2]), {"max_plays_per_listener": 1}, "2 over the listener's cap, 1 in sessions under 2 plays"),
    ],
)
def test_when_no_session_is_left_the_reason_is_named(listens, arguments, reason):
    with pytest.raises(NothingLeftError) as raised:
        cut_sessions(listens, **arguments)
    assert str(raised.value) == f"no session is left of 3 plays: 0 of 3 plays kept (dropped: {reason})"


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("gap_minutes", [0, -1, math.nan, math.inf]),
        ("min_played_seconds", [-1, math.nan]),
        ("repeats", ["drop", None]),
        ("min_song_plays", [0, -3]),
        ("min_session_length", [0]),
        ("max_plays_per_listener", [0, -1]),
    ],
)
def test_an_argument_outside_its_range_is_named(argument, values):
    for value in values:
        with pytest.raises(ArgumentError) as raised:
            cut_sessions(log("ab"), **{argument: value})
        assert f"{argument}={value!r}" in str(raised.value)
        assert "allowed" in str(raised.value)


# All rules together


def reference(rows, timed, gap_minutes, min_played_seconds, repeats, min_song_plays, min_session_length, max_plays_per_listener):
    """The docstring of cut_sessions, word by word: sessions as (listener, plays), and how many plays rules 1, 2 and 4 dropped."""
    dropped = Counter()
    sessions = []
    for listener in dict.fromkeys(row["listener"] for row in rows):
        plays = [row for row in rows if row["listener"] == listener]
        if timed:
            plays.sort(key=lambda play: play["time"])
            first = {}
            for play in plays:
                first.setdefault((play["time"], play["song"], play.get("session")), play)
            dropped["duplicate rows"] += len(plays) - len(first)
            plays = list(first.values())
        if max_plays_per_listener is not None:
            dropped["over the listener's cap"] += max(0, len(plays) - max_plays_per_listener)
            plays = plays[-max_plays_per_listener:]
        for session in in_sessions(plays, timed, gap_minutes):
            heard = [play for play in session if not is_skip(play, min_played_seconds)]
            dropped["skips"] += len(session) - len(heard)
            sessions.append((listener, without_repeats(heard) if repeats == "collapse" else heard))
    return settle([session for session in sessions if session[1]], repeats, min_song_plays, min_session_length), dropped


def in_sessions(plays, timed, gap_minutes):
    if plays and "session" in plays[0]:
        by_name = {}
        for play in plays:
            by_name.setdefault(play["session"], []).append(play)
        return list(by_name.values())
    sessions = [plays[:1]]
    for before, play in pairwise(plays):
        played = before.get("played_seconds")
        end = before["time"] + timedelta(seconds=0 if unknown(played) else played) if timed else None
        if timed and play["time"] - end > timedelta(minutes=gap_minutes):
            sessions.append([])
        sessions[-1].append(play)
    return sessions


def unknown(number):
    return number is None or math.isnan(number)


def is_skip(play, min_played_seconds):
    least, duration, played = min_played_seconds, play.get("duration_seconds"), play.get("played_seconds")
    if not unknown(duration):
        least = min(least, duration / 2)
    return bool(play.get("skipped")) or (not unknown(played) and played < least)


def without_repeats(plays):
    return [play for before, play in zip([None, *plays], plays, strict=False) if before is None or before["song"] != play["song"]]


def settle(sessions, repeats, min_song_plays, min_session_length):
    """Drop one rare song or one short session at a time."""
    while True:
        counts = Counter(play["song"] for _, plays in sessions for play in plays)
        rare = next((song for song, count in counts.items() if count < min_song_plays), None)
        short = next((number for number, (_, plays) in enumerate(sessions) if len(plays) < min_session_length), None)
        if short is not None:
            del sessions[short]
        elif rare is not None:
            left = [(listener, [play for play in plays if play["song"] != rare]) for listener, plays in sessions]
            sessions = [(listener, without_repeats(plays) if repeats == "collapse" else plays) for listener, plays in left]
            sessions = [session for session in sessions if session[1]]
        else:
            return sessions


def expected_dwell(plays, timed):
    for play, after in zip(plays, [*plays[1:], None], strict=True):
        if not unknown(play.get("played_seconds")):
            yield play["played_seconds"]
        elif timed and after is not None:
            yield (after["time"] - play["time"]).total_seconds()
        else:
            yield math.nan


@st.composite
def logs(draw):
    """Small logs in which every rule bites: few songs, few times, few listeners."""
    size = draw(st.integers(1, 30), label="plays")
    strings = draw(st.booleans(), label="string ids")
    songs = st.sampled_from([f"s{number}" for number in range(5)] if strings else [0, 1, 7, -3, 2**40])
    columns = {"listener": st.sampled_from("xyz"), "song": songs}
    timed = draw(st.booleans(), label="timed")
    if timed:
        columns["time"] = st.integers(0, 30).map(lambda step: BEGIN + timedelta(minutes=step * 7, microseconds=step % 2))
    if draw(st.booleans(), label="given sessions"):
        columns["session"] = st.sampled_from("pqr") if strings else st.integers(1, 3)
    if draw(st.booleans(), label="played"):
        columns["played_seconds"] = st.sampled_from([None, math.nan, 0.0, 9.5, 10.0, 19.5, 20.0, 30.0, 1000.0])
        if draw(st.booleans(), label="durations"):
            columns["duration_seconds"] = st.sampled_from([None, math.nan, 19.0, 20.0, 40.0, 300.0])
    if draw(st.booleans(), label="skips"):
        columns["skipped"] = st.sampled_from([None, True, False])
    rows = draw(st.lists(st.fixed_dictionaries(columns), min_size=size, max_size=size), label="rows")
    return rows, timed


@settings(max_examples=100, deadline=None)
@given(
    log=logs(),
    gap_minutes=st.sampled_from([0.1, 7, 10, 14.5, 30]),
    min_played_seconds=st.sampled_from([0, 10, 30]),
    repeats=st.sampled_from(["collapse", "keep"]),
    min_song_plays=st.integers(1, 4),
    min_session_length=st.integers(1, 4),
    max_plays_per_listener=st.none() | st.integers(1, 12),
)
def test_sessions_are_what_the_rules_say(log, **arguments):
    rows, timed = log
    listens = as_listens(**{name: [row[name] for row in rows] for name in rows[0]})
    expected, dropped = reference(rows, timed, **arguments)
    if not expected:
        with pytest.raises(NothingLeftError):
            cut_sessions(listens, **arguments)
        return
    sessions = cut_sessions(listens, **arguments)
    assert [*sessions] == [[play["song"] for play in plays] for _, plays in expected]
    assert sessions.listeners.gather(sessions.listener).to_list() == [listener for listener, _ in expected]
    assert sessions.listeners.to_list() == list(dict.fromkeys(listener for listener, _ in expected))
    counts = Counter(play["song"] for _, plays in expected for play in plays)
    appearance = list(dict.fromkeys(row["song"] for row in rows))
    assert sessions.catalogue.ids.to_list() == sorted(counts, key=lambda song: (-counts[song], appearance.index(song)))
    assert sessions.catalogue.plays.tolist() == [counts[song] for song in sessions.catalogue.ids]
    if timed:
        assert sessions.start.tolist() == [int(plays[0]["time"].timestamp()) for _, plays in expected]
    if timed or "played_seconds" in rows[0]:
        dwell = [seconds for _, plays in expected for seconds in expected_dwell(plays, timed)]
        np.testing.assert_array_equal(sessions.dwell, np.array(dwell, np.float32))
    report = sessions.report
    assert (report.plays, report.kept) == (len(rows), sessions.plays)
    assert report.plays == report.kept + sum(report.dropped.values())
    assert {why: report.dropped.get(why, 0) for why in dropped} == dropped


# Size


@pytest.mark.parametrize("clock", ["runs", "stands still", "runs backwards"])
def test_a_session_of_a_million_plays_is_cut_in_a_moment(clock):
    size = 1_000_000
    seconds = {"runs": np.arange(size), "stands still": np.zeros(size, np.int64), "runs backwards": np.arange(size)[::-1]}[clock]
    songs = np.arange(size) % 5000
    times = pl.Series((seconds + 1_600_000_000) * 1_000_000).cast(pl.Datetime("us", "UTC"))
    sessions = cut_sessions(as_listens(listener=np.zeros(size, np.int64), song=songs, time=times))
    assert sessions.lengths.tolist() == [size]  # a song comes again after 5,000 plays: too far off to be looked for as a duplicate
    assert sessions[0] == (songs[::-1] if clock == "runs backwards" else songs).tolist()


def test_ten_thousand_listeners_of_one_session_each():
    size = 30_000
    sessions = cut_sessions(as_listens(listener=np.arange(size) % 10_000, song=np.arange(size) // 10_000))
    assert len(sessions) == 10_000
    assert set(map(tuple, sessions)) == {(0, 1, 2)}
