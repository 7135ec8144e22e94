"""Models of ratings as next-song models: what a listener takes to, by month, saved and compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError
from song2vec.models import NextSongModel, RatedSongs
from song2vec.ratings import BiasedMF, TimeSVDpp
from song2vec.sessions import Sessions

DAY = 86_400
SMALL = {"size": 4, "epochs": 60, "learning_rate": 0.03, "progress": False}
OWN = {"rrn": {"epochs": 15, "learning_rate": 0.01, "workers": 1}}  # eight listeners and three periods are soon learned by heart


def two_tastes():
    """Even listeners play songs 0 to 9, odd ones 10 to 19."""
    random = np.random.default_rng(0)
    lists = [(random.permutation(10)[:6] + 10 * (number % 2)).tolist() for number in range(80)]
    sessions = Sessions.from_lists(lists)
    return replace(sessions, listener=np.arange(80, dtype=np.int32) % 8, start=np.arange(80) * DAY)


@pytest.mark.parametrize("rater", ["biased-mf", "time-svd++", "rrn"])
def test_each_listener_gets_songs_of_their_taste(rater, tmp_path):
    sessions = two_tastes()
    model = RatedSongs(rater={"name": rater, "settings": SMALL | OWN.get(rater, {})}).fit(sessions)
    first = sessions.offsets[:-1][-8:]
    scores = model.score(sessions, first)
    ids = np.array(sessions.catalogue.ids.to_list())
    for row in range(8):
        own = (ids < 10) == (row % 2 == 0)
        assert scores[row, own].mean() > scores[row, ~own].mean() + 0.2
    loaded = NextSongModel.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.score(sessions, first), scores)


def test_whoever_is_unknown_gets_the_same():
    sessions = two_tastes()
    model = RatedSongs(rater=TimeSVDpp(**SMALL)).fit(sessions)
    strangers = replace(sessions, listeners=sessions.listeners + 1000, start=None)
    scores = model.score(strangers, sessions.offsets[:2])
    np.testing.assert_array_equal(scores[0], scores[1])


def test_bad_settings_are_refused():
    for settings, message in (
        ({"rater": "x"}, "rater='x'"),
        ({"rater": {"name": "rrn", "settings": {"penalty": 1}}}, "penalty: not a setting of rrn"),
        ({"rater": BiasedMF(), "days": 0}, "days=0"),
    ):
        with pytest.raises(ArgumentError, match=message):
            RatedSongs(**settings)


def test_tuning_tries_raters_and_settings_of_a_rater_are_replaced_by_name():
    assert set(RatedSongs().space["rater"].values) == {"biased-mf", "time-svd++"}
    assert RatedSongs(rater="biased-mf").replaced({"rater.l2": 0.5}).component("rater").l2 == 0.5
