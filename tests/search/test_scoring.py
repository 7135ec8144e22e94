"""Scoring: the numbers every index is judged by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.search import scoring
from song2vec.search.scoring import candidates, ranked
from song2vec.vectors.song_vectors import unit_rows


def some_unit(rows, size, seed=0):
    return unit_rows(np.random.default_rng(seed).standard_normal((rows, size)))


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1.0, 1e20, 1e300])
def test_unit_rows_have_length_one_whatever_their_scale(scale):
    vectors = np.random.default_rng(0).standard_normal((5, 7))
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(unit_rows(vectors * scale), expected, rtol=1e-6)
    assert unit_rows(np.zeros((2, 3))).tolist() == [[0, 0, 0]] * 2
    assert unit_rows(np.empty((0, 3))).shape == (0, 3)


@given(
    scores=st.lists(st.integers(-4, 4).map(lambda number: number / 4), min_size=1, max_size=300),
    n=st.integers(1, 320),
    slack=st.sampled_from([0.0, 0.3]),
)
def test_best_are_all_that_reach_the_nth(scores, n, slack):
    scores = np.array(scores, np.float32)
    found = set(scoring._best(scores, n, np.float32(slack)).tolist())
    nth = np.sort(scores)[::-1][min(n, len(scores)) - 1]
    assert found >= set(np.flatnonzero(scores >= nth - np.float32(slack)).tolist())


@pytest.mark.parametrize("rows", [None, np.arange(0, 2000, 3), np.arange(0, 2000, 100)])
def test_candidates_hold_the_best_in_any_block(rows, monkeypatch):
    unit, queries = some_unit(2000, 16), some_unit(9, 16, seed=1)
    whole = [found.tolist() for found in candidates(unit, queries, 12, rows)]
    monkeypatch.setattr(scoring, "_BLOCK_BYTES", 4 * 2000 * 2)  # two queries a block
    assert [found.tolist() for found in candidates(unit, queries, 12, rows)] == whole
    considered = np.arange(2000) if rows is None else rows
    for query, found in zip(queries, whole, strict=True):
        best = considered[np.argsort(-(unit[considered] @ query))[:12]]
        assert set(best.tolist()) <= set(found) <= set(considered.tolist())
        assert len(found) < 30


@pytest.mark.parametrize("rows", [1, 3, 562, 563, 2000])
def test_few_queries_score_as_many_do(rows):
    unit, queries = some_unit(rows, 16), some_unit(20, 16, seed=1)
    np.testing.assert_allclose(scoring._scores(unit, queries[:3]), queries[:3] @ unit.T, atol=1e-6)
    np.testing.assert_allclose(scoring._scores(unit, queries), queries @ unit.T, atol=1e-6)


def test_ranked_does_not_depend_on_the_block(monkeypatch):
    unit, query = some_unit(500, 16), some_unit(1, 16, seed=1)[0]
    rows, cosines = ranked(unit, query, np.arange(500))
    assert (np.diff(cosines) <= 0).all()
    np.testing.assert_allclose(cosines, unit[rows] @ query, atol=1e-6)
    monkeypatch.setattr(scoring, "_RANK_ROWS", 7)
    again = ranked(unit, query, np.arange(500)[::-1])
    assert again[0].tolist() == rows.tolist()
    assert again[1].tobytes() == cosines.tobytes()
