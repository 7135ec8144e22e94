"""Metrics of ranks and of lists: by hand, by their properties, and against other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score

from song2vec.core.errors import ArgumentError
from song2vec.evaluation import metrics

RANKS = st.lists(st.integers(1, 50), min_size=1, max_size=30).map(np.array)


def test_metrics_of_ranks_by_hand():
    ranks = np.array([1, 2, 3, 7])
    assert metrics.hit(ranks, 3).tolist() == [1, 1, 1, 0]
    assert metrics.reciprocal_rank(ranks, 3).tolist() == [1, 1 / 2, 1 / 3, 0]
    assert metrics.ndcg(ranks, 3) == pytest.approx([1, 1 / np.log2(3), 1 / 2, 0])
    assert metrics.ndcg(ranks, 7)[3] == pytest.approx(1 / 3)


def test_metrics_of_lists_by_hand():
    lists = np.array([[5, 1, 2, 9], [0, 3, 4, 6]])
    held_out = [np.array([1, 9, 7]), np.array([0, 3, 3])]
    assert metrics.precision(lists, held_out, 2).tolist() == [1 / 2, 1]
    assert metrics.precision(lists, held_out, 4).tolist() == [2 / 4, 2 / 4]
    assert metrics.recall(lists, held_out, 2).tolist() == [1 / 3, 1]
    assert metrics.recall(lists, held_out, 4).tolist() == [2 / 3, 1]
    assert metrics.r_precision(lists, held_out).tolist() == [1 / 3, 1]  # a song held out twice counts once


def test_r_precision_of_a_list_that_is_too_short():
    assert metrics.r_precision(np.array([[1, 2]]), [np.array([2, 3, 1, 4])]).tolist() == [2 / 4]


@given(RANKS, st.integers(1, 50))
def test_the_order_of_metrics(ranks, k):
    hit, rr, gain = metrics.hit(ranks, k), metrics.reciprocal_rank(ranks, k), metrics.ndcg(ranks, k)
    assert ((rr <= gain + 1e-12) & (gain <= hit)).all()
    assert ((rr > 0) == (hit == 1)).all()
    assert (metrics.hit(ranks, k + 1) >= hit).all()


@given(RANKS)
def test_a_better_rank_is_never_worse(ranks):
    better = np.maximum(ranks - 1, 1)
    for metric in (metrics.hit, metrics.reciprocal_rank, metrics.ndcg):
        assert (metric(better, 10) >= metric(ranks, 10)).all()


@st.composite
def continuations(draw):
    """Distinct scores of songs, and which of them were held out, at least one."""
    songs = draw(st.integers(2, 20))
    order = draw(st.permutations(range(songs)))
    right = draw(st.lists(st.booleans(), min_size=songs, max_size=songs).filter(any))
    return np.array(order), np.flatnonzero(right), draw(st.integers(1, songs))


@given(continuations())
def test_lists_of_any_length(case):
    order, right, k = case
    hits = metrics.precision(order[None], [right], k)[0] * k
    assert metrics.recall(order[None], [right], k)[0] * len(right) == pytest.approx(hits)
    assert metrics.recall(order[None], [right], len(order))[0] == 1
    assert metrics.r_precision(order[None], [right])[0] == pytest.approx(metrics.precision(order[None], [right], len(right))[0])


def test_torchmetrics_says_the_same():
    import torch
    from torchmetrics.functional import retrieval

    random = np.random.default_rng(0)
    for _ in range(60):
        songs = int(random.integers(2, 40))
        k = int(random.integers(1, songs + 1))
        scores, target = (1 + random.permutation(songs)) / songs, int(random.integers(songs))  # theirs takes a score of 0 for none
        rank = np.array([(scores >= scores[target]).sum()])
        given = (torch.tensor(scores), torch.arange(songs) == target)
        assert metrics.hit(rank, k)[0] == retrieval.retrieval_hit_rate(*given, top_k=k).item()
        assert metrics.reciprocal_rank(rank, k)[0] == pytest.approx(retrieval.retrieval_reciprocal_rank(*given, top_k=k).item())
        assert metrics.ndcg(rank, k)[0] == pytest.approx(retrieval.retrieval_normalized_dcg(*given, top_k=k).item(), rel=1e-5)
        right = np.flatnonzero(random.random(songs) < 0.3)
        if not len(right):
            continue
        lists, several = np.argsort(-scores)[None], torch.tensor(np.isin(np.arange(songs), right))
        assert metrics.precision(lists, [right], k)[0] == pytest.approx(retrieval.retrieval_precision(given[0], several, top_k=k).item())
        assert metrics.recall(lists, [right], k)[0] == pytest.approx(retrieval.retrieval_recall(given[0], several, top_k=k).item())
        assert metrics.r_precision(lists, [right])[0] == pytest.approx(retrieval.retrieval_r_precision(given[0], several).item())


@pytest.mark.parametrize("metric", [metrics.hit, metrics.reciprocal_rank, metrics.ndcg])
@pytest.mark.parametrize("ranks", [[0, 1], [-1], [1.5], [[1]]])
def test_what_is_no_rank_is_refused(metric, ranks):
    with pytest.raises(ArgumentError, match="ranks"):
        metric(np.array(ranks), 5)


@pytest.mark.parametrize("k", [0, -1, 2.5, True])
def test_a_bad_k_is_refused(k):
    with pytest.raises(ArgumentError, match="k="):
        metrics.hit(np.array([1]), k)


def test_lists_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentError, match="k=3"):
        metrics.precision(np.array([[1, 2]]), [np.array([1])], 3)
    with pytest.raises(ArgumentError, match="number 1 is empty"):
        metrics.recall(np.array([[1, 2], [1, 2]]), [np.array([1]), np.array([], int)], 2)
    with pytest.raises(ArgumentError, match=r"\(2,\) for 1 sets"):
        metrics.r_precision(np.array([1, 2]), [np.array([1])])


# Ranks and lists


@given(st.integers(0, 2**31), st.integers(1, 300), st.sampled_from([2, 5, 1000]), st.sampled_from(["any", "rising", "falling"]))
def test_ranks_and_lists_with_many_ties(seed, songs, values, order):
    random = np.random.default_rng(seed)
    scores = random.integers(-values, values, (3, songs)).astype(np.float32)
    if order != "any":
        scores = np.sort(scores, axis=1)[:, :: 1 if order == "rising" else -1]
    targets, k = random.integers(0, songs, 3), int(random.integers(1, min(songs, 25) + 1))
    ranks, top = metrics.rank_and_top(scores, targets, k)
    assert ranks.tolist() == [(row >= row[target]).sum() for row, target in zip(scores, targets, strict=True)]
    assert top.tolist() == np.argsort(-scores, axis=1, kind="stable")[:, :k].tolist()


def test_scikit_learn_says_the_same_of_ties():
    random = np.random.default_rng(0)
    scores, targets = random.integers(0, 6, (200, 20)), random.integers(0, 20, 200)
    theirs = label_ranking_average_precision_score(np.arange(20) == targets[:, None], scores)
    assert (1 / metrics.rank_and_top(scores, targets, 5)[0]).mean() == pytest.approx(theirs)


def test_one_row_may_stand_for_all():
    ranks, top = metrics.rank_and_top(np.array([[1, 3, 2]]), np.arange(3), 2)
    assert ranks.tolist() == [3, 1, 2]
    assert top.tolist() == [[1, 2]] * 3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 69, 70])
def test_a_score_that_is_not_finite_is_found(bad, place):
    scores = np.ones((2, 71))
    scores[1, place] = bad
    assert metrics.rank_and_top(scores, np.array([3, 3]), 4)[0].tolist() == [71, 0]
