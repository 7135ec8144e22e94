"""Ranks found without scoring every song are the ranks of a count over all scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from song2vec.nn import ranking  # noqa: E402
from song2vec.nn.ranking import Ranker  # noqa: E402

SONGS, COLUMNS, QUERIES = 3_000, 13, 700  # several blocks of songs and of queries, columns that are no whole lanes


def drawn(seed: int, skew: float, shift: float):
    """A table whose rows are the shorter the later they come, away from zero by a shift; outputs and targets."""
    random = torch.Generator().manual_seed(seed)
    lengths = torch.arange(1, SONGS + 1)[torch.randperm(SONGS, generator=random)] ** -skew
    table = torch.randn(SONGS, COLUMNS, generator=random) * lengths[:, None] + shift
    outputs = torch.randn(QUERIES, COLUMNS, generator=random)
    return table, outputs, torch.randint(SONGS, (QUERIES,), generator=random)


def counted(table, outputs, targets):
    scores = outputs.double() @ table.double().T
    return (scores >= scores.gather(1, targets[:, None])).sum(1)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    skew=st.sampled_from([0.0, 0.5, 1.0]),
    shift=st.sampled_from([0.0, 3.0]),
    cut_off=st.sampled_from([1, 20, SONGS]),
)
def test_ranks_up_to_the_cut_off_are_those_of_a_full_count(seed, skew, shift, cut_off):
    table, outputs, targets = drawn(seed, skew, shift)
    right, found = (
        counted(table, outputs, targets).clamp(max=cut_off + 1),
        Ranker(table).ranks(outputs, targets, cut_off).clamp(max=cut_off + 1),
    )
    assert (found >= right).all()  # what float32 cannot tell apart counts as ahead
    assert (found <= 1.01 * right).float().mean() > 0.95  # far down the list there may be a few of those


def test_songs_with_the_same_vector_count_as_ahead_of_each_other():
    table, outputs, targets = drawn(0, 0.5, 1.0)
    table[:40] = table[0]
    found = Ranker(table).ranks(outputs, torch.zeros_like(targets), SONGS)
    assert (found >= 40).all()


def test_a_song_is_ahead_of_nothing_where_its_vector_is_the_only_long_one():
    table = torch.full((SONGS, COLUMNS), 0.25)
    table[7] += torch.ones(COLUMNS)
    assert Ranker(table).ranks(torch.ones(3, COLUMNS), torch.tensor([7, 7, 8]), SONGS).tolist() == [1, 1, SONGS]


def test_songs_too_short_to_matter_are_not_scored(monkeypatch):
    scored = []
    count = ranking.at_least
    monkeypatch.setattr(ranking, "at_least", lambda scores, goals: scored.append(scores.numel()) or count(scores, goals))
    table, outputs, _ = drawn(0, 1.0, 1.0)
    best = (outputs @ table.T).argmax(1)
    assert (Ranker(table).ranks(outputs, best, SONGS) == 1).float().mean() > 0.9
    assert sum(scored) < 0.5 * QUERIES * SONGS


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_finite_have_no_rank(value):
    table, outputs, targets = drawn(0, 0.5, 0.0)
    outputs[3, 2] = value
    found = Ranker(table).ranks(outputs, targets, 20)
    assert found[3] == 0
    assert (np.delete(found.numpy(), 3) > 0).all()
    table[5, 1] = value
    assert (Ranker(table).ranks(outputs, targets, 20) == 0).all()


def test_no_queries_have_no_ranks():
    table, outputs, targets = drawn(0, 0.5, 0.0)
    assert Ranker(table).ranks(outputs[:0], targets[:0], 20).shape == (0,)
