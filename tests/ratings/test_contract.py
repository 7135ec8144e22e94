"""What every model of ratings does: it learns, not from noise and not from the future; it is saved, loaded and asked by ids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, SavedFolderError, UnknownSongError
from song2vec.ratings import RATERS, Ratings, load_rater
from song2vec.sessions import Sessions
from tests.ratings.planted import LAST, drifting, errors, fitted, make, noise

TWINS = {"time-svd++": {"temporal": False}, "rrn": {"dynamic": False}}


@pytest.mark.parametrize("name", RATERS)
def test_ratings_are_found_better_than_by_their_mean(name):
    ratings = drifting(drift=0.3)
    model = fitted(make(name), ratings)
    asked = ratings.select(ratings.period >= LAST)
    assert model.rmse(asked) < 0.9 * asked.value.std()
    assert model.history_[-1] < model.history_[0]


@pytest.mark.parametrize("name", TWINS)
def test_tastes_that_drift_are_followed(name):
    """Beside the time-blind twin: the difference of squared errors has an interval, by listeners, that excludes 0."""
    ratings = drifting()
    asked = ratings.select(ratings.period >= LAST)
    saved = errors(fitted(make(name, **TWINS[name]), ratings), ratings) - errors(fitted(make(name), ratings), ratings)
    by_listener = np.array([saved[asked.listener == u].mean() for u in np.unique(asked.listener)])
    random = np.random.default_rng(0)
    drawn = [random.choice(by_listener, len(by_listener)).mean() for _ in range(1000)]
    assert np.percentile(drawn, 2.5) > 0.3


@pytest.mark.parametrize("name", RATERS)
def test_nothing_is_found_in_noise(name):
    ratings = noise()
    model = fitted(make(name, epochs=10, penalty=0.1), ratings)
    assert errors(model, ratings).mean() > 0.95 * ratings.value.var()


@pytest.mark.parametrize("name", RATERS)
def test_the_values_asked_for_are_not_looked_at(name):
    ratings = drifting()
    asked = ratings.during(LAST)
    model = fitted(make(name, epochs=2), ratings)
    other = Ratings(asked.listener, asked.song, asked.period, asked.value + 5, asked.listeners, asked.catalogue)
    np.testing.assert_array_equal(model.predict(asked), model.predict(other))


@pytest.mark.parametrize("name", RATERS)
def test_saved_and_loaded_and_the_same_bytes_from_the_same_seed(name, tmp_path):
    ratings = drifting()
    model = fitted(make(name, epochs=3), ratings)
    loaded = load_rater(model.save(tmp_path / "model"))
    assert repr(loaded) == repr(model)
    again = fitted(make(name, epochs=3), ratings)
    for other in (loaded, again):
        np.testing.assert_array_equal(other.predict(ratings), model.predict(ratings))


@pytest.mark.parametrize("name", RATERS)
def test_a_damaged_folder_is_refused(name, tmp_path):
    folder = fitted(make(name, epochs=1), drifting()).save(tmp_path / "model")
    next(folder.glob("model*.safetensors")).write_bytes(b"")
    with pytest.raises(SavedFolderError):
        load_rater(folder)


@pytest.mark.parametrize("name", RATERS)
def test_a_folder_of_other_arrays_is_refused(name, tmp_path):
    model = fitted(make(name, epochs=1), drifting())
    part = model._to_part()
    model._to_part = lambda: replace(part, arrays=dict(list(part.arrays.items())[:-1]))
    with pytest.raises(SavedFolderError):
        load_rater(model.save(tmp_path / "model"))


@pytest.mark.parametrize("name", RATERS)
def test_one_listener_is_asked_by_ids(name):
    model = fitted(make(name, epochs=3), drifting())
    assert set(model.rate("u3", ["s1", "s2"], LAST)) == {"s1", "s2"}
    with pytest.raises(UnknownSongError):
        model.rate("u3", ["nothing"], LAST)
    with pytest.raises(ArgumentError, match="listener='nobody'"):
        model.rate("nobody", ["s1"], LAST)


@pytest.mark.parametrize("name", RATERS)
def test_strangers_get_what_is_known_of_others(name):
    ratings = drifting()
    model = fitted(make(name, epochs=3), ratings)
    rows = np.zeros(1, np.int32)
    asked = Ratings(rows, rows, rows, np.zeros(1, np.float32), pl.Series(["new"]), Catalogue(["never heard"], [1]))
    assert model.predict(asked)[0] == pytest.approx(ratings.before(LAST).value.mean(), abs=0.3)


@pytest.mark.parametrize("name", RATERS)
def test_no_ratings_and_asking_before_fit_are_refused(name):
    with pytest.raises(ArgumentError, match="one at least"):
        make(name).fit(drifting().before(0))
    with pytest.raises(ArgumentError, match="fit"):
        make(name).predict(drifting())


@pytest.mark.parametrize("name", RATERS)
def test_what_are_no_ratings_is_refused_by_name(name):
    model = fitted(make(name, epochs=1), drifting())
    sessions = Sessions.from_lists([["s1", "s2"]])
    calls = [model.predict, model.rmse, *([model.observe] if name == "rrn" else [])]
    for call in calls:
        with pytest.raises(ArgumentError, match="ratings is a Sessions; Ratings are allowed"):
            call(sessions)
    with pytest.raises(ArgumentError, match="ratings: are none"):
        model.rmse(drifting().before(0))
    for listener in ("u3", -2, 80, True):
        with pytest.raises(ArgumentError, match=f"listener={listener!r}: a row from -1 to 79"):
            model.rate_all(listener, LAST)
    assert model.listener_rows(["u3", "nobody"]).tolist() == [3, -1]
    for period in ("6", -1, 2.5, 10**12):
        for call in (lambda when: model.rate_all(3, when), lambda when: model.rate("u3", ["s1"], when)):
            with pytest.raises(ArgumentError, match=f"period={period!r}"):
                call(period)


@pytest.mark.parametrize(("name", "rate"), [("biased-mf", 5.0), ("time-svd++", 5.0), ("rrn", 1000.0)])
def test_a_rate_beyond_bounds_is_refused(name, rate):
    with pytest.raises(ArgumentError, match=f"learning_rate={rate}: the error grew beyond bounds"):
        make(name, learning_rate=rate).fit(drifting())
