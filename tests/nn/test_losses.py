"""Losses against sums worked by hand and against finite differences."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from song2vec.nn.losses import LOSSES, logit_correction, make_loss

SCORES = [[0.5, -0.2, 1.0, 0.1], [0.3, 0.8, -0.4, 0.0]]  # two sessions, two more negatives; targets on the diagonal
DIAGONAL = torch.arange(2)


def s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def negatives(i: int) -> list[float]:
    return [r for j, r in enumerate(SCORES[i]) if j != i]


def weights(i: int) -> list[float]:
    total = sum(math.exp(r) for r in negatives(i))
    return [math.exp(r) / total for r in negatives(i)]


def elu(r: float, alpha: float) -> float:
    return r if r > 0 else alpha * (math.exp(r) - 1)


def by_hand(name: str, i: int, bpreg: float = 0.0) -> float:
    """The loss of one row, from its definition."""
    own, others, all_scores = SCORES[i][i], negatives(i), SCORES[i]
    if name == "cross-entropy":
        return -math.log(math.exp(own) / sum(math.exp(r) for r in all_scores))
    if name == "bpr":
        return -sum(math.log(s(own - r)) for r in others) / 3
    if name == "top1":
        return sum(s(r - own) + s(r * r) for r in all_scores) / 4 - s(own * own) / 4
    if name == "top1-max":
        return sum(w * (s(r - own) + s(r * r)) for w, r in zip(weights(i), others, strict=True))
    won = sum(w * s(own - r) for w, r in zip(weights(i), others, strict=True))
    return -math.log(won + 1e-24) + bpreg * sum(w * r * r for w, r in zip(weights(i), others, strict=True))


@pytest.mark.parametrize("name", LOSSES)
def test_sums_worked_by_hand(name):
    for bpreg in (0.0, 1.5):
        value, _ = make_loss(name, bpreg=bpreg)(torch.tensor(SCORES, dtype=torch.float64), DIAGONAL)
        assert float(value) == pytest.approx(by_hand(name, 0, bpreg) + by_hand(name, 1, bpreg), rel=1e-9)


def test_elu_bends_scores_below_0_before_bpr_max():
    bent = torch.tensor([[elu(r, 0.5) for r in row] for row in SCORES], dtype=torch.float64)
    expected, _ = make_loss("bpr-max", bpreg=0.7)(bent, DIAGONAL)
    value, _ = make_loss("bpr-max", bpreg=0.7, elu_param=0.5)(torch.tensor(SCORES, dtype=torch.float64), DIAGONAL)
    assert float(value) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("elu_param", [0.0, 0.5])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_differences(name, elu_param):
    random = np.random.default_rng(0)
    scores, target = torch.from_numpy(random.normal(0, 1.5, (3, 7))), torch.tensor([0, 1, 2])
    loss = make_loss(name, bpreg=1.3, elu_param=elu_param)
    _, gradient = loss(scores.clone(), target)
    for i in range(3):
        for j in range(7):
            moved = [scores.clone(), scores.clone()]
            moved[0][i, j] += 1e-6
            moved[1][i, j] -= 1e-6
            difference = float(loss(moved[0], target)[0] - loss(moved[1], target)[0]) / 2e-6
            assert float(gradient[i, j]) == pytest.approx(difference, abs=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_targets_may_be_any_column(name):
    scores = torch.from_numpy(np.random.default_rng(1).normal(0, 1, (2, 5)))
    value, gradient = make_loss(name)(scores.clone(), torch.tensor([3, 0]))
    swapped = scores.clone()
    swapped[0, [0, 3]], swapped[1, [1, 0]] = scores[0, [3, 0]], scores[1, [0, 1]]
    other, other_gradient = make_loss(name)(swapped, torch.tensor([0, 1]))
    assert float(value) == pytest.approx(float(other))
    assert float(gradient[0, 3]) == pytest.approx(float(other_gradient[0, 0]))


def test_the_softmax_of_bpr_max_leaves_the_target_out():
    """With the target in it, a target far ahead would take all the weight and the loss would be log 2, not 0."""
    value, _ = make_loss("bpr-max", bpreg=0.0)(torch.tensor([[50.0, 0.0, 0.0]], dtype=torch.float64), torch.tensor([0]))
    assert float(value) == pytest.approx(0, abs=1e-9)


def test_softmax_is_applied_once():
    """Of a target 20 ahead cross-entropy is all but 0; of probabilities put through softmax again it never is below log(1 + 3 / e)."""
    value, _ = make_loss("cross-entropy")(torch.tensor([[20.0, 0.0, 0.0, 0.0]], dtype=torch.float64), torch.tensor([0]))
    assert float(value) < 1e-6


def test_logit_correction_takes_the_exponent_into_account_for_negatives_only():
    support = torch.tensor([4.0, 9.0, 16.0])
    found = logit_correction(support, torch.tensor([1, 0]), torch.tensor([2, 2, 0]), 0.5, 0.25)
    expected = [0.5 * math.log(9), 0.5 * math.log(4), *[0.5 * math.log(16**0.25)] * 2, 0.5 * math.log(4**0.25)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
