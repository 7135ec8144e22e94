"""The way between two songs: its ends, its length, how even it is, and the rules."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, NothingLeftError, UnknownSongError
from song2vec.playlists import bridge
from song2vec.playlists.bridge import great_circle
from song2vec.vectors.song_vectors import SongVectors
from tests.playlists.small_music import circle, music


def arc(songs=3000, size=16, noise=0.15, seed=0, plays=None):
    """Songs in a cloud around a quarter of a circle; the first and the last song are its ends."""
    random = np.random.default_rng(seed)
    angles = np.r_[0, random.random(songs - 2), 1] * np.pi / 2
    points = np.zeros((songs, size))
    points[:, 0], points[:, 1] = np.cos(angles), np.sin(angles)
    points[1:-1] += random.standard_normal((songs - 2, size)) * noise / np.sqrt(size)
    artists = [f"Artist {code}" for code in random.integers(0, 40, songs)]
    return SongVectors(points, Catalogue(list(range(songs)), np.ones(songs) if plays is None else plays, artists))


def steps(vectors, songs):
    """Angles between songs that follow each other."""
    unit = vectors.unit[vectors.catalogue.rows(songs)]
    return np.arccos(np.clip((unit[1:] * unit[:-1]).sum(axis=1), -1, 1))


@pytest.mark.parametrize("length", [2, 3, 10, 40])
def test_it_leads_from_one_song_to_the_other_in_so_many(length):
    made = bridge(arc(), 0, 2999, length)
    assert made.songs[0] == 0
    assert made.songs[-1] == 2999
    assert len(made) == len(set(made)) == length


def test_it_moves_away_from_one_and_towards_the_other_in_small_steps():
    vectors = arc()
    made = bridge(vectors, 0, 2999, 10).songs
    unit = vectors.unit[vectors.catalogue.rows(made)]
    assert (np.diff(unit @ vectors.unit[0]) < 0.02).all()
    assert (np.diff(unit @ vectors.unit[2999]) > -0.02).all()
    assert steps(vectors, made).max() < 0.25 * steps(vectors, [0, 2999])[0]


def test_on_a_circle_it_walks_along_it():
    vectors = circle(360)
    assert bridge(vectors, 10, 100, 10).songs == list(range(10, 101, 10))
    assert bridge(vectors, 350, 20, 4).songs == [350, 0, 10, 20]
    assert len(set(bridge(vectors, 0, 180, 13))) == 13  # opposite: either way round


def one_by_one(vectors, length):
    """A way that takes the nearest song to each aim, not looking ahead."""
    songs, unit = [0], vectors.unit
    for aim in great_circle(unit[0], unit[2999], length)[1:-1]:
        cosines = unit @ aim
        cosines[[*songs, 2999]] = -2
        songs.append(int(cosines.argmax()))
    return [*songs, 2999]


def test_it_is_smoother_than_walking_one_by_one_or_at_random():
    for seed in range(5):
        vectors = arc(noise=0.4, seed=seed)
        made = (steps(vectors, bridge(vectors, 0, 2999, 10).songs) ** 2).sum()
        random = np.random.default_rng(seed).choice(2998, 8, replace=False) + 1
        assert made < 0.95 * (steps(vectors, one_by_one(vectors, 10)) ** 2).sum()
        assert made < 0.2 * (steps(vectors, [0, *random, 2999]) ** 2).sum()


def test_it_finds_the_cheapest_of_all_ways():
    for seed in range(5):
        vectors = music(8, size=3, seed=seed)
        made = bridge(vectors, "s0", "s1", 5, popularity=0.3, artist_gap=1).songs
        heights = np.log1p(vectors.catalogue.plays)
        heights = dict(zip(vectors.catalogue.ids, heights / heights.std() * np.sqrt(0.3), strict=True))
        aims = great_circle(vectors["s0"] / np.linalg.norm(vectors["s0"]), vectors["s1"] / np.linalg.norm(vectors["s1"]), 5)

        def cost(way, vectors=vectors, heights=heights, aims=aims):
            off = np.arccos(np.clip((vectors.unit[vectors.catalogue.rows(way)] * aims).sum(axis=1), -1, 1))
            climbs = np.diff([heights[song] for song in way])
            return (steps(vectors, way) ** 2).sum() + (off[1:-1] ** 2).sum() + (climbs**2).sum()

        artists = dict(zip(vectors.catalogue.ids, vectors.catalogue.artists, strict=True))
        ways = [["s0", *middle, "s1"] for middle in permutations([f"s{row}" for row in range(2, 8)], 3)]
        fitting = [way for way in ways if all(artists[x] is None or artists[x] != artists[y] for x, y in pairwise(way))]
        assert cost(made) == pytest.approx(min(map(cost, fitting)), rel=1e-4)


def test_popularity_moves_evenly_too():
    plays = np.exp(np.random.default_rng(5).normal(6, 2, 3000)).astype(int)
    plays[0], plays[-1] = 10, 100_000
    vectors = arc(plays=plays)
    jumps = []
    for weight in (0, 0.05, 1):
        made = bridge(vectors, 0, 2999, 10, popularity=weight).songs
        jumps.append(np.abs(np.diff(np.log1p(vectors.catalogue.plays[made]))).max())
    assert jumps[2] < jumps[1] < jumps[0]
    assert jumps[2] < 2


def test_the_rules_hold_on_the_way():
    vectors = arc()
    plain = bridge(vectors, 0, 2999, 20).songs
    artists = vectors.catalogue.artists
    made = bridge(vectors, 0, 2999, 20, artist_gap=3, max_per_artist=1 + (artists[0] == artists[2999]), exclude=plain[1:-1])
    assert not set(made) & set(plain[1:-1])
    names = made.table["artist"].to_list()
    assert all(name not in names[max(0, place - 3) : place] for place, name in enumerate(names))
    assert max(names.count(name) for name in names) <= 1 + (artists[0] == artists[2999])


def test_it_says_why():
    vectors = arc()
    table = bridge(vectors, 0, 2999, 6).table
    assert table["because"].to_list() == [None, *table["song"][:-1]]
    cosines = np.cos(steps(vectors, table["song"].to_list()))
    np.testing.assert_allclose(table["because_cosine"][1:], cosines, atol=1e-5)
    assert table["score"][0] == pytest.approx(1)
    assert table["score"].min() > 0.9


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 30), st.integers(2, 12), st.integers(0, 3), st.none() | st.integers(1, 2), st.integers(0, 20))
def test_it_has_the_length_asked_for_or_says_that_there_is_none(songs, length, gap, cap, seed):
    vectors = music(songs, artists=6, size=3, seed=seed)
    artists = [artist or row for row, artist in enumerate(vectors.catalogue.artists)]
    try:
        rows = vectors.catalogue.rows(bridge(vectors, "s0", "s1", length, artist_gap=gap, max_per_artist=cap)).tolist()
    except NothingLeftError:
        assert gap or cap or length > songs
        return
    assert rows[0] == 0
    assert rows[-1] == 1
    assert len(rows) == len(set(rows)) == length
    names = [artists[row] for row in rows]
    assert all(name not in names[max(0, place - gap) : place] for place, name in enumerate(names))
    assert cap is None or max(map(names.count, names)) <= cap


def test_more_songs_than_there_are_is_refused_at_once():
    vectors = arc()
    with pytest.raises(NothingLeftError, match=r"length=3002: only 2,998 songs may lie between 0 and 2999; 3,000 are needed"):
        bridge(vectors, 0, 2999, 3002)
    with pytest.raises(NothingLeftError, match="only 1 songs may lie"):
        bridge(vectors, 0, 2999, 4, exclude=range(1, 2998))


def test_a_long_way_takes_all_songs_that_there_are():
    vectors = arc(songs=120)
    assert sorted(bridge(vectors, 0, 119, 120).songs) == list(range(120))


def test_the_error_names_the_rules_that_were_given():
    with pytest.raises(NothingLeftError, match=r"length=8: found no path of so many songs from 's0' to 's1' under max_per_artist=1;"):
        bridge(music(8, artists=2), "s0", "s1", 8, max_per_artist=1)


def test_the_last_song_is_kept_room_for():
    """Every song between but one is by the artist of the last: the only way under the rules starts elsewhere."""
    points = np.stack([np.cos(angles := np.linspace(0, 1, 302)), np.sin(angles)], axis=1)
    artists = ["First", *["Last"] * 299, "Other", "Last"]
    vectors = SongVectors(points, Catalogue(list(range(302)), np.ones(302), artists))
    for rules in ({"max_per_artist": 1}, {"artist_gap": 1}, {"artist_gap": 1, "max_per_artist": 2}):
        assert bridge(vectors, 0, 301, 3, **rules).songs == [0, 300, 301]


@pytest.mark.parametrize("rule", [{"artist_gap": 2}, {"max_per_artist": 1}])
def test_rules_about_artists_need_artists(rule):
    (name, value), *_ = rule.items()
    with pytest.raises(ArgumentError, match=f"{name}={value}: the catalogue names no artists"):
        bridge(circle(), 10, 100, 10, **rule)


def test_great_circles():
    a, b = np.eye(3, dtype=np.float32)[:2]
    np.testing.assert_allclose(great_circle(a, b, 3)[1], [np.sqrt(0.5), np.sqrt(0.5), 0], atol=1e-6)
    np.testing.assert_allclose(great_circle(a, a, 4), [a] * 4, atol=1e-6)
    opposite = great_circle(a, -a, 5)
    np.testing.assert_allclose(np.linalg.norm(opposite, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose((opposite[1:] * opposite[:-1]).sum(axis=1), np.cos(np.pi / 4), atol=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "options", "named"),
    [
        ("s1", "s1", {}, "is the same song as a"),
        ("s1", "s2", {"length": 1}, "length=1: a whole number from 2"),
        ("s1", "s2", {"length": "x"}, "length='x': a whole number from 2"),
        ("s1", "s2", {"popularity": -1}, "popularity=-1"),
        ("s1", "s2", {"exclude": ["s2"]}, "b='s2': is in exclude"),
        ("s0", "s2", {}, "a='s0': has a zero vector"),
    ],
)
def test_bad_values(a, b, options, named):
    plain = music(10)
    matrix = plain.matrix.copy()
    matrix[0] = 0
    with pytest.raises(ArgumentError, match=named):
        bridge(SongVectors(matrix, plain.catalogue), a, b, **options)
    with pytest.raises(UnknownSongError):
        bridge(plain, "s1", "nobody")
