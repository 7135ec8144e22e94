"""Factor models: a step by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.ratings import Ratings, TimeSVDpp
from tests.ratings.planted import make


def one_rating():
    rows = np.zeros(1, np.int32)
    return Ratings(rows, rows, rows, np.array([4], np.float32), pl.Series(["ann"]), Catalogue(["a"], [1]))


def test_the_mean_of_one_rating_is_all_there_is_to_learn():
    model = make("biased-mf", epochs=1).fit(one_rating())
    before = model._new_factors(1, 1, 1)
    score = float(before.taste[0] @ before.song_taste[0])
    assert [epoch.loss for epoch in model.history_] == pytest.approx([score**2])
    rate, l2, error = 0.02, 0.02, -score
    after = model.factors_
    assert after.bias[0] == pytest.approx(rate * error)
    assert after.song_bias[0] == pytest.approx(rate * error)
    np.testing.assert_allclose(after.taste[0], before.taste[0] + rate * (error * before.song_taste[0] - l2 * before.taste[0]))
    np.testing.assert_allclose(after.song_taste[0], before.song_taste[0] + rate * (error * before.taste[0] - l2 * before.song_taste[0]))


def test_what_a_listener_rated_at_all_moves_once_for_all_ratings():
    model = make("time-svd++", temporal=False, epochs=1).fit(one_rating())
    before = model._new_factors(1, 1, 1)
    error = -float(before.taste[0] @ before.song_taste[0])
    np.testing.assert_allclose(model.factors_.history[0], 0.02 * error * before.song_taste[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"size": 0}, "size=0"), ({"patience": 0}, "patience=0"), ({"beta": 0}, "beta=0"), ({"temporal": 1}, "temporal=1")],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        TimeSVDpp(**settings)
