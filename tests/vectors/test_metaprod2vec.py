"""MetaProd2vec: artists have vectors, and songs that nobody has heard get that of theirs."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors import MetaProd2Vec, Word2Vec
from song2vec.vectors.prod2vec import with_artists as as_words
from tests.vectors.planted import LEARNING, own_cluster, surely_more, with_artists
from tests.vectors.test_word2vec import CLUSTERS, SONGS, fingerprint, noise, planted

SHARED = 4  # songs of an artist, of which one is never played
COLD = np.arange(0, CLUSTERS * SONGS, SHARED)


def by_artist(song):
    return f"artist {song // SHARED}"


def by_chance(song):
    """As many songs an artist, but any songs."""
    return f"artist {np.random.default_rng(0).permutation(CLUSTERS * SONGS)[song] // SHARED}"


def heard(sessions):
    """Without the songs that nobody is to have heard."""
    return Sessions.from_lists([[song for song in session if song % SHARED] for session in sessions])


def near_cold_songs(sessions, artist_of):
    """Of each song never heard, how many of the 6 nearest heard songs by other artists are of its cluster; chance is 6 of 42."""
    learner = MetaProd2Vec(**LEARNING).fit(with_artists(heard(sessions), artist_of))
    cold = learner.vectors_for(Catalogue(COLD.tolist(), artists=[artist_of(song) for song in COLD]))
    ids = learner.vectors_.catalogue.ids.to_numpy()
    found = []
    for song, vector in zip(cold.catalogue.ids, cold.matrix, strict=True):
        others = np.array([artist_of(each) != artist_of(song) for each in ids])
        found += [*own_cluster(vector[None], np.array([song // SONGS]), (learner.vectors_.matrix[others], ids[others] // SONGS), 6)]
    return np.array(found)


def test_songs_never_heard_lie_among_their_company_by_their_artist():
    by_their_own = near_cold_songs(planted(), by_artist)
    ablated = near_cold_songs(planted(), by_chance)
    assert by_their_own.mean() > 0.8
    assert ablated.mean() < 0.4
    assert surely_more(by_their_own, ablated)


def test_in_noise_songs_never_heard_lie_anywhere():
    assert near_cold_songs(noise(), by_artist).mean() < 0.35


def test_an_artist_who_counts_nothing_is_nowhere_and_one_who_counts_is_near_their_songs():
    learned = {}
    for weight in (0, 1):
        learner = MetaProd2Vec(**LEARNING, artist_weight=weight, context_weight=1).fit(with_artists(planted(), by_artist))
        artists = learner.vectors_.catalogue.artists.to_list()
        own = [learner.artist_vectors_.catalogue.row(artist) for artist in artists]
        learned[weight] = (learner.vectors_.unit * learner.artist_vectors_.unit[own]).sum(axis=1)
    assert surely_more(learned[1], learned[0])


def test_vectors_for_a_catalogue_are_its_songs_own_or_their_artists_or_none():
    learner = MetaProd2Vec(**LEARNING | {"epochs": 1}).fit(with_artists(heard(planted(50)), by_artist))
    found = learner.vectors_for(Catalogue([1, 0, 777], artists=[None, by_artist(0), "nobody"], titles=["one", "nought", "?"]))
    assert found.catalogue.ids.to_list() == [1, 0]
    assert found.catalogue.titles.to_list() == ["one", "nought"]
    np.testing.assert_array_equal(found.matrix[0], learner.vectors_.unit[learner.vectors_.catalogue.row(1)])
    artists = learner.artist_vectors_
    np.testing.assert_array_equal(found.matrix[1], artists.unit[artists.catalogue.row(by_artist(0))])
    with pytest.raises(ArgumentError, match=r"^catalogue: neither"):
        learner.vectors_for(Catalogue([777]))
    with pytest.raises(ArgumentError, match="call fit"):
        MetaProd2Vec().vectors_for(Catalogue([1]))


def test_a_log_without_artists_is_trained_as_word2vec_does_and_says_so(caplog):
    settings = LEARNING | {"epochs": 2, "window": 1}
    with caplog.at_level(logging.WARNING, "song2vec"):
        learner = MetaProd2Vec(**settings).fit(planted(50))
    assert "no song of these sessions has an artist" in caplog.text
    assert len(learner.artist_vectors_) == 0
    assert fingerprint(learner.vectors_) == fingerprint(Word2Vec(**settings | {"window": 3}).fit(planted(50)).vectors_)


@given(st.lists(st.lists(st.integers(0, 9)), min_size=1).filter(any), st.lists(st.sampled_from(["X", "Y", None]), min_size=10, max_size=10))
def test_every_play_is_followed_by_its_artist(lists, artists):
    sessions = with_artists(Sessions.from_lists(lists), artists.__getitem__)
    words, names = as_words(sessions)
    said = [*sessions.catalogue.ids.to_list(), *names]
    expected = [[word for song in session for word in (song, artists[song]) if word is not None] for session in lists]
    assert [[said[word] for word in session] for session in words] == expected
    assert words.catalogue.plays.tolist() == np.bincount(words.songs, minlength=len(said)).tolist()


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf"), "much"])
def test_an_artist_weight_outside_its_range_is_refused(weight):
    with pytest.raises(ArgumentError, match="artist_weight="):
        MetaProd2Vec(artist_weight=weight).fit(planted(20))
