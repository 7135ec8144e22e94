import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.models.networks.gru4rec.products import DEPTH, TALL, multiply, transpose

SIZES = st.integers(1, 40)


@given(rows=SIZES, steps=st.one_of(SIZES, st.integers(DEPTH - 1, 2 * DEPTH + 1)), columns=SIZES, by_columns=st.booleans())
def test_products_are_those_of_numpy(rows, steps, columns, by_columns):
    random = np.random.default_rng(rows * 10_000 + steps * 100 + columns)
    left, right = random.normal(size=(rows, steps)).astype(np.float32), random.normal(size=(steps, columns)).astype(np.float32)
    out = np.full((rows + 2, columns), np.nan, np.float32)
    multiply(np.asfortranarray(left) if by_columns else left, right, out[1:-1])
    np.testing.assert_allclose(out[1:-1], left.astype(float) @ right.astype(float), rtol=1e-4, atol=1e-4)
    assert np.isnan(out[[0, -1]]).all()  # nothing is written beside


@pytest.mark.parametrize("rows", [1, TALL, TALL + 1])
def test_a_left_matrix_may_be_wider(rows):
    left, right, out = np.ones((rows, 9), np.float32), np.ones((3, 5), np.float32), np.empty((rows, 5), np.float32)
    multiply(left, right, out)
    np.testing.assert_array_equal(out, 3)


def test_transposed_into_larger_memory():
    out = np.zeros((4, 3), np.float32)
    transpose(np.arange(6, dtype=np.float32).reshape(2, 3), out)
    np.testing.assert_array_equal(out, [[0, 3, 0], [1, 4, 0], [2, 5, 0], [0, 0, 0]])
