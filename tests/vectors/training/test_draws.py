"""The alias table: what it stands for, worked out from its rows, is what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.vectors.training.draws import WHOLE, alias_table


def shares(table):
    """The chance of each row under the table."""
    stay = table[:, 0] / WHOLE
    found = stay.copy()
    np.add.at(found, table[:, 1], 1 - stay)
    return found / len(table)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=60))
def test_rows_have_their_share_of_the_draws(weights):
    np.testing.assert_allclose(shares(alias_table(np.array(weights))), np.array(weights) / sum(weights), atol=1e-6)


@pytest.mark.parametrize("exponent", [-1.5, -0.5, 0, 0.75, 1])
def test_any_sign_of_the_exponent_over_many_songs(exponent):
    weights = np.random.default_rng(0).zipf(1.5, 20_000).clip(max=10**6).astype(float) ** exponent
    np.testing.assert_allclose(shares(alias_table(weights)), weights / weights.sum(), rtol=1e-3, atol=1e-9)


def test_the_weights_are_left_as_they_are():
    weights = np.array([1.0, 2.0, 5.0])
    alias_table(weights)
    assert weights.tolist() == [1, 2, 5]
