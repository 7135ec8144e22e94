"""Follower tables against plain Python, and the models that read them."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.models import AssociationRules, ItemKNN, MarkovChain, SequentialRules
from song2vec.models import rules as room
from song2vec.sessions import Sessions

logs = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=9), min_size=1, max_size=12).map(Sessions.from_lists)


def plain(sessions, pairs):
    """Song -> [(other, weight)], heaviest first and equals as they were first seen, from (song, other, weight) of one session each."""
    totals = defaultdict(lambda: defaultdict(float))
    for begin, end in pairwise(sessions.offsets):
        for song, other, weight in pairs(sessions.songs[begin:end].tolist()):
            totals[song][other] += weight
    return {song: sorted(others.items(), key=lambda item: -round(item[1], 9)) for song, others in totals.items()}


def lists(table):
    offsets, songs, weights = table
    return [(songs[begin:end].tolist(), weights[begin:end]) for begin, end in pairwise(offsets)]


def check(sessions, table, expected, keep=None, share=True):
    for song, (others, weights) in enumerate(lists(table)):
        wanted = expected.get(song, [])
        whole = sum(weight for _, weight in wanted) if share else 1
        kept = wanted[:keep]
        assert others == [other for other, _ in kept]
        np.testing.assert_allclose(weights, [weight / whole for _, weight in kept], rtol=1e-5)
        assert (np.diff(weights) < 0).all()


def steps_apart(steps):
    return lambda songs: [(songs[i], songs[i + d], 1 / d) for i in range(len(songs)) for d in range(1, steps + 1) if i + d < len(songs)]


def all_pairs(songs):
    return [(a, b, 1) for a in songs for b in songs if a != b]


def once(songs):
    different = list(dict.fromkeys(songs))
    return [(a, b, 1) for a in different for b in different if a != b]


@settings(deadline=None)
@given(logs, st.integers(1, 4), st.sampled_from([None, 1, 2, 3]))
def test_sequential_rules_are_those_of_plain_python(sessions, steps, keep):
    check(sessions, room.transition_table(sessions, keep, steps=steps), plain(sessions, steps_apart(steps)), keep)


@settings(deadline=None)
@given(logs, st.sampled_from([None, 1, 2, 3]))
def test_association_rules_are_those_of_plain_python(sessions, keep):
    check(sessions, room.transition_table(sessions, keep), plain(sessions, all_pairs), keep)


@settings(deadline=None)
@given(logs, st.sampled_from([0.0, 3.0]), st.sampled_from([0.0, 0.3, 1.0]))
def test_cosines_are_those_of_plain_python(sessions, shrinkage, alpha):
    held = np.zeros(len(sessions.catalogue))
    for session in sessions:
        held[sessions.catalogue.rows(set(session))] += 1
    found = lists(ItemKNN(neighbours=None, shrinkage=shrinkage, alpha=alpha).fit(sessions).table_)
    for song, wanted in plain(sessions, once).items():
        norm = (held[song] + shrinkage) ** alpha * (held + shrinkage) ** (1 - alpha)
        others, weights = found[song]
        assert set(others) == {other for other, _ in wanted}
        expected = {other: weight / norm[other] for other, weight in wanted}
        np.testing.assert_allclose(weights, [expected[other] for other in others], rtol=1e-5)


def test_tables_made_in_pieces_are_the_same(monkeypatch):
    random = np.random.default_rng(0)
    sessions = Sessions.from_lists([random.integers(0, 50, 12).tolist() for _ in range(100)])
    whole = room.transition_table(sessions, 10, steps=5)
    monkeypatch.setattr(room, "_PAIRS", 64)
    for found, expected in zip(room.transition_table(sessions, 10, steps=5), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


LOG = Sessions.from_lists([["a", "b", "c"], ["a", "c"], ["a", "b", "a"], ["a", "d"]])


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (MarkovChain(), {"b": 2 / 4, "c": 1 / 4, "d": 1 / 4}),
        (AssociationRules(), {"b": 3 / 6, "c": 2 / 6, "d": 1 / 6}),  # the third session plays a twice
        (SequentialRules(), {"b": 2 / 5, "c": 1.5 / 5, "a": 0.5 / 5, "d": 1 / 5}),
        (ItemKNN(shrinkage=0), {"b": 2 / 8**0.5, "c": 2 / 8**0.5, "d": 1 / 2}),
    ],
)
def test_scores_by_hand(model, expected):
    table = model.fit(LOG).next(["c", "a"], 4)
    found = dict(zip(table["song"], table["score"], strict=True))
    expected = dict.fromkeys("abcd", 0.0) | expected
    assert found == pytest.approx(expected, rel=1e-5)


def test_of_songs_that_followed_equally_often_the_first_seen_is_ahead():
    model = MarkovChain().fit(Sessions.from_lists([["a", "d"], ["a", "c"], ["a", "b"], ["a", "b"]]))
    assert model.next(["a"], 3)["song"].to_list() == ["b", "d", "c"]


def test_earlier_songs_count_decayed():
    model, last = SequentialRules(decay=0.5).fit(LOG), SequentialRules().fit(LOG)
    scores = [last.next(history, 4).sort("song")["score"].to_numpy() for history in (["a"], ["b"], ["a"])]
    expected = scores[2] + 0.5 * scores[1] + 0.25 * scores[0]
    np.testing.assert_allclose(model.next(["a", "b", "a"], 4).sort("song")["score"], expected, rtol=1e-5)
