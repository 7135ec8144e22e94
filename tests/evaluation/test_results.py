"""Intervals: resampled as said, and true as often as promised."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError
from song2vec.evaluation.results import Interval, Ratio, interval, resampled


def session_hits(random, sessions=80):
    """Queries of sessions that differ in how easily they are guessed; 0.4 are hits in the long run."""
    sizes = 1 + random.poisson(4, sessions)
    chances = random.beta(2, 3, sessions)
    session = np.repeat(np.arange(sessions), sizes)
    return session, (random.random(len(session)) < chances[session]).astype(float)


def test_a_ratio_by_hand():
    assert Ratio(np.array([1.0, 2.0]), np.array([4.0, 4.0])).value == 3 / 8
    assert Ratio.mean(np.array([1.0, np.nan, 0.0])).value == 1 / 2
    assert np.isnan(Ratio.mean(np.array([np.nan])).value)


def test_sessions_are_drawn_whole():
    session = np.array([7, 7, 7, 3, 3])
    drawn = resampled(session, [Ratio.mean(np.array([1.0, 1, 1, 0, 0]))], 200)[:, 0]
    assert set(np.round(drawn, 9)) == {0, 3 / 5, 1}  # both of one, one of each, both of the other
    assert 60 < (np.round(drawn, 9) == 0.6).sum() < 140


def test_resamples_are_those_of_a_loop():
    random = np.random.default_rng(5)
    session, hits = session_hits(random, 12)
    other = random.random(len(hits))
    drawn = resampled(session, [Ratio.mean(hits), Ratio(hits, other)], 4000)
    numbers, looped = np.arange(12), []
    for _ in range(4000):
        queries = np.concatenate([np.flatnonzero(session == number) for number in random.choice(numbers, 12)])
        looped.append((hits[queries].mean(), hits[queries].sum() / other[queries].sum()))
    assert drawn.mean(axis=0) == pytest.approx(np.mean(looped, axis=0), rel=0.02)
    assert drawn.std(axis=0) == pytest.approx(np.std(looped, axis=0), rel=0.06)


def test_figures_are_paired():
    session, hits = session_hits(np.random.default_rng(0))
    one, same, other = resampled(session, [Ratio.mean(hits), Ratio.mean(hits), Ratio.mean(1 - hits)], 100).T
    assert np.array_equal(one, same)
    assert one + other == pytest.approx(1)


def test_the_same_seed_draws_the_same():
    session, hits = session_hits(np.random.default_rng(0))
    first, again, unlike = (resampled(session, [Ratio.mean(hits)], 50, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, unlike)


def test_many_sessions_are_drawn_in_blocks(monkeypatch):
    session, hits = session_hits(np.random.default_rng(0))
    whole = resampled(session, [Ratio.mean(hits)], 50)
    monkeypatch.setattr("song2vec.evaluation.results._BLOCK", 200)
    assert resampled(session, [Ratio.mean(hits)], 50) == pytest.approx(whole)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(11)
    held, held_by_queries = 0, 0
    for _ in range(300):
        session, hits = session_hits(random)
        seed = int(random.integers(2**31))
        held += 0.4 in interval(resampled(session, [Ratio.mean(hits)], 200, seed)[:, 0])
        held_by_queries += 0.4 in interval(resampled(np.arange(len(hits)), [Ratio.mean(hits)], 200, seed)[:, 0])
    assert 0.90 <= held / 300 <= 0.99
    assert held_by_queries / 300 < 0.88  # queries of one session are not independent: drawn one by one they promise too much


def test_an_interval_by_hand():
    bounds = interval(np.arange(0, 1001) / 10)
    assert (bounds.low, bounds.high) == (pytest.approx(2.5), 97.5)
    assert interval(np.array([np.nan, 4.0])) == Interval(4, 4)
    assert np.isnan(interval(np.full(3, np.nan)).low)


def test_a_single_session_has_no_interval():
    assert np.isnan(resampled(np.zeros(9), [Ratio.mean(np.ones(9))], 5)).all()


def test_bad_arguments_are_refused():
    with pytest.raises(ArgumentError, match="resamples=0"):
        resampled(np.array([0]), [Ratio.mean(np.ones(1))], 0)
    with pytest.raises(ArgumentError, match="seed=-1"):
        resampled(np.array([0]), [Ratio.mean(np.ones(1))], 5, -1)
