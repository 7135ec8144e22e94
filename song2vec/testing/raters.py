"""What every rater does: it learns from ratings, and neither from noise nor from the values it is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.ratings import RatingModel, Ratings
from song2vec.testing.battery import SHARED, Case, close, refused, run

LISTENERS, SONGS, PERIODS = 80, 60, 12
LAST = PERIODS - 2  # the last two periods are predicted


def drifting(drift: float = 1.0, *, noise: float = 0.2, seed: int = 0) -> Ratings:
    """Ratings 3 + taste(t) kind + noise: kind is +-1 a song, taste(t) runs from -drift to drift, or back, over the periods."""
    random = np.random.default_rng(seed)
    kind, way = random.choice([-1.0, 1.0], SONGS), random.choice([-1.0, 1.0], LISTENERS)
    offset = random.normal(0, 0.3, LISTENERS)
    listener, song, period = np.nonzero(random.random((LISTENERS, SONGS, PERIODS)) < 0.3)
    taste = drift * way[listener] * (2 * period / (PERIODS - 1) - 1)
    value = 3 + offset[listener] + taste * kind[song] + random.normal(0, noise, len(song))
    names = pl.Series("listener", [f"u{number}" for number in range(LISTENERS)])
    return Ratings(listener, song, period, value, names, Catalogue([f"s{number}" for number in range(SONGS)], np.arange(SONGS, 0, -1)))


def only_noise(ratings: Ratings) -> Ratings:
    """The same with values of nothing but chance."""
    return replace(ratings, value=np.random.default_rng(0).normal(3, 1, len(ratings)))


def learning(case: Case) -> None:
    """Later ratings are predicted better than by their mean, and ratings of nothing but chance are not."""
    ratings = drifting(0.3)
    later = ratings.select(ratings.period >= LAST)
    assert case.fitted.history_[-1].loss < case.fitted.history_[0].loss
    assert case.fitted.rmse(later) < 0.9 * later.value.std()
    assert case.fit(only_noise(case.data)).rmse(only_noise(later)) > 0.97 * only_noise(later).value.std()


def predicting(case: Case) -> None:
    """The values of what is to be predicted are not looked at; strangers get what is known of the others."""
    asked = case.data.during(1)
    np.testing.assert_array_equal(case.fitted.predict(asked), case.fitted.predict(replace(asked, value=asked.value + 5)))
    new = Ratings([0], [0], [0], [0.0], pl.Series(["new"]), Catalogue(["never played"], [1]))  # type: ignore[arg-type]
    assert abs(case.fitted.predict(new)[0] - case.data.value.mean()) < 0.3


def rating(case: Case) -> None:
    """A listener rates songs by id, as predictions have it; songs and listeners that training lacks are refused by name."""
    one = case.data.select(np.arange(1))
    listener, song = case.data.listeners[int(one.listener[0])], case.data.catalogue.ids[int(one.song[0])]
    found = case.fitted.rate(listener, [song], int(one.period[0]))
    assert list(found) == [song]
    close(list(found.values()), case.fitted.predict(one))
    with refused(UnknownSongError, text="never played"):
        case.fitted.rate(listener, ["never played"], 0)
    with refused(ArgumentError, text="listener='nobody'"):
        case.fitted.rate("nobody", [song], 0)


RATER_CHECKS = (*SHARED, learning, predicting, rating)


def rater_case(rater: RatingModel) -> Case:
    """A rater, and all but the last two periods of a few thousand ratings."""
    ratings = drifting(0.3)
    return Case(rater, ratings.before(LAST), ratings.before(2), lambda fitted: fitted.predict(ratings))


def check_rater(rater: RatingModel) -> None:
    """Raises AssertionError, with a sentence that says which part of the contract it breaks, unless the rater keeps all of it.

    Args:
        rater: before ``fit``, with settings that suit 80 listeners and 60 songs.
    """
    run(rater_case(rater), RATER_CHECKS)
