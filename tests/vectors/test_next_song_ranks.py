"""The score that training watches, against brute force."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors import SongVectors
from song2vec.vectors.measures import next_song_ranks, recall

AXES = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)]  # cosines between these are exact, so ties are ties


def brute_force(vectors, sessions):
    """Ranks as the docstring has them, one query and one candidate at a time."""
    ids, ranks = vectors.catalogue.ids.to_list(), []
    unit = vectors.unit.astype(np.float64)
    for session in sessions:
        for song, after in pairwise(session):
            if song not in ids or after not in ids:
                ranks.append(len(ids))
                continue
            query, target = unit[ids.index(song)], unit[ids.index(after)] @ unit[ids.index(song)]
            better_or_equal = [other for other in ids if other not in (song, after) and unit[ids.index(other)] @ query >= target]
            ranks.append(1 + len(better_or_equal))
    return ranks


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.sampled_from(AXES), min_size=1, max_size=9),
    lists=st.lists(st.lists(st.integers(0, 11), max_size=6), min_size=1, max_size=6).filter(any),
    scale=st.sampled_from([1, 0.001, 1000]),
)
def test_ranks_are_those_of_brute_force_with_ties_unknown_songs_and_repeats(rows, lists, scale):
    vectors = SongVectors(np.array(rows) * scale, range(len(rows)))
    sessions = Sessions.from_lists(lists)
    ranks = next_song_ranks(vectors, sessions)
    assert ranks.tolist() == brute_force(vectors, sessions)
    assert ranks.dtype == np.int64


def test_many_queries_over_many_songs():
    random = np.random.default_rng(0)
    vectors = SongVectors(random.standard_normal((60, 5)), [f"s{row}" for row in range(60)])
    sessions = Sessions.from_lists([[f"s{row}" for row in random.integers(0, 63, 8)] for _ in range(200)])
    ranks = next_song_ranks(vectors, sessions)
    assert len(ranks) == 1400  # more than one block
    assert ranks.tolist() == brute_force(vectors, sessions)


def test_one_rank_worked_by_hand():
    # from a: b at 0.8, c at 0.6, d at 0; the song itself is no candidate
    vectors = SongVectors([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], [*"abcd"])
    assert next_song_ranks(vectors, Sessions.from_lists([["a", "b"], ["a", "c"], ["a", "d"]])).tolist() == [1, 2, 3]


def test_ties_count_against_us():
    same = SongVectors(np.ones((5, 2)), [*"abcde"])
    assert next_song_ranks(same, Sessions.from_lists([[*"ab"]])).tolist() == [4]
    nothing = SongVectors(np.zeros((5, 2)), [*"abcde"])
    assert next_song_ranks(nothing, Sessions.from_lists([[*"ab"]])).tolist() == [4]


def test_unknown_songs_rank_last_so_that_dropping_songs_never_pays():
    vectors = SongVectors(np.eye(4), [*"abcd"])
    assert next_song_ranks(vectors, Sessions.from_lists([[*"axb"], [*"yz"]])).tolist() == [4, 4, 4]


def test_a_song_that_follows_itself_is_its_own_target():
    vectors = SongVectors(np.eye(4), [*"abcd"])
    assert next_song_ranks(vectors, Sessions.from_lists([[*"aa"]])).tolist() == [1]


def test_sessions_of_one_play_ask_nothing():
    vectors = SongVectors(np.eye(2), [*"ab"])
    sessions = Sessions.from_lists([["a"], ["b"], ["a", "b"], ["b"]])
    assert len(next_song_ranks(vectors, sessions)) == 1
    assert len(next_song_ranks(vectors, sessions.keep(np.array([0, 1])))) == 0
    assert len(next_song_ranks(vectors, sessions.keep(np.array([], np.int64)))) == 0


def test_a_sample_of_queries_is_of_all_queries_by_seed():
    random = np.random.default_rng(0)
    vectors = SongVectors(random.standard_normal((300, 8)), range(300))
    sessions = Sessions.from_lists(random.integers(0, 300, (50, 6)).tolist())
    whole = next_song_ranks(vectors, sessions)
    samples = [next_song_ranks(vectors, sessions, max_queries=100, seed=seed).tolist() for seed in (0, 0, 1)]
    assert samples[0] == samples[1] != samples[2]
    for sample in samples:
        assert len(sample) == 100
        order = iter(whole.tolist())
        assert all(rank in order for rank in sample)  # a subsequence
    assert next_song_ranks(vectors, sessions, max_queries=250).tolist() == whole.tolist()
    with pytest.raises(ArgumentError, match="seed=-1"):
        next_song_ranks(vectors, sessions, max_queries=3, seed=-1)


def test_recall_is_the_share_of_ranks_within_k():
    ranks = np.array([1, 10, 11, 500])
    assert recall(ranks) == 0.5
    assert recall(ranks, 1) == 0.25
    assert recall(ranks, 500) == 1
    assert math.isnan(recall(np.array([], np.int64)))
