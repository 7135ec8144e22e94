"""Filters: what they accept, and which rows they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.search import ExactIndex, Filters
from song2vec.search.filters import Resolver, _times_before
from song2vec.vectors.song_vectors import SongVectors

CATALOGUE = Catalogue(["a", "b", "c", "d", "e"], artists=["ABBA", "Abba ", "Björk", None, None])


def allowed(filters, catalogue=CATALOGUE):
    found = Resolver(catalogue).resolve(filters)
    return found.first(99).tolist()


def test_each_filter_by_itself():
    assert allowed(None) == allowed(Filters()) == [0, 1, 2, 3, 4]
    assert allowed(Filters(exclude=["b", "b"])) == [0, 2, 3, 4]
    assert allowed(Filters(only=["c", "a"])) == [0, 2]
    assert allowed(Filters(only=[])) == []
    assert allowed(Filters(not_by=["abba"])) == [2, 3, 4]
    assert allowed(Filters(not_by=["BJÖRK", "aBBa"])) == [3, 4]


def test_filters_hold_together():
    assert allowed(Filters(exclude=["c"], only=["a", "c", "d"], not_by=["abba"])) == [3]


def test_a_generator_serves_more_than_one_search():
    filters = Filters(exclude=(song for song in "ab"))
    assert allowed(filters) == allowed(filters) == [2, 3, 4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exclude": "abc"}, r"exclude='abc'.*\['abc'\]"),
        ({"only": 3}, r"only=3.*\[3\]"),
        ({"not_by": "ABBA"}, r"not_by='ABBA'"),
        ({"not_by": [3]}, "not_by holds 3"),
        ({"max_per_artist": 0}, "max_per_artist=0"),
        ({"max_per_artist": 1.5}, r"max_per_artist=1\.5"),
        ({"max_per_artist": True}, "max_per_artist=True"),
        ({"unknown": "ignore"}, "unknown='ignore'"),
    ],
)
def test_unusable_filters_are_refused_by_name(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Filters(**arguments)


def test_unknown_songs_and_artists_raise_or_are_skipped():
    with pytest.raises(UnknownSongError, match="'zz'"):
        allowed(Filters(exclude=["zz"]))
    with pytest.raises(UnknownSongError, match="0"):
        allowed(Filters(only=[0]))
    with pytest.raises(ArgumentError, match="unknown artist 'Bjork'; the nearest are 'björk'"):
        allowed(Filters(not_by=["Bjork"]))
    with pytest.raises(ArgumentError, match="names no artists"):
        allowed(Filters(not_by=["Bjork"]), Catalogue(["a"]))
    assert allowed(Filters(exclude=["zz"], only=["yy", "a", "c"], not_by=["Bjork", "abba"], unknown="skip")) == [2]


def test_max_per_artist_lets_songs_without_artist_pass():
    vectors = SongVectors(np.ones((6, 2)), Catalogue(list("abcdef"), artists=["X", "X", "X", None, None, "Y"]))
    index = ExactIndex().fit(vectors)
    assert index.search([1, 1], 10, Filters(max_per_artist=1)).rows.tolist() == [0, 3, 4, 5]
    assert index.search([1, 1], 10, Filters(max_per_artist=2)).rows.tolist() == [0, 1, 3, 4, 5]
    assert index.search([1, 1], 2, Filters(max_per_artist=1, exclude=["a"])).rows.tolist() == [1, 3]
    nameless = ExactIndex().fit(SongVectors(np.ones((3, 2)), list("abc")))
    with pytest.raises(ArgumentError, match="max_per_artist=1: the catalogue names no artists"):
        nameless.search([1, 1], 10, Filters(max_per_artist=1))


def test_times_before_counts_from_the_left():
    assert _times_before(np.array([7, 3, 7, 7, 3])).tolist() == [0, 0, 1, 2, 1]
    assert _times_before(np.array([], np.int64)).tolist() == []
