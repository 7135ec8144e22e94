"""Vectors that lean to their neighbours': by hand, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.testing.planted import listen
from song2vec.vectors import Word2VecEnsemble
from song2vec.vectors.ensemble import smoothed, with_identity
from song2vec.vectors.measures import next_song_ranks, recall
from song2vec.vectors.song_vectors import unit_rows


def test_a_vector_leans_to_the_mean_of_what_was_played_beside_it():
    """The sessions a b, a b c, d and d e: b is beside a twice and beside c once; c, the last of one, not beside d; e has no vector."""
    sessions = Sessions.from_lists([["a", "b"], ["a", "b", "c"], ["d"], ["d", "e"]])
    unit = np.eye(4, dtype=np.float32)
    rows = np.array(["abcde".index(song) if song != "e" else -1 for song in sessions.catalogue.ids])
    beside = np.array([[0, 1, 0, 0], [2, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    found = smoothed(unit, rows, sessions, 0.5)
    plays = np.array([[2], [3], [1], [0]])
    np.testing.assert_allclose(found, unit_rows(unit + 0.5 * plays / (plays + 10) * unit_rows(beside)), atol=1e-6)
    np.testing.assert_array_equal(smoothed(unit, rows, sessions, 0), unit)


def test_a_song_is_no_neighbour_of_its_own():
    sessions = Sessions.from_lists([["a", "a", "a", "b"]])
    found = smoothed(np.eye(2, dtype=np.float32), np.arange(2), sessions, 11.0)  # of one neighbour an eleventh of the share
    np.testing.assert_allclose(found, np.full((2, 2), np.sqrt(0.5)), atol=1e-6)


def test_with_a_direction_of_its_own_a_song_is_as_like_another_as_they_were_played_beside_each_other():
    """a is beside b three times and beside c once, and all three have learned the same."""
    sessions = Sessions.from_lists([["a", "b"], ["a", "b"], ["a", "b"], ["a", "c"]])
    same = np.tile(np.array([[1, 0]], np.float32), (3, 1))
    own = with_identity(same, 1.0, 1000, np.random.default_rng(0))
    np.testing.assert_allclose(own @ own.T, 0.5 + 0.5 * np.eye(3), atol=0.05)
    a, b, c = smoothed(own, np.arange(3), sessions, 1.0)
    assert a @ b > a @ c + 0.02
    np.testing.assert_array_equal(with_identity(same, 0, 1000, np.random.default_rng(0)), same)


def test_an_ensemble_has_room_of_three_trees_for_directions_of_songs_own():
    train, _ = listen("follows", 0.8, sessions=200)
    settings = {"trees": 2, "epochs": 1, "workers": 1, "progress": False}
    plain, own = (Word2VecEnsemble(**settings, size=size, identity=length).fit(train).vectors_ for size, length in ((8, 0), (20, 0.5)))
    assert (plain.matrix.shape[1], own.matrix.shape[1]) == (8, 20)
    with pytest.raises(ArgumentError, match=r"size=8: a multiple of 5 is allowed with trees=2 and identity=0.5"):
        Word2VecEnsemble(**settings, size=8, identity=0.5).fit(train)


def test_it_finds_more_next_songs_than_the_same_trees_alone_and_none_in_noise():
    settings = {"trees": 2, "size": 16, "epochs": 4, "workers": 1, "progress": False}

    def hits(share, smoothing):
        train, test = listen("follows", share)
        return recall(next_song_ranks(Word2VecEnsemble(**settings, smoothing=smoothing).fit(train).vectors_, test), 3)

    assert hits(0.8, 0.8) > hits(0.8, 0.0) + 0.03
    assert hits(0.0, 0.8) < 0.2


@pytest.mark.parametrize("smoothing", [-0.1, "much", None])
def test_bad_shares_are_refused(smoothing):
    with pytest.raises(ArgumentError, match=f"smoothing={smoothing!r}: a number from 0"):
        Word2VecEnsemble(smoothing=smoothing).fit(listen("follows", 0.8, sessions=8)[0])
