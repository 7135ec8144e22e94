"""Listener vectors, by hand and against a plain loop."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec import SongVectors, read_listens
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.search.listeners import listener

SONGS = ["a", "b", "c", "d"]
# at right angles, and of different lengths, which must not matter
VECTORS = SongVectors(np.diag([1.0, 2.0, 30.0, 0.5]), SONGS)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def plays(*rows, **more):
    """Rows of (song, days before noon of the first of May) as a listens table of one listener."""
    times = [NOON - timedelta(days=days) for _, days in rows]
    return pl.DataFrame({"listener": "ann", "song": [song for song, _ in rows], "time": times, **more})


def shares(vector):
    """A vector as weights that add up to one."""
    return pytest.approx([value / sum(vector) for value in vector], abs=1e-6)


# The mean


def test_a_listener_is_the_mean_of_the_unit_vectors_of_their_plays():
    found = listener(VECTORS, ["a", "c", "a"])
    assert found.vector.tolist() == pytest.approx([2 / 3, 0, 1 / 3, 0])
    assert found.vector.dtype == np.float32
    assert found.rows.tolist() == [0, 2]
    assert found.rows.dtype == np.int64
    assert found.unknown == 0


def test_one_song_makes_a_listener():
    found = listener(VECTORS, ["b"])
    assert found.vector.tolist() == [0, 1, 0, 0]
    assert found.rows.tolist() == [1]


def test_a_list_a_generator_a_table_and_listens_mean_the_same():
    table = plays(("a", 3), ("c", 2), ("a", 1))
    listens = read_listens(table)
    for history in (("a", "c", "a"), (song for song in "aca"), pl.Series(["a", "c", "a"]), np.array(["a", "c", "a"]), table, listens):
        assert listener(VECTORS, history).vector.tolist() == pytest.approx([2 / 3, 0, 1 / 3, 0])


def test_integer_ids_are_ids_and_no_positions():
    vectors = SongVectors(VECTORS.matrix, [10, 3, 2, 1])
    for history in ([3, 3, 1], np.array([3, 3, 1]), pl.DataFrame({"listener": 7, "song": [3, 3, 1], "session": 1})):
        assert listener(vectors, history).vector.tolist() == pytest.approx([0, 2 / 3, 0, 1 / 3])


@settings(deadline=None)
@given(st.lists(st.sampled_from(SONGS), min_size=1), st.randoms())
def test_order_and_repetition_of_a_history_do_not_matter(history, random):
    shuffled = history * 3
    random.shuffle(shuffled)
    np.testing.assert_allclose(listener(VECTORS, shuffled).vector, listener(VECTORS, history).vector, atol=1e-6)


# Weights


def test_a_play_one_half_life_old_counts_half():
    found = listener(VECTORS, plays(("a", 20), ("b", 10), ("c", 0)), half_life_days=10)
    assert found.vector.tolist() == shares([1 / 4, 1 / 2, 1, 0])


def test_age_is_counted_from_the_latest_play_not_from_today():
    recent, old = (listener(VECTORS, plays(("a", days + 5), ("b", days)), half_life_days=5) for days in (0, 4000))
    assert recent.vector.tolist() == old.vector.tolist() == shares([1 / 2, 1, 0, 0])


def test_a_play_counts_by_the_seconds_it_was_played_and_one_of_unknown_length_as_three_minutes():
    table = plays(("a", 0), ("b", 0), ("c", 0), ("d", 0), played_seconds=[60.0, None, 0.0, 120.0])
    assert listener(VECTORS, table, by_dwell=True).vector.tolist() == shares([60, 180, 0, 120])


def test_a_play_of_negative_length_counts_nothing():
    table = plays(("a", 0), ("b", 0), played_seconds=[-50.0, 10.0])
    assert listener(VECTORS, table, by_dwell=True).vector.tolist() == shares([0, 1, 0, 0])


def test_age_and_length_are_multiplied():
    table = plays(("a", 2), ("b", 0), ("a", 1), played_seconds=[400.0, 100.0, 10.0])
    assert listener(VECTORS, table, half_life_days=1, by_dwell=True).vector.tolist() == shares([400 / 4 + 10 / 2, 100, 0, 0])


def test_lengths_do_not_count_unless_asked_for():
    table = plays(("a", 0), ("b", 9), played_seconds=[1.0, 1000.0])
    assert listener(VECTORS, table).vector.tolist() == shares([1, 1, 0, 0])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SONGS), st.floats(0, 1000), st.none() | st.floats(1, 5000)), min_size=1, max_size=30),
    st.none() | st.floats(20, 1e6),
    st.booleans(),
)
def test_weights_are_those_of_a_plain_loop(rows, half_life, by_dwell):
    matrix = np.random.default_rng(0).standard_normal((4, 5))
    expected, total = np.zeros(5), 0.0
    latest = min(days for _, days, _ in rows)
    for song, days, seconds in rows:
        weight = 1.0 if half_life is None else 0.5 ** ((days - latest) / half_life)
        weight *= (180.0 if seconds is None else seconds) if by_dwell else 1.0
        unit = matrix[SONGS.index(song)] / np.linalg.norm(matrix[SONGS.index(song)])
        expected, total = expected + weight * unit, total + weight
    table = plays(*((song, days) for song, days, _ in rows), played_seconds=pl.Series([seconds for *_, seconds in rows], dtype=pl.Float32))
    found = listener(SongVectors(matrix, SONGS), table, half_life_days=half_life, by_dwell=by_dwell)
    np.testing.assert_allclose(found.vector, expected / total, atol=1e-5)


# Songs that have no vector


def test_an_unknown_song_raises_by_default_and_is_named():
    with pytest.raises(UnknownSongError, match="'who'"):
        listener(VECTORS, ["a", "who"])


def test_unknown_songs_are_skipped_on_request_counted_and_logged(caplog):
    with caplog.at_level(logging.WARNING, "song2vec"):
        found = listener(VECTORS, ["a", "who", "b", "who"], unknown="skip")
    assert found.vector.tolist() == pytest.approx([1 / 2, 1 / 2, 0, 0])
    assert (found.rows.tolist(), found.unknown) == ([0, 1], 2)
    assert "2 of 4 plays" in caplog.text


def test_a_history_without_an_unknown_song_logs_nothing(caplog):
    listener(VECTORS, ["a"], unknown="skip")
    assert caplog.records == []


@pytest.mark.parametrize("history", [["who", "where"], plays(("who", 1), ("where", 0))])
def test_nobody_becomes_a_zero_vector(history):
    with pytest.raises(UnknownSongError, match="none of its 2 plays"):
        listener(VECTORS, history, unknown="skip")
    with pytest.raises(UnknownSongError, match="'who'"):
        listener(VECTORS, history)


def test_weights_stay_with_their_plays_when_others_are_skipped():
    table = plays(("who", 0), ("a", 2), ("who", 5), ("b", 1), played_seconds=[1000.0, 10.0, 1000.0, 30.0])
    assert listener(VECTORS, table, by_dwell=True, unknown="skip").vector.tolist() == shares([10, 30, 0, 0])
    assert listener(VECTORS, table, half_life_days=1, unknown="skip").vector.tolist() == shares([1 / 2, 1, 0, 0])


def test_a_recent_unknown_song_does_not_silence_all_older_ones():
    table = plays(("who", 0), ("a", 3000), ("b", 3001))
    assert listener(VECTORS, table, half_life_days=1, unknown="skip").vector.tolist() == shares([1, 1 / 2, 0, 0])


# Reasons


@settings(deadline=None)
@given(st.lists(st.sampled_from([f"s{row}" for row in range(12)]), min_size=1, max_size=12))
def test_the_nearest_played_song_is_the_one_of_the_highest_cosine(history):
    vectors = SongVectors(np.random.default_rng(1).standard_normal((12, 4)), [f"s{row}" for row in range(12)])
    person = listener(vectors, history)
    nearest = person.nearest_played(vectors, np.arange(12))
    for row, found in enumerate(nearest):
        assert max(history, key=lambda song: vectors.similarity(song, f"s{row}")) == f"s{found}"


def test_a_song_that_was_played_is_its_own_reason():
    person = listener(VECTORS, ["b", "d"])
    assert person.nearest_played(VECTORS, np.array([3, 1])).tolist() == [3, 1]
    assert person.nearest_played(VECTORS, np.empty(0, np.int64)).tolist() == []


# Refusals

TWO = pl.DataFrame({"listener": ["ann", "bob"], "song": ["a", "b"], "session": [1, 2]})
TIMELESS = pl.DataFrame({"listener": ["ann"], "song": ["a"], "session": [1]})


@pytest.mark.parametrize(
    ("history", "options", "message"),
    [
        ("a", {}, r"history='a'.*\['a'\]"),
        ([], {}, "history: is empty"),
        (iter(()), {}, "history: is empty"),
        (5, {}, "history=5: a list of songs or a listens table"),
        (None, {}, "history=None: a list of songs or a listens table"),
        (TWO, {}, "history: is of 2 listeners"),
        (["a"], {"unknown": "ignore"}, "unknown='ignore': 'raise', 'skip' are"),
        (["a"], {"half_life_days": 5}, "half_life_days: needs a listens table with times"),
        (TIMELESS, {"half_life_days": 5}, "half_life_days: needs a listens table with times"),
        (["a"], {"by_dwell": True}, "by_dwell: needs a listens table with 'played_seconds'"),
        (TIMELESS, {"by_dwell": True}, "by_dwell: needs a listens table with 'played_seconds'"),
        (plays(("a", 0), ("b", 0), played_seconds=[0.0, 0.0]), {"by_dwell": True}, "every play has weight 0"),
        *((plays(("a", 0)), {"half_life_days": days}, f"half_life_days={days!r}: .*above 0") for days in (0, -1, float("nan"))),
    ],
)
def test_unusable_arguments_are_refused_by_name(history, options, message):
    with pytest.raises(ArgumentError, match=message):
        listener(VECTORS, history, **options)
