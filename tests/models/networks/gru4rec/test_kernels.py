"""The compiled losses of GRU4Rec against those of torch, and their exponential against NumPy's."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

import numba
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from song2vec.models.networks.gru4rec import _kernels
from song2vec.nn.losses import make_loss


@pytest.mark.parametrize("shape", [(1, 2), (5, 5), (5, 301), (6, 304)])
@pytest.mark.parametrize(("name", "bpreg", "elu_param"), [("cross-entropy", 0, 0), ("bpr-max", 1.3, 0.5), ("bpr-max", 0.4, 0.0)])
def test_compiled_losses_are_the_same(name, bpreg, elu_param, shape):
    random = np.random.default_rng(2)
    scores = random.normal(0, 4, shape).astype(np.float32)
    value, gradient = make_loss(name, bpreg=bpreg, elu_param=elu_param)(torch.from_numpy(scores).double(), torch.arange(shape[0]))
    found = (
        _kernels.cross_entropy(scores) if name == "cross-entropy" else _kernels.bpr_max(scores, np.float32(bpreg), np.float32(elu_param))
    )
    assert found == pytest.approx(float(value), rel=1e-5)
    np.testing.assert_allclose(scores, gradient.numpy(), rtol=1e-4, atol=1e-5)  # float32 sums, in an order that each processor chooses


@numba.njit  # not cached: a cache does not see that what it calls has changed
def exponential(row):
    for j in range(len(row)):
        row[j] = _kernels.exp(row[j])


def test_the_compiled_exponential():
    row = np.linspace(-100, 100, 4001).astype(np.float32)
    expected = np.exp(np.clip(row, -87, 87).astype(np.float64))
    exponential(row)
    np.testing.assert_allclose(row, expected, rtol=1e-5)
    lost = np.array([np.nan], np.float32)
    exponential(lost)
    assert np.isnan(lost[0])
    small = np.linspace(-10, 10, 999).astype(np.float32)
    expected = np.exp(small.astype(np.float64))
    exponential(small)
    np.testing.assert_allclose(small, expected, rtol=2e-6)
