"""What every model of ratings does: it learns, not from noise and not from the future; it is saved, loaded and asked by ids."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError
from song2vec.ratings import RATERS
from song2vec.sessions import Sessions
from song2vec.testing.battery import Case, run
from song2vec.testing.raters import LAST, RATER_CHECKS, drifting, only_noise, rater_case
from tests.ratings.planted import errors, learned, make

TWINS = {"time-svd++": {"temporal": False}, "rrn": {"dynamic": False}}


@cache
def case(name: str) -> Case:
    return rater_case(make(name, epochs=10 if name == "rrn" else 40, l2=0.1))


@pytest.mark.parametrize("name", RATERS)
@pytest.mark.parametrize("check", RATER_CHECKS, ids=lambda check: check.__name__)
def test_keeps_the_contract(name, check):
    run(case(name), [check])


@pytest.mark.parametrize("name", TWINS)
def test_tastes_that_drift_are_followed(name):
    """Beside the time-blind twin: the difference of squared errors has an interval, by listeners, that excludes 0."""
    ratings = drifting()
    asked = ratings.select(ratings.period >= LAST)
    saved = errors(learned(name, **TWINS[name]), ratings) - errors(learned(name), ratings)
    by_listener = np.array([saved[asked.listener == u].mean() for u in np.unique(asked.listener)])
    random = np.random.default_rng(0)
    drawn = [random.choice(by_listener, len(by_listener)).mean() for _ in range(1000)]
    assert np.percentile(drawn, 2.5) > 0.3


@pytest.mark.parametrize("name", RATERS)
def test_training_that_was_cut_short_goes_on_to_the_same_bytes(name, tmp_path):
    """Also between the blocks of an epoch; settings that learning does not depend on may have changed, others not."""
    ratings = drifting()
    train, validation = ratings.before(LAST), ratings.during(LAST)
    model = make(name, epochs=5)
    begin, runs = model._begin, []

    def begin_interrupted(known):
        trainee = begin(known)
        run = trainee.run

        def counted(block):
            runs.append(block)
            if len(runs) == 4:
                raise KeyboardInterrupt
            return run(block)

        trainee.run = counted
        return trainee

    model._begin = begin_interrupted
    with pytest.raises(KeyboardInterrupt):
        model.fit(train, validation=validation, checkpoint=tmp_path / "here", checkpoint_minutes=0)
    whole, resumed = make(name, epochs=6), make(name, epochs=6)
    whole.fit(train, validation=validation)
    resumed.fit(train, validation=validation, checkpoint=tmp_path / "here")
    assert [(one.loss, one.scores) for one in resumed.history_] == [(one.loss, one.scores) for one in whole.history_]
    np.testing.assert_array_equal(resumed.predict(ratings), whole.predict(ratings))
    with pytest.raises(ArgumentError, match="training with other l2"):
        make(name, l2=0.5).fit(train, validation=validation, checkpoint=tmp_path / "here")
    with pytest.raises(ArgumentError, match="training with other ratings"):
        make(name).fit(train.before(3), validation=validation, checkpoint=tmp_path / "here")


@pytest.mark.parametrize("name", RATERS)
def test_training_stops_when_the_error_sinks_no_more_and_keeps_the_best(name):
    ratings = only_noise(drifting())
    validation = ratings.during(LAST)
    model = make(name, epochs=60, patience=2).fit(ratings.before(LAST), validation=validation)
    found = [epoch.scores["rmse"] for epoch in model.history_]
    assert len(found) < 60
    assert found.index(min(found)) == len(found) - 3
    assert model.rmse(validation) == min(found)
    with pytest.raises(ArgumentError, match=r"^patience: needs validation"):
        make(name, patience=2).fit(ratings)
    with pytest.raises(ArgumentError, match="validation is a list; Ratings are allowed"):
        make(name).fit(ratings, validation=[1])


@pytest.mark.parametrize("name", RATERS)
def test_what_are_no_ratings_is_refused_by_name(name):
    model = learned(name, epochs=3)
    sessions = Sessions.from_lists([["s1", "s2"]])
    calls = [model.predict, model.rmse, *([model.observe] if name == "rrn" else [])]
    for call in calls:
        with pytest.raises(ArgumentError, match="ratings is a Sessions; Ratings are allowed"):
            call(sessions)
    with pytest.raises(ArgumentError, match="ratings: are none"):
        model.rmse(drifting().before(0))
    with pytest.raises(ArgumentError, match="one at least"):
        make(name).fit(drifting().before(0))
    for listener in ("u3", -2, 80, True):
        with pytest.raises(ArgumentError, match=f"listener={listener!r}: a whole number from -1 to 79"):
            model.rate_all(listener, LAST)
    assert model.listener_rows(["u3", "nobody"]).tolist() == [3, -1]
    for period in ("6", -1, 2.5, 10**12):
        for call in (lambda when: model.rate_all(3, when), lambda when: model.rate("u3", ["s1"], when)):
            with pytest.raises(ArgumentError, match=f"period={period!r}"):
                call(period)


@pytest.mark.parametrize(("name", "rate"), [("biased-mf", 5.0), ("time-svd++", 5.0), ("rrn", 1000.0)])
def test_a_rate_beyond_bounds_is_refused(name, rate):
    model = make(name, learning_rate=rate)
    with pytest.raises(ArgumentError, match=r"^learning_rate: the loss of epoch \d grew beyond bounds"):
        model.fit(drifting())
    with pytest.raises(ArgumentError, match="call fit first"):  # what is half learned answers nothing
        model.predict(drifting())
