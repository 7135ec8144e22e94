"""Batches against a written-out expectation, and against a plain walk of the slots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from song2vec.nn.batching import CONTINUES, NEW_LISTENER, NEW_SESSION, BatchPlan, listener_parallel, session_parallel
from song2vec.nn.softmax import Negatives
from song2vec.sessions import Sessions

LISTS = [[7, 3, 3], [5, 1], [2, 8, 4], [6, 9], [1]]


def traced(sessions: Sessions, plan: BatchPlan) -> list[list[tuple[int, int, int]]]:
    """(input, target, how it starts) of each entry, step by step."""
    ids = np.array(sessions.catalogue.ids.to_list())[sessions.songs]
    entries = list(zip(ids[plan.plays].tolist(), ids[plan.plays + 1].tolist(), plan.starts.tolist(), strict=True))
    return [entries[plan.begin[t] : plan.begin[t + 1]] for t in range(plan.steps)]


def test_the_batches_of_the_module_docstring():
    sessions = Sessions.from_lists(LISTS)
    plan = session_parallel(sessions, np.arange(5), 2)
    assert traced(sessions, plan) == [
        [(7, 3, NEW_LISTENER), (5, 1, NEW_LISTENER)],
        [(3, 3, CONTINUES), (2, 8, NEW_LISTENER)],  # only the second slot begins anew, and only now
        [(6, 9, NEW_LISTENER), (8, 4, CONTINUES)],
    ]
    assert plan.carried.tolist() == [0, 0, 0, 1, 0, 1]


def test_a_slot_that_ends_is_dropped_and_the_others_keep_their_states():
    sessions = Sessions.from_lists([[1, 2], [3, 4, 5], [6, 7, 8, 9]])
    plan = session_parallel(sessions, np.arange(3), 3)
    assert traced(sessions, plan) == [
        [(1, 2, NEW_LISTENER), (3, 4, NEW_LISTENER), (6, 7, NEW_LISTENER)],
        [(4, 5, CONTINUES), (7, 8, CONTINUES)],
        [(8, 9, CONTINUES)],
    ]
    assert plan.carried.tolist()[3:] == [1, 2, 1]


def test_fewer_sessions_than_slots_and_no_session_with_a_target():
    sessions = Sessions.from_lists([[1, 2, 3]])
    assert session_parallel(sessions, np.arange(1), 64).steps == 2
    assert session_parallel(Sessions.from_lists([[1], [2]]), np.arange(2), 64).steps == 0


def test_users_keep_their_slot_from_session_to_session():
    sessions = Sessions.from_lists([[1, 2], [3, 4], [5, 6, 7], [8], [9, 10]])
    listeners = np.array([0, 1, 0, 0, 2], np.int32)
    sessions = Sessions(sessions.songs, sessions.offsets, listeners, sessions.catalogue, sessions.listeners[:3], np.array([5, 1, 1, 3, 2]))
    plan = listener_parallel(sessions, np.array([0, 1, 2]), 2)
    assert traced(sessions, plan) == [
        [(5, 6, NEW_LISTENER), (3, 4, NEW_LISTENER)],  # the older session of listener 0 is first
        [(6, 7, CONTINUES), (9, 10, NEW_LISTENER)],
        [(1, 2, NEW_SESSION)],
    ]
    assert plan.carried.tolist() == [0, 0, 0, 1, 0]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=20), st.integers(1, 6), st.randoms(use_true_random=False))
def test_every_target_once_and_in_order(lengths, slots, random):
    sessions = Sessions.from_lists([list(range(100 * i, 100 * i + length)) for i, length in enumerate(lengths)])
    order = np.array(random.sample(range(len(lengths)), len(lengths)))
    plan = session_parallel(sessions, order, slots)
    targets = np.setdiff1d(np.arange(sessions.plays), sessions.offsets[:-1])
    assert sorted((plan.plays + 1).tolist()) == targets.tolist()
    sizes = np.diff(plan.begin)
    assert (sizes <= slots).all()
    assert (np.diff(sizes) <= 0).all()  # full until sessions run out
    for t in range(plan.steps):
        for entry in range(plan.begin[t], plan.begin[t + 1]):
            play = plan.plays[entry]
            if plan.starts[entry] == NEW_LISTENER:
                assert play in sessions.offsets
            else:
                assert plan.plays[plan.begin[t - 1] + plan.carried[entry]] == play - 1


def test_negatives_are_drawn_by_search_on_the_cumulative_weights():
    support = np.array([0, 8, 1, 0, 4, 2, 0])
    negatives = Negatives(support, 0.5, count=1000, seed=3)
    drawn = negatives.block(0, 0, 20)
    uniform = np.random.default_rng([3, *b"negatives 0 0"]).random(20_000)
    weights = np.sqrt(support)
    assert (drawn.ravel() == np.searchsorted(np.cumsum(weights) / weights.sum(), uniform, side="right")).all()
    shares = np.bincount(drawn.ravel(), minlength=7) / drawn.size
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.02)
    assert (negatives.block(0, 0, 20) == drawn).all()
    assert (negatives.block(0, 1, 20) != drawn).any()
    assert (negatives.block(1, 0, 20) != drawn).any()


def test_exponent_0_draws_all_songs_alike():
    drawn = Negatives(np.array([0, 100, 1, 1]), 0.0, count=4000, seed=0).block(0, 0, 5)
    np.testing.assert_allclose(np.bincount(drawn.ravel(), minlength=4) / drawn.size, 0.25, atol=0.02)
