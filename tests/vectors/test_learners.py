"""The contract of every learner of song vectors: a learner passes by being in ``LEARNERS``."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import song2vec
from song2vec import Engine
from song2vec.catalogue import Catalogue
from song2vec.core.config import Choice
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors import LEARNERS, Learner, SongVectors
from tests.vectors.planted import LEARNING
from tests.vectors.test_word2vec import fingerprint, noise, planted, share_of_cluster

every_learner = pytest.mark.parametrize("name", LEARNERS)
QUICK = LEARNING | {"size": 8, "epochs": 2}


@every_learner
def test_constructor_stores_its_settings_and_is_a_public_name(name):
    learner = LEARNERS[name](**QUICK)
    assert {key: learner.settings[key] for key in QUICK} == QUICK
    json.dumps(learner.settings)
    assert repr(LEARNERS[name]()) == f"{LEARNERS[name].__name__}()"
    assert getattr(song2vec, LEARNERS[name].__name__) is LEARNERS[name]
    with pytest.raises(TypeError):
        LEARNERS[name](8)


@every_learner
def test_fit_returns_the_learner_and_leaves_sessions_and_settings_alone(name):
    sessions = planted(50)
    before = sessions.songs.copy(), sessions.offsets.copy()
    learner = LEARNERS[name](**QUICK)
    settings = learner.settings
    assert learner.fit(sessions) is learner
    assert learner.settings == settings
    for array, then in zip((sessions.songs, sessions.offsets), before, strict=True):
        np.testing.assert_array_equal(array, then)


@every_learner
def test_planted_clusters_are_found_and_noise_is_not(name):
    assert share_of_cluster(LEARNERS[name](**LEARNING).fit(planted()).vectors_) > 0.75
    assert share_of_cluster(LEARNERS[name](**LEARNING).fit(noise()).vectors_) < 0.35


@every_learner
def test_the_same_seed_and_one_worker_give_the_same_bytes(name):
    prints = [fingerprint(LEARNERS[name](**QUICK, seed=seed).fit(planted(50)).vectors_) for seed in (1, 1, 2)]
    assert prints[0] == prints[1] != prints[2]


@every_learner
def test_songs_are_those_played_the_most_played_first_with_their_names(name):
    everything = Sessions.from_lists([["c", "b", "a"], ["b", "a", "b"], ["never"], ["never"]])
    names = {"artists": ["B", "A", "N", None], "titles": ["b", "a", "n", "c"]}  # the order of the log: b, a, never, c
    named = replace(everything, catalogue=Catalogue(everything.catalogue.ids, everything.catalogue.plays, **names))
    vectors = LEARNERS[name](**QUICK).fit(named.keep(np.arange(2))).vectors_
    assert isinstance(vectors, SongVectors)
    assert vectors.size == 8
    assert vectors.catalogue.ids.to_list() == ["b", "a", "c"]
    assert vectors.catalogue.artists.to_list() == ["B", "A", None]
    assert vectors.catalogue.titles.to_list() == ["b", "a", "c"]


@every_learner
def test_sessions_that_nothing_can_be_learned_from_are_refused(name):
    for lists in ([["a"], ["b"]], [["a", "a"], ["a"]]):
        with pytest.raises(ArgumentError, match=r"^sessions: "):
            LEARNERS[name](**QUICK).fit(Sessions.from_lists(lists))


@every_learner
def test_settings_outside_their_range_are_refused_by_name(name):
    wrong = {int: (0, -1, 1.5, "x", True), float: (-1.0, float("nan")), str: ("x", 3)}
    for setting, value in LEARNERS[name]().settings.items():
        values = wrong[type(value)] if type(value) in wrong and setting not in ("seed", "negative_exponent") else ()
        for bad in values:
            with pytest.raises(ArgumentError, match=setting):
                LEARNERS[name](**{setting: bad}).fit(planted(20))
    with pytest.raises(ArgumentError, match="seed=-1"):
        LEARNERS[name](seed=-1).fit(planted(20))


@every_learner
def test_what_tuning_tries_is_allowed(name):
    for setting, tried in LEARNERS[name]().space.items():
        for value in tried.values if isinstance(tried, Choice) else (tried.low, tried.high):
            assert np.isfinite(LEARNERS[name](**QUICK | {setting: value}).fit(planted(20)).vectors_.matrix).all()


@every_learner
def test_an_engine_takes_a_learner_by_its_name(name, tmp_path):
    common = {"size": 8, "epochs": 2, "workers": 1}
    made = Engine.train(planted(50), vectors=name, index="exact", **common)
    learner = LEARNERS[name](**common).fit(planted(50))
    assert fingerprint(made.vectors) == fingerprint(learner.vectors_)
    assert made.info().learner == {"name": type(learner).__name__, **learner.settings}
    assert Engine.load(made.save(tmp_path / "engine")).info() == made.info()


def test_an_engine_takes_vectors_as_they_are():
    vectors = LEARNERS["word2vec"](**QUICK).fit(planted(50)).vectors_
    made = Engine.train(planted(50), vectors=vectors, index="exact", next_song="nearest")
    assert made.vectors is vectors
    assert made.info().learner == {}
    np.testing.assert_array_equal(made.next_song.unit_, vectors.unit)
    with pytest.raises(ArgumentError, match=r"^size: settings of a learner"):
        Engine.train(planted(50), vectors=vectors, size=8)


@every_learner
def test_a_learner_is_saved_with_its_vectors_and_loaded_by_the_family(name, tmp_path):
    learner = LEARNERS[name](**QUICK)
    with pytest.raises(ArgumentError, match="has learned nothing yet"):
        learner.save(tmp_path / "learner")
    loaded = Learner.load(learner.fit(planted(50)).save(tmp_path / "learner"))
    assert type(loaded) is LEARNERS[name]
    assert loaded.settings == learner.settings
    assert fingerprint(loaded.vectors_) == fingerprint(learner.vectors_)
