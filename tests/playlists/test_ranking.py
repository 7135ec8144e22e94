"""Scores become logarithms of ranks, which mean the same after every scorer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.core.arrays import Array
from song2vec.core.config import learned
from song2vec.models.base import NextSongModel
from song2vec.playlists import playlist, scoring
from song2vec.playlists.scoring import log_ranks, nearest, recent_mean
from tests.playlists.small_music import markov, music, sessions


class ByFunction(NextSongModel):
    """Scores by the last song heard and a monotone function."""

    name = "by function"
    table_: Array = learned()

    def _fit(self, sessions):
        self.table_ = np.random.default_rng(0).random((len(sessions.catalogue), len(sessions.catalogue))).astype(np.float32)

    def _scores(self, sessions, plays):
        return self.shape(self.table_[sessions.songs[plays]])

    shape = staticmethod(lambda scores: scores)


class Stretched(ByFunction):
    shape = staticmethod(lambda scores: 100 * scores**3 - 50)


def reference(scores, allowed):
    """Rows best first with -ln of how many allowed songs score as high."""
    rows = sorted(np.flatnonzero(allowed).tolist(), key=lambda row: (-scores[row], row))
    return rows, [-np.log(sum(scores[other] >= scores[row] for other in rows)) for row in rows]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-2, 3), min_size=1, max_size=40), st.integers(1, 50), st.randoms(use_true_random=False))
def test_ranks_are_those_of_plain_python(values, head, random):
    scores = np.array(values, np.float32)
    allowed = np.array([random.random() < 0.7 for _ in values])
    before = scoring.HEAD
    try:
        scoring.HEAD = head
        rows, logs = scoring._best(scores, allowed)
    finally:
        scoring.HEAD = before
    expected_rows, expected = reference(scores, allowed)
    assert rows.tolist() == expected_rows[:head]
    np.testing.assert_allclose(logs, expected[:head])
    assert not np.signbit(logs[logs == 0]).any()


def test_vectors_rank_by_their_cosine_with_what_was_heard():
    vectors = music(300)
    allowed = np.random.default_rng(1).random(300) < 0.5
    query = recent_mean(vectors.unit, [3, 8])
    rows, logs = nearest(vectors.unit, query, allowed)
    expected = reference((vectors.unit * query.astype(np.float64)).sum(axis=1).astype(np.float32), allowed)
    assert rows.tolist() == expected[0]
    np.testing.assert_allclose(logs, expected[1])


def test_later_songs_weigh_more():
    unit = np.eye(4, dtype=np.float32)
    mean = recent_mean(unit, [0, 1, 2, 3])
    np.testing.assert_allclose(mean[0] / mean[3], 0.5, rtol=1e-6)  # three songs back is one half-life
    assert list(np.argsort(-mean)) == [3, 2, 1, 0]


def test_several_histories_at_once_are_as_one_by_one():
    vectors = music(100)
    everything = np.ones(100, bool)
    for scorer in (vectors, markov(vectors)):
        heard = [[1], [5, 7, 9], [2, 2]]
        together = list(log_ranks(scorer, heard, [everything] * 3))
        for one, (rows, logs) in zip(heard, together, strict=True):
            alone = next(log_ranks(scorer, [one], [everything]))
            assert (alone[0].tolist(), alone[1].tolist()) == (rows.tolist(), logs.tolist())


@pytest.mark.parametrize("options", [{"method": "sample", "temperature": 1}, {"popularity": 0.5}, {"diversity": 3}])
def test_the_scale_of_a_models_scores_does_not_matter(options):
    vectors = music(150)
    plain, stretched = (model().fit(sessions(vectors)) for model in (ByFunction, Stretched))
    made = [playlist(model, "s0", 20, vectors=vectors, **options) for model in (plain, stretched)]
    assert made[0].table.equals(made[1].table)
