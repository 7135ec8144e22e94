"""Scoring: the numbers every index is judged by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.search import scoring
from song2vec.search.exact import QuantisedPrefilter
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
    found = set(scoring.among_best(scores, n, np.float32(slack)).tolist())
    nth = np.sort(scores)[::-1][min(n, len(scores)) - 1]
    assert found >= set(np.flatnonzero(scores >= nth - np.float32(slack)).tolist())


def best_rows(unit, query, n, rows):
    return set(rows[np.argsort(-(unit[rows] @ query), kind="stable")[:n]].tolist())


@pytest.mark.parametrize("rows", [None, np.arange(0, 2000, 3), np.arange(0, 2000, 100)])
@pytest.mark.parametrize("queries", [3, 9, 150])
@pytest.mark.parametrize(("n", "tile"), [(1, 100), (12, 2048), (12, 192), (90, 333), (700, 64)])
def test_candidates_hold_the_best_in_any_tile(rows, queries, n, tile, monkeypatch):
    monkeypatch.setattr(scoring, "_TILE", tile)
    unit, queries = some_unit(2000, 16), some_unit(queries, 16, seed=1)
    considered = np.arange(2000) if rows is None else rows
    for query, found in zip(queries, candidates(unit, queries, n, rows), strict=True):
        assert best_rows(unit, query, n, considered) <= set(found.tolist()) <= set(considered.tolist())
        assert len(set(found.tolist())) == len(found) <= max(128, 4 * n)


def test_more_ties_than_there_is_room_for_are_all_candidates():
    unit = np.repeat(some_unit(3, 16), 1000, axis=0)
    for query, found in zip(unit[::50], candidates(unit, unit[::50], 5), strict=True):
        assert found.tolist() == np.flatnonzero((unit == query).all(axis=1)).tolist()


@given(data=st.data(), songs=st.integers(1, 300), size=st.sampled_from([1, 3, 64, 70]), n=st.integers(1, 40))
def test_a_sieve_loses_none_of_the_best(data, songs, size, n):
    random = np.random.default_rng(data.draw(st.integers(0, 100)))
    grid = random.integers(-2, 3, (songs, size)) * random.choice([1.0, 1e-3, 1.0], (songs, size))
    unit, query = unit_rows(grid.astype(np.float32)), unit_rows(random.standard_normal((1, size)))[0]
    mask = random.random(songs) < 0.7 if data.draw(st.booleans()) else np.ones(songs, np.bool_)
    n = min(n, int(mask.sum()))
    if n:
        exact = np.where(mask, (unit * query.astype(np.float64)).sum(axis=1), -9)
        found = QuantisedPrefilter(unit).candidates(query, n, mask)
        assert set(np.flatnonzero(exact >= np.sort(exact)[-n]).tolist()) <= set(found.tolist()) <= set(np.flatnonzero(mask).tolist())


def test_a_sieve_lets_few_through():
    unit = some_unit(5000, 64)
    assert max(len(QuantisedPrefilter(unit).candidates(query, 10)) for query in unit[:20]) < 200


@pytest.mark.parametrize("rows", [1, 3, 562, 563, 2000])
def test_few_queries_score_as_many_do(rows):
    unit, queries = some_unit(rows, 16), some_unit(20, 16, seed=1)
    np.testing.assert_allclose(scoring.inner_products(unit, queries[:3]), queries[:3] @ unit.T, atol=1e-6)
    np.testing.assert_allclose(scoring.inner_products(unit, queries), queries @ unit.T, atol=1e-6)


def test_ranked_does_not_depend_on_the_order_or_the_company():
    unit, query = some_unit(500, 16), some_unit(1, 16, seed=1)[0]
    rows, cosines = ranked(unit, query, np.arange(500))
    assert (np.diff(cosines) <= 0).all()
    np.testing.assert_allclose(cosines, unit[rows] @ query, atol=1e-6)
    again = ranked(unit, query, np.arange(500)[::-1])
    assert again[0].tolist() == rows.tolist()
    assert again[1].tobytes() == cosines.tobytes()
    alone = [ranked(unit, query, rows[i : i + 1])[1] for i in range(20)]
    assert np.concatenate(alone).tobytes() == cosines[:20].tobytes()
