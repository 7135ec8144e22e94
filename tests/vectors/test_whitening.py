"""Vectors whitened in part: by hand, at both ends, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError
from song2vec.testing.planted import listen
from song2vec.vectors import Word2VecEnsemble
from song2vec.vectors.ensemble import centred, whitened
from song2vec.vectors.song_vectors import unit_rows


@pytest.fixture
def lopsided() -> np.ndarray:
    """(4000, 64): eight times as much variance along the first direction as along the last, all of them turned at random."""
    random = np.random.default_rng(0)
    turn, _ = np.linalg.qr(random.standard_normal((64, 64)))
    return centred(unit_rows(random.standard_normal((4000, 64)) * np.sqrt(np.linspace(8, 1, 64)) @ turn))


def spread(unit: np.ndarray) -> float:
    """The most variance along any direction over the least."""
    variances = np.linalg.eigvalsh(unit.T @ unit)
    return float(variances[-1] / variances[0])


def test_the_mean_that_all_share_is_taken_off():
    vectors = unit_rows(np.random.default_rng(0).normal(0, 1, (50, 4)) + 9 * np.eye(4)[0])
    assert (vectors @ vectors.T).min() > 0.5
    assert abs((centred(vectors) @ centred(vectors).T).mean()) < 0.05


def test_nothing_is_taken_all_is_taken_and_half_is_between(lopsided):
    np.testing.assert_array_equal(whitened(lopsided, 0), lopsided)
    assert spread(whitened(lopsided, 1)) < 1.1
    assert 2 < spread(whitened(lopsided, 0.5)) < spread(lopsided) / 2


def test_along_its_own_directions_a_vector_is_divided_by_a_power_of_their_variance():
    """Sums of squares 10 and 4 along the axes: at share .5 numbers are divided by the fourth roots of these."""
    unit = np.array([[1, 0]] * 4 + [[-1, 0]] * 4 + [[0, 1], [0, -1]], np.float32)
    both = unit_rows(np.array([[1, 1]], np.float32))
    found = whitened(np.concatenate([unit, both, -both, both * [1, -1], both * [-1, 1]]).astype(np.float32), 0.5)
    assert found[10, 1] / found[10, 0] == pytest.approx((10 / 4) ** 0.25, rel=1e-5)


def test_directions_without_variance_are_left_without_noise():
    flat = unit_rows(np.random.default_rng(1).standard_normal((5, 40)))  # five songs span no more than five directions
    found = whitened(centred(flat), 1)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert np.isfinite(whitened(np.zeros((1, 4), np.float32), 0.5)).all()


@pytest.mark.parametrize("whitening", [-0.1, 1.1, "much", None])
def test_bad_shares_are_refused(whitening):
    with pytest.raises(ArgumentError, match=f"whitening={whitening!r}: a number from 0 to 1"):
        Word2VecEnsemble(whitening=whitening).fit(listen("follows", 0.8, sessions=8)[0])
