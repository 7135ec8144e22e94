"""The rules are never broken, whatever the catalogue, the rules, the scorer and the method; asked of plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError, NothingLeftError, UnknownSongError
from song2vec.playlists import playlist
from song2vec.playlists.rules import Constraints, PlaylistRules
from tests.playlists.small_music import markov, music


def obeyed(rules):
    """Rules as the package has them, and the songs excluded."""
    rules = dict(rules)
    exclude = rules.pop("exclude")
    return PlaylistRules(**rules), exclude


def obeys(bound, artists, song, heard, playlist_so_far):
    """Whether a song may come after what was heard, the playlist being the end of it."""
    rules, exclude = bound
    if song in exclude:
        return False
    if song in (heard if rules.repeat_gap is None else heard[-rules.repeat_gap :]):
        return False
    artist = artists[song]
    if artist is not None:
        if rules.artist_gap and artist in [artists[other] for other in heard[-rules.artist_gap :]]:
            return False
        if rules.max_per_artist is not None and sum(artists[other] == artist for other in playlist_so_far) >= rules.max_per_artist:
            return False
    else:  # a song without an artist is an artist of its own
        if rules.artist_gap and song in heard[-rules.artist_gap :]:
            return False
        if rules.max_per_artist is not None and playlist_so_far.count(song) >= rules.max_per_artist:
            return False
    return True


@st.composite
def cases(draw):
    songs = draw(st.integers(1, 30))
    vectors = music(songs, artists=draw(st.integers(1, 10)), size=3, seed=draw(st.integers(0, 50)))
    some = st.lists(st.sampled_from(vectors.catalogue.songs(range(songs))), max_size=4)
    rules = {
        "exclude": draw(some),
        "artist_gap": draw(st.integers(0, 4)),
        "max_per_artist": draw(st.none() | st.integers(1, 3)),
        "repeat_gap": draw(st.none() | st.integers(1, 6)),
    }
    seed_songs, history = draw(some.filter(bool)), draw(some)
    options = {
        "method": draw(st.sampled_from(["greedy", "sample", "beam"])),
        "seed": draw(st.integers(0, 9)),
        "diversity": draw(st.sampled_from([0.0, 2.0])),
        "popularity": draw(st.sampled_from([-1.0, 0.0, 1.0])),
        "beam_width": draw(st.integers(1, 5)),
    }
    return vectors, draw(st.booleans()), rules, seed_songs, history, draw(st.integers(1, 20)), options


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_no_rule_is_broken_and_the_length_is_exact_or_an_error_says_so(case):
    vectors, by_model, rules, seed_songs, history, length, options = case
    scorer = markov(vectors, count=20) if by_model else vectors
    artists = dict(zip(vectors.catalogue.ids, vectors.catalogue.artists, strict=True))

    def make(**more):
        return playlist(scorer, seed_songs, length, vectors=vectors, history=history, **rules, **options, **more)

    found = make(shorter=True)
    before, bound = [*history, *seed_songs], obeyed(rules)
    for place, song in enumerate(found.songs):
        heard = before + found.songs[:place]
        assert obeys(bound, artists, song, heard, heard[len(history) :])
    assert make(shorter=True).table.equals(found.table)
    if len(found) == length:
        assert make().table.equals(found.table)
    else:
        heard = before + found.songs
        assert not any(obeys(bound, artists, song, heard, heard[len(history) :]) for song in artists)
        with pytest.raises(NothingLeftError, match=f"length={length}: only {len(found)} found"):
            make()


@settings(max_examples=200, deadline=None)
@given(cases())
def test_what_is_allowed_one_at_a_time_and_of_many_together(case):
    vectors, _, rules, seed_songs, history, _, _ = case
    bound, songs = obeyed(rules), vectors.catalogue.songs(range(len(vectors)))
    constraints, artists = Constraints(vectors.catalogue, *bound), dict(zip(songs, vectors.catalogue.artists, strict=True))
    heard = [*history, *seed_songs]
    rows = vectors.catalogue.rows(heard)
    for begun in (0, len(history)):
        assert constraints.allowed(rows.tolist(), begun).tolist() == [obeys(bound, artists, song, heard, heard[begun:]) for song in songs]
    several = np.stack([rows, rows[::-1]])
    assert constraints.allowed_after(several, np.arange(len(songs))).tolist() == [
        constraints.allowed(one, 0).tolist() for one in several.tolist()
    ]


def test_the_error_names_the_rules_and_what_they_keep_back():
    vectors = music(30, artists=3)
    with pytest.raises(NothingLeftError) as raised:
        playlist(vectors, "s0", 29, max_per_artist=2, exclude=["s4", "s5"])
    artists = vectors.catalogue.artists.to_list()
    nameless = artists.count(None) - sum(artists[row] is None for row in (0, 4, 5))
    picked = len(playlist(vectors, "s0", 29, max_per_artist=2, exclude=["s4", "s5"], shorter=True))
    assert picked == nameless + 2 + 2 - (artists[0] is not None)
    assert f"only {picked} found" in str(raised.value)
    assert "2 by exclude" in str(raised.value)
    assert f"{picked + 1} by having been played" in str(raised.value)
    assert "by max_per_artist=2" in str(raised.value)
    assert "artist_gap" not in str(raised.value)


def test_gaps_look_back_into_the_history_but_the_cap_does_not():
    vectors = music(40, artists=4)
    artist = vectors.catalogue.artists.to_list()
    first = next(row for row in range(40) if artist[row])
    same = [f"s{row}" for row in range(40) if artist[row] == artist[first]]
    others = [f"s{row}" for row in range(40) if artist[row] != artist[first]]
    with pytest.raises(NothingLeftError):
        playlist(vectors, [], 1, history=same[:1], artist_gap=1, exclude=others)
    with pytest.raises(NothingLeftError):
        playlist(vectors, same[:1], 1, max_per_artist=1, exclude=others)
    assert len(playlist(vectors, [], 1, history=same[:1], max_per_artist=1, exclude=others)) == 1


@pytest.mark.parametrize("rules", [{"artist_gap": 5}, {"max_per_artist": 1}, {"artist_gap": 5, "max_per_artist": 1}])
def test_a_catalogue_without_artists_has_no_rules_about_them(rules):
    vectors = music(20)
    vectors.catalogue.artists = None
    given = ", ".join(f"{name}={value}" for name, value in rules.items())
    with pytest.raises(ArgumentError, match=f"^{given}: the catalogue names no artists"):
        playlist(vectors, "s0", 19, **rules)
    assert len(playlist(vectors, "s0", 19)) == 19


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"exclude": "s1"}, "exclude='s1'"),
        ({"artist_gap": -1}, "artist_gap=-1"),
        ({"artist_gap": 1.5}, "artist_gap=1.5"),
        ({"max_per_artist": 0}, "max_per_artist=0"),
        ({"repeat_gap": 0}, "repeat_gap=0"),
        ({"repeat_gap": True}, "repeat_gap=True"),
    ],
)
def test_bad_rules(rules, named):
    with pytest.raises(ArgumentError, match=named):
        playlist(music(10), "s0", 3, **rules)


def test_an_excluded_song_must_be_known():
    with pytest.raises(UnknownSongError, match="'nobody'"):
        playlist(music(10), "s0", 3, exclude=["nobody"])
