"""Vectors as next-song models: each learns by its own learner, and artists speak for songs never played."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError
from song2vec.models import Nearest, make_model
from song2vec.sessions import Sessions
from song2vec.vectors import LEARNERS, MetaProd2Vec, Word2Vec
from tests.models.models import log
from tests.small import SETTINGS
from tests.vectors.planted import LEARNING, surely_more, with_artists
from tests.vectors.test_word2vec import CLUSTERS, SONGS, noise, planted

SHARED = 4  # songs of an artist, of which one is never played


def by_artist(song):
    return f"artist {song // SHARED}"


def hits_on_songs_never_played(sessions, artist_of):
    """After one song of each artist, how many of the 3 first songs never played are of the same cluster; chance is 3 of 15."""
    lists = [[song for song in session if song % SHARED] for session in sessions]
    everything = with_artists(Sessions.from_lists([*lists, list(range(CLUSTERS * SONGS))]), artist_of)
    model = Nearest(learner=MetaProd2Vec(**LEARNING)).fit(everything.keep(np.arange(len(lists))))
    assert model.known_.all()
    cold = np.flatnonzero(everything.catalogue.ids.to_numpy() % SHARED == 0)
    played = np.setdiff1d(np.arange(CLUSTERS * SONGS), everything.catalogue.ids.to_numpy()[cold])
    asked = replace(Sessions.from_lists([[int(song)] for song in played]), catalogue=everything.catalogue)
    asked = replace(asked, songs=everything.catalogue.rows(played.tolist()).astype(np.int32))
    best = cold[np.argsort(-model.score(asked, np.arange(len(played)))[:, cold], axis=1)[:, :3]]
    return (everything.catalogue.ids.to_numpy()[best] // SONGS == (played // SONGS)[:, None]).mean(axis=1)


def test_songs_never_played_are_found_by_their_artists():
    found = hits_on_songs_never_played(planted(), by_artist)
    shuffled = np.random.default_rng(0).permutation(CLUSTERS * SONGS)
    ablated = hits_on_songs_never_played(planted(), lambda song: by_artist(shuffled[song]))
    assert found.mean() > 0.8
    assert ablated.mean() < 0.4
    assert surely_more(found, ablated)


def test_in_noise_only_the_artist_heard_is_found():
    assert hits_on_songs_never_played(noise(), by_artist).mean() < 1 / 3 + 0.15  # one song of three is by the artist played


@pytest.mark.parametrize("name", LEARNERS)
def test_vectors_are_those_of_the_learner_with_its_settings(name):
    taken = LEARNERS[name]().settings
    learner = LEARNERS.make(name, {setting: value for setting, value in (SETTINGS | {"epochs": 1}).items() if setting in taken})
    (train, test), vectors = log(), learner.fit(log()[0]).vectors_
    for described in (learner, {"name": name, "settings": learner.settings}):
        model = Nearest(learner=described, decay=0.3).fit(train)
        np.testing.assert_allclose(model.unit_, vectors.unit_of(train.catalogue), atol=1e-6)
        assert make_model("nearest", model.settings).settings == model.settings
    given = Nearest(decay=0.3).fit(train, vectors=vectors)
    np.testing.assert_allclose(given.score(test, np.arange(9)), model.score(test, np.arange(9)), atol=1e-6)
    assert set(model.space) == {"decay", "repeats", *(f"learner.{setting}" for setting in learner.space)}


def test_only_the_plain_learner_gives_way_to_vectors_made_elsewhere():
    assert Nearest().takes_vectors
    assert not Nearest(learner="doc2vec").takes_vectors
    assert not Nearest(learner=Word2Vec(window=2)).takes_vectors


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        (3, "^learner=3: 'word2vec', "),
        ("word2vecc", "^learner='word2vecc': .*did you mean 'word2vec'"),
        ({"name": "doc2vec", "settings": {"taste": 1}}, "^taste: not a setting of doc2vec"),
        ({"name": "doc2vec", "settings": {"size": 0}}, "^size=0"),
        ({"size": 3}, "^learner=.*a name, or"),
    ],
)
def test_what_is_no_learner_is_refused_by_name(learner, message):
    with pytest.raises(ArgumentError, match=message):
        Nearest(learner=learner)


def test_what_are_no_vectors_is_refused():
    with pytest.raises(ArgumentError, match="vectors is a list"):
        Nearest().fit(log()[0], vectors=[1])
