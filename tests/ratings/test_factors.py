"""Factor models: a step by hand, drift found, noise not, saved and loaded."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from song2vec.catalogue import Catalogue
from song2vec.errors import ArgumentError, SavedFolderError, UnknownSongError
from song2vec.ratings import BiasedMF, Ratings, TimeSVDpp
from song2vec.ratings.factors import RATERS
from tests.ratings.planted import PERIODS, drifting, noise

LAST = PERIODS - 2  # the last two periods are foretold


def fitted(model, ratings):
    return model.fit(ratings.before(LAST))


def errors(model, ratings):
    asked = ratings.select(ratings.period >= LAST)
    return (model.predict(asked) - asked.value) ** 2


def make(name, **settings):
    return RATERS[name](**{"size": 4, "epochs": 40, "learning_rate": 0.02, "progress": False, **settings})


def one_rating():
    rows = np.zeros(1, np.int32)
    return Ratings(rows, rows, rows, np.array([4], np.float32), pl.Series(["ann"]), Catalogue(["a"], [1]))


def test_the_mean_of_one_rating_is_all_there_is_to_learn():
    model = make("biased-mf", epochs=1).fit(one_rating())
    before = model._fresh(1, 1, 1)
    score = float(before.taste[0] @ before.song_taste[0])
    assert model.history_ == pytest.approx([abs(score)])
    rate, penalty, error = 0.02, 0.02, -score
    after = model._factors
    assert after.bias[0] == pytest.approx(rate * error)
    assert after.song_bias[0] == pytest.approx(rate * error)
    np.testing.assert_allclose(after.taste[0], before.taste[0] + rate * (error * before.song_taste[0] - penalty * before.taste[0]))
    np.testing.assert_allclose(
        after.song_taste[0], before.song_taste[0] + rate * (error * before.taste[0] - penalty * before.song_taste[0])
    )


def test_what_a_listener_rated_at_all_moves_once_for_all_ratings():
    model = make("time-svd++", temporal=False, epochs=1).fit(one_rating())
    before = model._fresh(1, 1, 1)
    error = -float(before.taste[0] @ before.song_taste[0])
    np.testing.assert_allclose(model._factors.heard[0], 0.02 * error * before.song_taste[0])


@pytest.mark.parametrize("name", RATERS)
def test_ratings_are_found_better_than_by_their_mean(name):
    ratings = drifting(drift=0.3)
    model = fitted(make(name), ratings)
    asked = ratings.select(ratings.period >= LAST)
    assert model.rmse(asked) < 0.9 * asked.value.std()
    assert model.history_[-1] < model.history_[0]


def test_tastes_that_drift_are_followed():
    """Beside the time-blind twin: the difference of squared errors has an interval, by listeners, that excludes 0."""
    ratings = drifting()
    asked = ratings.select(ratings.period >= LAST)
    saved = errors(fitted(make("time-svd++", temporal=False), ratings), ratings) - errors(fitted(make("time-svd++"), ratings), ratings)
    by_listener = np.array([saved[asked.listener == u].mean() for u in np.unique(asked.listener)])
    random = np.random.default_rng(0)
    drawn = [random.choice(by_listener, len(by_listener)).mean() for _ in range(1000)]
    assert np.percentile(drawn, 2.5) > 0.3


@pytest.mark.parametrize("name", RATERS)
def test_nothing_is_found_in_noise(name):
    ratings = noise()
    model = fitted(make(name, epochs=10, penalty=0.1), ratings)
    assert errors(model, ratings).mean() > 0.95 * ratings.value.var()


def test_later_periods_are_not_looked_at():
    ratings = drifting()
    asked = ratings.during(LAST)
    model = fitted(make("time-svd++"), ratings)
    other = Ratings(asked.listener, asked.song, asked.period, asked.value + 5, asked.listeners, asked.catalogue)
    np.testing.assert_array_equal(model.predict(asked), model.predict(other))


@pytest.mark.parametrize("name", RATERS)
def test_saved_and_loaded_and_the_same_bytes_from_the_same_seed(name, tmp_path):
    ratings = drifting()
    model = fitted(make(name, epochs=3), ratings)
    loaded = BiasedMF.load(model.save(tmp_path / "model"))
    assert repr(loaded) == repr(model)
    again = fitted(make(name, epochs=3), ratings)
    for other in (loaded, again):
        np.testing.assert_array_equal(other.predict(ratings), model.predict(ratings))


def test_a_damaged_folder_is_refused(tmp_path):
    folder = fitted(make("biased-mf", epochs=1), drifting()).save(tmp_path / "model")
    next(folder.glob("model*.safetensors")).write_bytes(b"")
    with pytest.raises(SavedFolderError):
        BiasedMF.load(folder)


def test_one_listener_is_asked_by_ids():
    model = fitted(make("biased-mf", epochs=3), drifting())
    assert set(model.rate("u3", ["s1", "s2"], LAST)) == {"s1", "s2"}
    with pytest.raises(UnknownSongError):
        model.rate("u3", ["nothing"], LAST)
    with pytest.raises(ArgumentError, match="listener='nobody'"):
        model.rate("nobody", ["s1"], LAST)


def test_strangers_get_what_is_known_of_others():
    model = fitted(make("time-svd++", epochs=3), drifting())
    rows = np.zeros(1, np.int32)
    asked = Ratings(rows, rows, rows, np.zeros(1, np.float32), pl.Series(["new"]), Catalogue(["never heard"], [1]))
    assert model.predict(asked)[0] == pytest.approx(model._rules.mean)


@pytest.mark.parametrize(("settings", "message"), [({"size": 0}, "size=0"), ({"beta": 0}, "beta=0"), ({"temporal": 1}, "temporal=1")])
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        TimeSVDpp(**settings).fit(drifting())


def test_no_ratings_and_a_rate_beyond_bounds_are_refused():
    ratings = drifting()
    with pytest.raises(ArgumentError, match="one at least"):
        BiasedMF().fit(ratings.before(0))
    with pytest.raises(ArgumentError, match="learning_rate=5"):
        BiasedMF(learning_rate=5.0, progress=False).fit(ratings)
    with pytest.raises(ArgumentError, match="fit"):
        BiasedMF().predict(ratings)
