"""What lists are like: coverage, popularity, novelty and variety."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_distances

from song2vec.catalogue import Catalogue
from song2vec.evaluation import metrics
from song2vec.evaluation.results import Dropped, Evaluation, Speed
from song2vec.vectors.song_vectors import unit_rows

TWO = np.array([[0, 1], [0, 2]])


def figures(targets, plays):
    """Of an evaluation that answered with these metrics."""
    sessions, none = np.arange(2), np.zeros(2, bool)
    rest = {"repeat": none, "session": sessions, "dropped": Dropped(0, 0), "speed": Speed(1.0, 2, ())}
    return Evaluation("any", 2, Catalogue([0, 1, 2, 3], plays), np.array([1, 2]), TWO, np.array(targets), **rest).metrics()


def test_coverage_by_hand():
    assert figures([2, 3], [6, 4, 2, 4])["coverage"] == 3 / 4
    assert figures([2, 3], [6, 4, 2, 4])["gini"] == metrics.gini(np.array([2, 1, 1, 0]))


def test_popularity_by_hand():
    plays = np.array([6, 4, 2, 4])
    assert figures([2, 3], plays)["popularity_lift"] == 4.5 / 3
    assert metrics.novelty(TWO, np.array([8, 4, 2, 2])).tolist() == [(1 + 2) / 2, (1 + 3) / 2]


def test_songs_that_were_never_played():
    assert metrics.novelty(np.array([[0]]), np.array([0, 8])).tolist() == [3]
    assert np.isnan(metrics.novelty(TWO, np.zeros(4))).all()
    assert "popularity_lift" not in figures([0, 0], [0, 0, 0, 0])
    assert np.isnan(figures([3, 3], [1, 1, 1, 0])["popularity_lift"])


def test_gini_by_hand():
    assert metrics.gini(np.array([2, 2, 2])) == 0
    assert metrics.gini(np.array([0, 0, 0, 7])) == 3 / 4
    assert metrics.gini(np.array([1, 3])) == 1 / 4
    assert np.isnan(metrics.gini(np.zeros(3)))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12).filter(any))
def test_gini_is_half_the_mean_difference_of_pairs(often):
    counts = np.array(often)
    assert metrics.gini(counts) == pytest.approx(np.abs(counts[:, None] - counts).mean() / (2 * counts.mean()))
    assert metrics.gini(3 * counts[::-1]) == pytest.approx(metrics.gini(counts))


def test_diversity_by_hand():
    unit = np.array([[1, 0], [0, 1], [-1, 0], [0, 0]], np.float32)
    found = metrics.diversity(np.array([[0, 1, 2], [0, 0, 0], [0, 1, 3], [0, 3, 3]]), unit)
    assert found[:3] == pytest.approx([(1 + 2 + 1) / 3, 0, 1])
    assert np.isnan(found[3])  # only one of them has a vector


def test_scikit_learn_says_the_same_of_diversity():
    random = np.random.default_rng(0)
    unit = unit_rows(random.standard_normal((50, 8)).astype(np.float32))
    some = np.stack([random.permutation(50)[:7] for _ in range(5000)])
    found = metrics.diversity(some, unit)
    assert found.shape == (5000,)
    for number in (0, 4095, 4096, 4999):
        distances = cosine_distances(unit[some[number]])
        assert found[number] == pytest.approx(distances[np.triu_indices(7, 1)].mean(), abs=1e-6)


def test_artist_diversity_by_hand():
    artists = np.array([0, 0, 1, 2, 2])
    assert metrics.artist_diversity(np.array([[0, 1, 2], [2, 3, 0], [4, 3, 3]]), artists).tolist() == [2 / 3, 1, 1 / 3]
