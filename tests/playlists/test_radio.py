"""The radio: endless, never the same song within its window, and moved by likes and skips."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.playlists import radio
from song2vec.search.listeners import listener
from tests.playlists.small_music import markov, music


def songs(station, count=30):
    return [pick.song for pick in islice(station, count)]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 40),
    st.integers(1, 50),
    st.integers(0, 2),
    st.lists(st.sampled_from("nls"), max_size=60),
    st.integers(0, 5),
    st.booleans(),
)
def test_no_song_within_the_window_and_no_artist_within_the_gap(count, window, gap, moves, seed, by_model):
    vectors = music(count, artists=8, size=3, seed=seed)
    artists = [artist or row for row, artist in enumerate(vectors.catalogue.artists)]
    scorer = markov(vectors, count=20) if by_model else vectors
    if window >= count:
        with pytest.raises(ArgumentError, match=f"there are {count} songs to play"):
            radio(scorer, "s0", window=window)
        return
    station = radio(scorer, "s0", vectors=vectors, window=window, artist_gap=gap, seed=seed)
    rows = [0]
    try:
        rows.append(vectors.catalogue.row(station.next().song))
        for move in moves:
            {"n": lambda: None, "l": station.like, "s": station.skip}[move]()
            rows.append(vectors.catalogue.row(station.next().song))
    except NothingLeftError:
        assert gap
    for place, row in enumerate(rows):
        assert row not in rows[max(0, place - window) : place]
        assert artists[row] not in [artists[other] for other in rows[max(0, place - gap) : place]]


def test_it_says_which_rules_leave_nothing():
    vectors = music(10, artists=2)
    named = [song for song, artist in zip(vectors.catalogue.ids, vectors.catalogue.artists, strict=True) if artist is None]
    station = radio(vectors, next(song for song in vectors.catalogue.ids if song not in named), exclude=named, artist_gap=1)
    with pytest.raises(NothingLeftError, match=r"none of the 10 songs may come next; kept back are .* by artist_gap=1"):
        station.next()


def test_it_never_ends_and_its_state_stays_small():
    station = radio(music(60), "s0", window=20)
    for place, pick in enumerate(islice(station, 500)):
        assert pick.song
        (station.skip if place % 3 else station.like)()
    assert len(station._history) == 20
    assert len(station._context) <= 20
    assert len(station._artists) <= 60


def test_the_same_seed_and_the_same_reactions_give_the_same_songs():
    vectors = music()

    def played(seed, skips):
        station, found = radio(vectors, "s0", seed=seed), []
        for place in range(20):
            found.append(station.next())
            if place in skips:
                station.skip()
        return found

    assert played(1, {3, 5}) == played(1, {3, 5})
    assert played(1, {3, 5}) != played(2, {3, 5})
    assert played(1, {3, 5})[:4] == played(1, ())[:4]
    assert played(1, {3, 5}) != played(1, ())


def mean_cosine(react, seeds=20):
    """How near the five songs after the first are to it, after this reaction to it."""
    vectors, found = music(2000, artists=500), []
    for seed in range(seeds):
        station = radio(vectors, f"s{seed}", temperature=1, seed=seed)
        first = station.next().song
        react(station)
        found += [vectors.similarity(first, song) for song in songs(station, 5)]
    return np.mean(found)


def test_a_like_moves_closer_and_a_skip_away():
    skip, nothing, like = (mean_cosine(react) for react in (lambda s: s.skip(), lambda s: None, lambda s: s.like()))
    assert skip + 0.1 < nothing < like - 0.02


def test_an_artist_that_is_skipped_or_liked_comes_later_or_sooner_even_without_vectors():
    vectors = music(200, artists=6)

    def times(react):
        count = 0
        for seed in range(30):
            station = radio(markov(vectors), "s0", seed=seed, temperature=2)
            first = vectors.catalogue.artists[vectors.catalogue.row(station.next().song)]
            react(station)
            count += sum(vectors.catalogue.artists[vectors.catalogue.row(song)] == first for song in songs(station, 6))
        return count

    skip, nothing, like = (times(react) for react in (lambda s: s.skip(), lambda s: None, lambda s: s.like()))
    assert skip < 0.7 * nothing
    assert like > 1.5 * nothing


def test_a_skip_is_forgotten():
    station = radio(music(), "s0")
    station.next()
    station.skip()
    assert np.abs(station._mood).sum() > 0
    songs(station, 150)
    assert station._artists == {}
    assert np.abs(station._mood).max() < 1e-6


def test_each_song_says_why():
    vectors = music(100)
    station = radio(vectors, ["s3", "s4"])
    pick = station.next()
    cosines = {song: vectors.similarity(pick.song, song) for song in ("s3", "s4")}
    assert pick.because == max(cosines, key=lambda song: cosines[song])
    assert pick.because_cosine == pytest.approx(max(cosines.values()), abs=1e-6)
    assert pick.label == vectors.catalogue.label(vectors.catalogue.row(pick.song))
    assert repr(station) == f"Radio(100 songs, playing {pick.label!r})"
    assert (radio(markov(vectors), "s3").next().because, repr(radio(vectors, "s3"))) == (None, "Radio(100 songs, playing nothing yet)")


def test_a_listener_is_seed_enough():
    vectors = music(300)
    assert radio(vectors, listener=listener(vectors, ["s7"]), top_k=1).next().song == "s7"


def test_without_a_window_small_catalogues_play_on():
    assert len(set(songs(radio(music(10), "s0"), 50))) == 10
    assert len(set(songs(radio(music(2), "s0"), 50))) == 2


def test_bad_values():
    with pytest.raises(ArgumentError, match="nothing is playing yet"):
        radio(music(10), "s0").like()
    with pytest.raises(ArgumentError, match="strength=-1"):
        radio(music(10), "s0", strength=-1)
    with pytest.raises(ArgumentError, match="window=0"):
        radio(music(10), "s0", window=0)
    with pytest.raises(ArgumentError, match="seed_songs: is empty"):
        radio(music(10))
