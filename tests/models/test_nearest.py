"""Vectors as next-song models: each learns by its own learner, and artists speak for songs never played."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError
from song2vec.models import MODELS, NearestMetaProd2Vec, NearestSong
from song2vec.models.nearest import Nearest
from song2vec.sessions import Sessions
from song2vec.vectors import LEARNERS
from tests.models.models import SMALL, fitted, log, make
from tests.vectors.planted import LEARNING, surely_more, with_artists
from tests.vectors.test_word2vec import CLUSTERS, SONGS, noise, planted

BY_VECTORS = [name for name in MODELS if issubclass(MODELS[name], Nearest)]
SHARED = 4  # songs of an artist, of which one is never played


def by_artist(song):
    return f"artist {song // SHARED}"


def hits_on_songs_never_played(sessions, artist_of):
    """After one song of each artist, how many of the 3 first songs never played are of the same cluster; chance is 3 of 15."""
    lists = [[song for song in session if song % SHARED] for session in sessions]
    everything = with_artists(Sessions.from_lists([*lists, list(range(CLUSTERS * SONGS))]), artist_of)
    model = NearestMetaProd2Vec(metaprod2vec=LEARNING).fit(everything.keep(np.arange(len(lists))))
    assert model.known_.all()
    cold = np.flatnonzero(everything.catalogue.ids.to_numpy() % SHARED == 0)
    heard = np.setdiff1d(np.arange(CLUSTERS * SONGS), everything.catalogue.ids.to_numpy()[cold])
    asked = replace(Sessions.from_lists([[int(song)] for song in heard]), catalogue=everything.catalogue)
    asked = replace(asked, songs=everything.catalogue.rows(heard.tolist()).astype(np.int32))
    best = cold[np.argsort(-model.score(asked, np.arange(len(heard)))[:, cold], axis=1)[:, :3]]
    return (everything.catalogue.ids.to_numpy()[best] // SONGS == (heard // SONGS)[:, None]).mean(axis=1)


def test_songs_never_played_are_found_by_their_artists():
    found = hits_on_songs_never_played(planted(), by_artist)
    shuffled = np.random.default_rng(0).permutation(CLUSTERS * SONGS)
    ablated = hits_on_songs_never_played(planted(), lambda song: by_artist(shuffled[song]))
    assert found.mean() > 0.8
    assert ablated.mean() < 0.4
    assert surely_more(found, ablated)


def test_in_noise_only_the_artist_heard_is_found():
    assert hits_on_songs_never_played(noise(), by_artist).mean() < 1 / 3 + 0.15  # one song of three is by the artist heard


@pytest.mark.parametrize("name", BY_VECTORS)
def test_vectors_are_those_of_the_learner_with_its_settings(name):
    model, kind = fitted(name), MODELS[name]
    learner = LEARNERS[kind.learner](**SMALL[name][kind.learner]).fit(log()[0])
    np.testing.assert_allclose(model.unit_, learner.vectors_.unit_of(log()[0].catalogue), atol=1e-6)
    given = kind(decay=0.3).fit(log()[0], vectors=learner.vectors_)
    np.testing.assert_allclose(given.unit_, model.unit_, atol=1e-6)
    assert set(kind.space) == {"decay", "repeats", *(f"{kind.learner}.{setting}" for setting in LEARNERS[kind.learner].space)}


@pytest.mark.parametrize("name", BY_VECTORS)
def test_settings_of_the_learner_are_refused_by_name(name):
    learner = MODELS[name].learner
    with pytest.raises(ArgumentError, match=f"^{learner}=3: settings of "):
        make(name, **{learner: 3}).fit(log()[0])
    with pytest.raises(ArgumentError, match=f"taste: not a setting of {learner}"):
        make(name, **{learner: {"taste": 1}}).fit(log()[0])
    with pytest.raises(ArgumentError, match="vectors is a list"):
        NearestSong().fit(log()[0], vectors=[1])
