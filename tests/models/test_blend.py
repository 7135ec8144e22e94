"""Blends: they find what either of their models finds, hold fitted models, and mix what comes in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec import compare
from song2vec.core.errors import ArgumentError
from song2vec.models import Blend, MarkovChain, NextSongModel, Popularity
from song2vec.models.blend import mixed
from song2vec.sessions import Sessions
from song2vec.testing.planted import SONGS, K, with_names
from tests.evaluation.toys import OutOfOrder
from tests.models.models import CLOSE, fitted, log, some_plays

TWO = ["markov", "session-popularity"]


def two_habits(sessions: int = 400, length: int = 10) -> tuple[Sessions, Sessions]:
    """(train, test): the next song is the one that follows the last, or else one played before in the session, as often."""
    random = np.random.default_rng(0)
    successor = random.permutation(SONGS)
    lists = []
    for _ in range(sessions):
        played = [int(random.integers(SONGS))]
        while len(played) < length:
            played.append(int(successor[played[-1]] if random.random() < 0.5 else played[random.integers(len(played))]))
        lists.append(played)
    return with_names(Sessions.from_lists([*lists, list(range(SONGS))]), 3 * sessions // 4)


def test_finds_more_than_either_of_its_models():
    train, test = two_habits()
    blend = Blend(models=TWO).fit(train)
    for alone in blend.models_:
        comparison = compare({"blend": blend, alone.name: alone}, test, k=K, baseline=alone.name, timed=0, progress=False)
        assert comparison.differences["recall_low"][0] > 0


def test_weights_of_0_and_1_leave_one_model():
    model, (_, test) = fitted("blend"), log()
    for weight, kept in ((1.0, 0), (0.0, 1)):
        alone, scores = model.models_[kept], model.weighted(weight).score(test, some_plays(test))
        for row, expected in zip(scores, alone.score(test, some_plays(test)), strict=True):
            np.testing.assert_allclose(expected[np.argsort(-row)], -np.sort(-expected), **CLOSE)


@given(
    scores=st.lists(st.lists(st.integers(-50, 50), min_size=4, max_size=4), min_size=2, max_size=4),
    factor=st.sampled_from([1e-3, 1.0, 1e4]),
    shift=st.sampled_from([-100.0, 0.0, 3.0]),
)
@settings(deadline=None, max_examples=50)
def test_neither_scale_nor_shift_of_a_models_scores_matters(scores, factor, shift):
    arrays = [np.array([some], np.float32) for some in scores]
    moved = [arrays[0] * np.float32(factor) + np.float32(shift), *arrays[1:]]
    np.testing.assert_allclose(mixed(moved, 0.3), mixed(arrays, 0.3), atol=1e-2)  # 1e-3 beside 100 leaves four digits


def test_scaled_by_hand():
    """Scores that are all the same add nothing; the models behind the first share the rest alike."""
    one = np.array([[1, 2, 5]], np.float32)
    np.testing.assert_allclose(mixed([one, 10 * one[:, ::-1], 0 * one + 0.1], 0.5), [[0 + 0.25, 0.125 + 0.0625, 0.5 + 0]])


def test_models_may_answer_in_any_order():
    train, test = log()
    plays = np.setdiff1d(np.arange(test.plays), test.offsets[1:] - 1)
    models = [OutOfOrder().fit(train), MarkovChain().fit(train), Popularity().fit(train)]
    found = list(Blend.of(models, weight=0.2).score_blocks(test, np.concatenate([plays, plays[:7]])))
    expected = Blend.of([models[2], models[1]], weight=0.4).score(test, plays)
    assert sorted(np.concatenate([block for block, _ in found])) == sorted([*plays, *plays[:7]])
    for block, scores in found:
        np.testing.assert_allclose(scores, expected[np.searchsorted(plays, block)], **CLOSE)


def test_blends_fitted_models_and_of_other_blends(tmp_path):
    train, test = log()
    inner = Blend(models=TWO, weight=0.25).fit(train)
    outer = Blend.of([inner, fitted("vsknn")], weight=0.7)
    assert outer.models_[0] is inner
    loaded = NextSongModel.load(outer.save(tmp_path / "blend"))
    np.testing.assert_array_equal(loaded.score(test, some_plays(test)), outer.score(test, some_plays(test)))
    assert Blend(**outer.settings).fit(train).settings == outer.settings


def test_a_live_session_goes_on_in_every_model():
    pytest.importorskip("torch")
    blend, (_, test) = Blend.of([fitted("gru4rec"), fitted("sr")]), log()
    session = blend.session()
    for i, song in enumerate(test[0], 1):
        scores = session.listen(song).scores()
        np.testing.assert_allclose(scores, blend.score_after(test[0][:i]), **CLOSE)
    assert session.songs == test[0]
    assert all(part.songs == test[0] for part in session._parts)


def test_unusable_models_are_refused():
    other = MarkovChain().fit(Sessions.from_lists([[1, 2], [2, 3]]))
    refused = (
        (lambda: Blend(models=["markov"]), "^models="),
        (lambda: Blend(models={"markov": {}, "sr": {}}), "^models="),  # type: ignore[arg-type]
        (lambda: Blend(models=["markov", {"name": "sr", "settings": 3}]), "^models="),
        (lambda: Blend(models=["markov", "waltz"]), "^models='waltz'"),
        (lambda: Blend(models=["markov", {"name": "sr", "settings": {"tempo": 3}}]), "^tempo: not a setting of sr"),
        (lambda: Blend.of([fitted("markov")]), "^models="),
        (lambda: Blend.of([fitted("sr"), other]), "^models: markov"),
        (lambda: Blend.of([fitted("sr"), MarkovChain()]), "fit"),
        (lambda: Blend().weighted(0.5), "fit"),
        (lambda: Blend.of([fitted("sr"), other], weight=2), "^weight="),
    )
    for call, message in refused:
        with pytest.raises(ArgumentError, match=message):
            call()
