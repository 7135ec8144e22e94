"""Splits of sessions into train and test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.splits import split_at_random


def sessions_of(count):
    return Sessions.from_lists([[number, 1000 + number % 3] for number in range(count)])


@settings(max_examples=100, deadline=None)
@given(count=st.integers(2, 60), test=st.floats(0.05, 0.95), seed=st.integers(0, 2**31 - 1))
def test_every_session_is_on_one_side_in_its_order(count, test, seed):
    whole = sessions_of(count)
    if round(test * count) in (0, count):
        with pytest.raises(ArgumentError, match="one side empty"):
            split_at_random(whole, test, seed=seed)
        return
    train, held_out = split_at_random(whole, test, seed=seed)
    assert len(held_out) == round(test * count)
    assert sorted([*train, *held_out]) == [*whole]
    assert [*train] == sorted(train)
    assert [*held_out] == sorted(held_out)
    assert train.catalogue == held_out.catalogue == whole.catalogue


def test_the_same_seed_splits_alike_and_another_otherwise():
    first, again, other = (split_at_random(sessions_of(100), 0.3, seed=seed) for seed in (1, 1, 2))
    assert [*first[1]] == [*again[1]]
    assert [*first[1]] != [*other[1]]


def test_sessions_are_held_out_at_random():
    held_out = np.concatenate([split_at_random(sessions_of(20), 0.25, seed=seed)[1].listener for seed in range(200)])
    times = np.bincount(held_out, minlength=20)  # 50 each on average
    assert times.min() > 25
    assert times.max() < 80


@pytest.mark.parametrize("test", [0, 1, -0.5, 1.5, math.nan, 20])
def test_a_share_outside_its_range_is_refused(test):
    with pytest.raises(ArgumentError, match=f"test={test!r}: a share between 0 and 1"):
        split_at_random(sessions_of(10), test)


@pytest.mark.parametrize(("count", "test"), [(1, 0.5), (2, 0.1), (3, 0.9), (0, 0.5)])
def test_too_few_sessions_to_split_are_refused(count, test):
    whole = sessions_of(3).select(np.arange(count))
    with pytest.raises(ArgumentError, match=f"of {count} sessions"):
        split_at_random(whole, test)


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, None, True, "1"])
def test_a_seed_outside_its_range_is_refused(seed):
    with pytest.raises(ArgumentError, match="seed="):
        split_at_random(sessions_of(10), seed=seed)
