"""Product2vec: the set counts, not the order, and not how often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors import Product2Vec, Word2Vec
from song2vec.vectors.prod2vec import as_sets
from tests.vectors.planted import LEARNING, far_apart, own_cluster, surely_more
from tests.vectors.test_word2vec import SONGS, fingerprint, planted


def shares(vectors):
    """Of each song, how many of the 11 nearest are of its cluster."""
    return own_cluster(vectors.matrix, vectors.catalogue.ids.to_numpy() // SONGS, k=SONGS - 1)


@pytest.mark.parametrize("window", [1, 2])
def test_what_lies_far_apart_in_a_set_is_found_where_a_window_finds_nothing(window):
    sets, near = (learner.fit(far_apart()).vectors_ for learner in (Product2Vec(**LEARNING), Word2Vec(**LEARNING, window=window)))
    assert shares(sets).mean() > 0.75
    assert shares(near).mean() < 0.35
    assert surely_more(shares(sets), shares(near))


def test_order_and_repetition_do_not_matter_to_the_last_bit():
    sessions, random = planted(50), np.random.default_rng(0)
    parts = np.split(sessions.songs, sessions.offsets[1:-1])
    shuffled = [random.permutation(np.concatenate([part, part[:2]])).astype(np.int32) for part in parts]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in shuffled])])
    again = replace(sessions, songs=np.concatenate(shuffled), offsets=offsets)
    prints = {fingerprint(Product2Vec(**LEARNING).fit(each).vectors_) for each in (sessions, again)}
    assert len(prints) == 1
    assert fingerprint(Word2Vec(**LEARNING).fit(sessions).vectors_) != fingerprint(Word2Vec(**LEARNING).fit(again).vectors_)


@given(st.lists(st.lists(st.integers(0, 9)), min_size=1).filter(any))
def test_sets_hold_what_sessions_hold(lists):
    sessions = Sessions.from_lists(lists)
    sets = as_sets(sessions)
    assert [sorted(songs) for songs in sets] == [sorted(set(songs)) for songs in lists]
    assert all((np.diff(part) > 0).all() for part in np.split(sets.songs, sets.offsets[1:-1]))
    assert (sets.catalogue, sets.songs.dtype) == (sessions.catalogue, np.int32)


def test_sessions_of_one_song_over_and_over_are_refused():
    with pytest.raises(ArgumentError, match="two plays"):
        Product2Vec(**LEARNING).fit(Sessions.from_lists([["a", "a"], ["b", "b"]]))
