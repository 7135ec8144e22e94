"""Greedy, drawn at random, or by beam."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError
from song2vec.playlists import playlist
from song2vec.playlists.making import Sampling, beam_search
from song2vec.playlists.rules import PlaylistRules
from song2vec.playlists.scoring import ScoreAdjustments, Scorer
from tests.playlists.small_music import markov, music

SCORES = -np.log(np.arange(1, 101))


def total(made):
    return made.table["score"].sum()


def test_chances_follow_the_temperature():
    np.testing.assert_allclose(Sampling(temperature=1).chances(SCORES), (1 / np.arange(1, 101)) / (1 / np.arange(1, 101)).sum())
    np.testing.assert_allclose(Sampling(temperature=0.5, top_k=2).chances(SCORES), [0.8, 0.2])
    assert Sampling(temperature=0.01).chances(SCORES)[0] > 1 - 1e-9
    np.testing.assert_allclose(Sampling(temperature=1e6).chances(SCORES), 0.01, rtol=1e-4)


@settings(deadline=None)
@given(st.lists(st.floats(-30, 5), min_size=1, max_size=30), st.integers(1, 40), st.floats(0.01, 1), st.floats(0.05, 20))
def test_top_k_and_top_p_cut(scores, k, p, temperature):
    scores = np.sort(scores)[::-1]
    everything = Sampling(temperature=temperature).chances(scores)
    assert len(everything) == len(scores)
    assert len(Sampling(temperature=temperature, top_k=k).chances(scores)) == min(k, len(scores))
    kept = Sampling(temperature=temperature, top_p=p).chances(scores)
    assert everything[: len(kept)].sum() >= p - 1e-9
    assert everything[: len(kept) - 1].sum() < p
    for chances in (everything, kept):
        assert chances.sum() == pytest.approx(1)


def test_low_temperatures_are_greedy_and_high_ones_spread():
    vectors = music(400)
    greedy = playlist(vectors, "s0", 15)

    def different(temperature):
        made = [playlist(vectors, "s0", 15, method="sample", temperature=temperature, seed=seed) for seed in range(5)]
        return len({song for one in made for song in one}), np.mean([total(one) for one in made])

    cold, warm, hot = different(0.001), different(0.5), different(10)
    assert cold == (15, total(greedy))
    assert cold[0] < warm[0] < hot[0]
    assert cold[1] > warm[1] > hot[1]
    narrow = playlist(vectors, "s0", 15, method="sample", temperature=10, top_k=1)
    assert narrow.songs == playlist(vectors, "s0", 15, method="sample", temperature=10, top_p=1e-6).songs == greedy.songs


def test_the_same_seed_draws_the_same_songs():
    vectors = music()
    made = [playlist(vectors, "s0", 10, method="sample", seed=seed).songs for seed in (3, 3, 4)]
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize("rules", [{"artist_gap": 3}, {"max_per_artist": 1}, {"artist_gap": 1, "max_per_artist": 2}])
def test_a_beam_is_never_below_greedy_and_now_and_then_above(rules):
    above = 0
    for seed in range(8):
        vectors = music(60, artists=8, seed=seed)
        options = {"vectors": vectors, "diversity": 2, "popularity": 0.3, "shorter": True, **rules}
        for scorer in (vectors, markov(vectors)):
            greedy, beamed = (playlist(scorer, "s1", 10, method=method, **options) for method in ("greedy", "beam"))
            assert len(beamed) >= len(greedy)
            if len(beamed) == len(greedy):
                assert total(beamed) >= total(greedy) - 1e-4
                above += total(beamed) > total(greedy) + 0.01
    assert above >= 4


def test_a_beam_as_wide_as_all_playlists_finds_the_best():
    vectors = music(6, artists=3)
    scorer = Scorer(vectors, None, PlaylistRules(artist_gap=1), ScoreAdjustments(diversity=3, popularity=0.5))
    best = -np.inf
    for rows in product(range(6), repeat=3):
        score = 0.0
        for place, row in enumerate(rows):
            found, scores = scorer.score([[0, *rows[:place]]], 0)[0]
            score += float(scores[found.tolist().index(row)]) if row in found else -np.inf
        best = max(best, score)
    assert np.isfinite(best)
    assert beam_search(scorer, [0], 0, 3, 10_000).total == pytest.approx(best)


def test_a_beam_finds_more_where_greedy_runs_out():
    found = {"greedy": 0, "beam": 0}
    for seed in range(10):
        vectors = music(14, artists=4, seed=seed)
        for method in found:
            found[method] += len(playlist(vectors, "s0", 13, method=method, artist_gap=2, beam_width=20, shorter=True))
    assert found["beam"] > found["greedy"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"temperature": 0}, "temperature=0: a number above 0"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"top_k": 0}, "top_k=0"),
        ({"top_p": 0}, "top_p=0: a number above 0 to 1"),
        ({"top_p": 1.1}, "top_p=1.1"),
        ({"method": "best"}, "method='best': 'greedy', 'sample', 'beam' are allowed"),
        ({"beam_width": 0}, "beam_width=0"),
        ({"length": 0}, "length=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_values(options, named):
    with pytest.raises(ArgumentError, match=named.replace(".", r"\.")):
        playlist(music(10), "s0", **options)
