"""Which queries a test makes, and what is left of it where songs are not known."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.evaluation.protocol import queries
from song2vec.evaluation.results import Dropped
from song2vec.sessions import Sessions
from tests.evaluation.toys import random_log

TEST = Sessions.from_lists([["a", "x", "b"], ["x"], ["x", "x"], ["b", "a", "b", "b"], ["x", "c"]])


def asked_of(test, *catalogues):
    """(session, history, answer) of every query."""
    found = queries(test, catalogues or [test.catalogue])
    offsets, songs = found.sessions.offsets, found.sessions.catalogue.songs(found.sessions.songs)
    begins = offsets[np.searchsorted(offsets, found.plays, "right") - 1]
    cases = zip(found.session.tolist(), begins, found.plays, found.targets, strict=True)
    return [(number, songs[begin : play + 1], found.sessions.catalogue.ids[int(right)]) for number, begin, play, right in cases], found


def test_every_play_but_the_last_is_a_query():
    cases, found = asked_of(TEST)
    assert cases[:3] == [(0, ["a"], "x"), (0, ["a", "x"], "b"), (2, ["x"], "x")]
    assert [number for number, _, _ in cases] == [0, 0, 2, 3, 3, 3, 4]
    assert found.repeat.tolist() == [False, False, True, False, True, True, False]
    assert found.dropped == Dropped(0, 0)


def test_unknown_songs_are_left_out_and_counted():
    cases, found = asked_of(TEST, Catalogue(["c", "b", "a"]))
    assert cases == [(0, ["a"], "b"), (3, ["b"], "a"), (3, ["b", "a"], "b"), (3, ["b", "a", "b"], "b")]
    assert found.dropped == Dropped(5, 3)
    assert found.sessions.lengths.tolist() == [2, 4, 1]  # sessions left empty are gone


def test_several_must_know_a_song():
    cases, _ = asked_of(TEST, Catalogue(["a", "b"]), Catalogue(["b", "x", "c"]))
    assert cases == [(3, ["b"], "b"), (3, ["b", "b"], "b")]


def test_the_same_queries_over_another_catalogue():
    other = Catalogue(["c", "q", "b", "a"])
    found = queries(TEST, [other])
    moved = found.over(other)
    assert moved.sessions.catalogue is other
    assert list(moved.sessions) == list(found.sessions)
    assert other.songs(moved.targets) == found.sessions.catalogue.songs(found.targets)
    assert moved.repeat.tolist() == found.repeat.tolist()


def test_lengths_stay_with_their_plays():
    test = Sessions.from_lists([["a", "x", "b"], ["b", "x", "a"]])
    timed = Sessions(test.songs, test.offsets, test.listener, test.catalogue, test.listeners, np.array([5, 6]), np.arange(6.0))
    thinned = queries(timed, [Catalogue(["a", "b"])]).sessions
    assert thinned.dwell.tolist() == [0, 2, 3, 5]
    assert thinned.start.tolist() == [5, 6]


def test_a_sample_is_of_whole_sessions():
    log = random_log()
    everything, some = queries(log, [log.catalogue]), queries(log, [log.catalogue], 100, seed=3)
    assert 90 <= len(some) <= 100
    for number in np.unique(some.session):
        assert (some.session == number).sum() == (everything.session == number).sum()
        assert list(some.sessions)[np.unique(some.session).tolist().index(number)] == log[number]
    assert queries(log, [log.catalogue], 100, seed=3).session.tolist() == some.session.tolist()
    assert queries(log, [log.catalogue], 100, seed=4).session.tolist() != some.session.tolist()


def test_a_sample_of_more_than_all_is_all():
    assert len(queries(TEST, [TEST.catalogue], 7)) == len(queries(TEST, [TEST.catalogue], 10**9)) == 7


def test_a_sample_has_a_query_at_least():
    log = Sessions.from_lists([["a"], list("abcde"), ["b"], list("edcba")])
    assert all(len(queries(log, [log.catalogue], 1, seed)) == 4 for seed in range(5))


@pytest.mark.parametrize("known", [["q"], ["c"], [1, 2]])
def test_a_test_that_leaves_nothing_is_refused(known):
    with pytest.raises(NothingLeftError, match="nothing to ask"):
        queries(TEST, [Catalogue(known)])


def test_bad_arguments_are_refused():
    with pytest.raises(ArgumentError, match="test is a list"):
        queries([["a", "b"]], [TEST.catalogue])
    with pytest.raises(ArgumentError, match="max_queries=0"):
        queries(TEST, [TEST.catalogue], 0)
