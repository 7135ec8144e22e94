"""Ratings counted from sessions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.ratings import Ratings, count_plays
from song2vec.sessions import Sessions
from song2vec.testing.raters import drifting

DAY = 86_400


def test_plays_are_counted_by_listener_song_and_period():
    sessions = Sessions.from_lists([["a", "b", "a"], ["a"], ["b"]])
    sessions = replace(sessions, start=np.array([0, 29 * DAY, 30 * DAY]) + 12_345, listener=np.zeros(3, np.int32))
    ratings = count_plays(sessions, days=30)
    found = {
        (sessions.catalogue.ids[int(song)], int(period)): float(value)
        for song, period, value in zip(ratings.song, ratings.period, ratings.value, strict=True)
    }
    assert found == pytest.approx({("a", 0): np.log(4), ("b", 0): np.log(2), ("b", 1): np.log(2)})


def test_songs_not_played_are_drawn_once_each_and_never_where_they_were_played():
    random = np.random.default_rng(0)
    sessions = Sessions.from_lists([random.integers(0, 50, 10).tolist() for _ in range(40)])
    sessions = replace(sessions, start=np.arange(40) * 3 * DAY, listener=np.arange(40, dtype=np.int32) % 7)
    played, both = count_plays(sessions), count_plays(sessions, unplayed=1.0, seed=3)
    keys = np.stack([both.listener, both.song, both.period])
    assert np.unique(keys, axis=1).shape == keys.shape
    assert 0.5 * len(played) < (both.value == 0).sum() < len(played)
    kept = both.select(both.value > 0)
    for name in ("listener", "song", "period", "value"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(played, name))
    np.testing.assert_array_equal(count_plays(sessions, unplayed=1.0, seed=3).song, both.song)
    with pytest.raises(ArgumentError, match="unplayed=-1"):
        count_plays(sessions, unplayed=-1)


def test_sessions_need_times_and_periods_a_length():
    sessions = Sessions.from_lists([["a", "b"]])
    with pytest.raises(ArgumentError, match="have no times"):
        count_plays(sessions)
    with pytest.raises(ArgumentError, match="days=0"):
        count_plays(replace(sessions, start=np.zeros(1, np.int64)), days=0)
    with pytest.raises(ArgumentError, match="days='30'"):
        count_plays(replace(sessions, start=np.zeros(1, np.int64)), days="30")
    with pytest.raises(ArgumentError, match="days=1e-09: makes 1157407407"):
        count_plays(replace(Sessions.from_lists([["a"], ["b"]]), start=np.array([0, 10**6])), days=1e-9)
    with pytest.raises(ArgumentError, match="sessions is a list; Sessions are allowed"):
        count_plays([["a", "b"]])


def test_lists_will_do():
    ratings = Ratings([0, 0, 1], [0, 1, 1], [0, 0, 2], [1.5, 2, 3], ["ann", "bob"], Catalogue(["a", "b"]))
    assert ratings.during(2).value.tolist() == [3]
    assert ratings.listeners.to_list() == ["ann", "bob"]
    assert {ratings.song.dtype, ratings.period.dtype} == {np.dtype(np.int32)}
    assert len(Ratings([], [], [], [], [], Catalogue([]))) == 0


def test_saved_and_loaded(tmp_path):
    for ratings in (drifting(), Ratings([0], [0], [1], [2.5], [7], Catalogue([3], [1]))):
        loaded = Ratings.load(ratings.save(tmp_path / "ratings"))
        assert loaded.fingerprint == ratings.fingerprint
        assert loaded.listeners.to_list() == ratings.listeners.to_list()
        assert loaded.catalogue == ratings.catalogue
        np.testing.assert_array_equal(loaded.value, ratings.value)
        assert ratings.before(1).fingerprint != ratings.fingerprint


def test_a_period_and_those_before_it():
    ratings = drifting()
    assert set(ratings.during(3).period) == {3}
    assert ratings.before(3).period.max() == 2
    for call in (ratings.before, ratings.during):
        with pytest.raises(ArgumentError, match="period='6': a whole number from 0"):
            call("6")
    with pytest.raises(ArgumentError, match="which: is a mask of 1 for"):
        ratings.select([True])
    assert len(ratings.before(3)) + len(ratings.select(ratings.period >= 3)) == len(ratings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"song": np.array([99])}, "song: from 99"),
        ({"period": np.array([-1])}, "period: from -1"),
        ({"value": np.array([np.nan])}, "not finite"),
        ({"listener": np.zeros(2, np.int32)}, "lengths"),
        ({"song": [0.5]}, "song: is 1-dimensional float64; a row of int32 numbers"),
        ({"song": ["s1"]}, "song: is 1-dimensional <U2"),
        ({"value": [[1.0]]}, "value: is 2-dimensional"),
        ({"value": [[1.0], [1.0, 2.0]]}, "value: holds what are no numbers"),
        ({"catalogue": ["a"]}, "catalogue is a list"),
        ({"listeners": ["ann", "ann"]}, "listeners must be unique"),
        ({"listeners": "ann"}, "listeners='ann': a list of ids"),
        ({"period": [2**31]}, "period: holds 2147483648; up to 2147483647"),
        ({"value": [1e300]}, r"value: holds 1e\+300; up to 3.4"),
    ],
)
def test_bad_ratings_are_refused(change, message):
    with pytest.raises(ArgumentError, match=message):
        replace(drifting().select(np.array([0])), **change)
