"""The pass over scores against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score

from song2vec.evaluation.kernels import rank_and_top


def ranked(scores, targets, k):
    ranks, top = np.zeros(len(targets), np.int32), np.full((len(targets), k), -1, np.int32)
    rank_and_top(np.ascontiguousarray(scores, np.float32), np.asarray(targets, np.int32), ranks, top)
    return ranks, top


@given(st.integers(0, 2**31), st.integers(1, 300), st.sampled_from([2, 5, 1000]), st.sampled_from(["any", "rising", "falling"]))
def test_ranks_and_lists_with_many_ties(seed, songs, values, order):
    random = np.random.default_rng(seed)
    scores = random.integers(-values, values, (3, songs)).astype(np.float32)
    if order != "any":
        scores = np.sort(scores, axis=1)[:, :: 1 if order == "rising" else -1]
    targets, k = random.integers(0, songs, 3), int(random.integers(1, min(songs, 25) + 1))
    ranks, top = ranked(scores, targets, k)
    assert ranks.tolist() == [(row >= row[target]).sum() for row, target in zip(scores, targets, strict=True)]
    assert top.tolist() == np.argsort(-scores, axis=1, kind="stable")[:, :k].tolist()


def test_scikit_learn_says_the_same_of_ties():
    random = np.random.default_rng(0)
    scores, targets = random.integers(0, 6, (200, 20)), random.integers(0, 20, 200)
    theirs = label_ranking_average_precision_score(np.arange(20) == targets[:, None], scores)
    assert (1 / ranked(scores, targets, 5)[0]).mean() == pytest.approx(theirs)


def test_one_row_may_stand_for_all():
    ranks, top = ranked(np.array([[1, 3, 2]]), [0, 1, 2], 2)
    assert ranks.tolist() == [3, 1, 2]
    assert top.tolist() == [[1, 2]] * 3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 69, 70])
def test_a_score_that_is_not_finite_is_found(bad, place):
    scores = np.ones((2, 71))
    scores[1, place] = bad
    assert ranked(scores, [3, 3], 4)[0].tolist() == [71, 0]
