"""The engine as songs come and go, and the playlists it makes."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec import Catalogue, Engine, SongVectors
from song2vec.core.errors import ArgumentError, UnknownSongError
from tests.small import FOLK, METAL, engine, names_of

MYKONOS = "Fleet Foxes - Mykonos"
TWIN = "Fleet Foxes - Mykonos (live)"


@pytest.fixture
def grown():
    made = engine(index="exact")
    twin = made.vectors[MYKONOS] + np.float32(1e-3)
    return made.add(SongVectors(twin[None], Catalogue([TWIN], [1], ["Fleet Foxes"], ["Mykonos (live)"])))


def test_a_new_song_is_found_by_id_name_and_nearness(grown):
    assert grown.similar(MYKONOS, 1)["song"].to_list() == [TWIN]
    assert grown.find("mykonos live") == TWIN
    assert grown.next([TWIN], 1)["song"].to_list() != []


def test_new_songs_are_saved(grown, tmp_path):
    loaded = Engine.load(grown.save(tmp_path / "e.s2v"))
    assert loaded.similar(MYKONOS, 1)["song"].to_list() == [TWIN]
    assert len(loaded.catalogue) == len(names_of(FOLK)) + len(names_of(METAL)) + 1


def test_a_removed_song_never_comes_back(grown, tmp_path):
    grown.remove("mykonos live")
    for made in (grown, Engine.load(grown.save(tmp_path / "e.s2v"))):
        assert TWIN not in made.similar(MYKONOS, 30)["song"].to_list()
        with pytest.raises(UnknownSongError):
            made.similar(TWIN)


def test_a_song_that_is_there_is_not_added_again(grown):
    with pytest.raises(ArgumentError):
        grown.add(SongVectors(np.ones((1, grown.vectors.size), np.float32), [MYKONOS]))


@pytest.mark.parametrize("next_song", [None, "markov"])
def test_a_playlist_keeps_the_genre_and_the_rules(next_song):
    made = engine(next_song=next_song).playlist("mushaboom", 6, max_per_artist=2, exclude=["jóga"])
    songs = made.table["song"].to_list()
    assert len(set(songs)) == 6
    assert set(songs) <= set(names_of(FOLK)) - {"Björk - Jóga"}
    assert made.table["artist"].value_counts()["count"].max() <= 2


def test_a_bridge_leads_from_one_genre_to_the_other():
    songs = engine().bridge("mushaboom", "battery", 6).table["song"].to_list()
    assert (songs[0], songs[-1], len(set(songs))) == ("Feist - Mushaboom", "Metallica - Battery", 6)


def test_radio_plays_on():
    radio = engine().radio("mushaboom", seed=1)
    heard = [radio.next().song for _ in range(8)]
    assert len(set(heard)) == 8


@pytest.mark.parametrize("next_song", [None, "markov"])
def test_a_removed_song_is_in_no_answer(next_song, tmp_path):
    made = engine(index="exact", next_song=next_song)
    gone = made.next("mushaboom", 1)["song"][0]
    made.remove(gone)
    for each in (made, Engine.load(made.save(tmp_path / "e.s2v"))):
        assert gone not in each.next("mushaboom", 30)["song"].to_list()
        assert gone not in each.playlist("mushaboom", 10).table["song"].to_list()
        assert gone not in each.bridge("mushaboom", "battery", 8).table["song"].to_list()
        radio = each.radio("mushaboom")
        assert gone not in [radio.next().song for _ in range(15)]


def test_a_song_added_without_names_is_found_by_its_id():
    made = engine(index="exact")
    made.add(SongVectors(made.vectors[MYKONOS][None] * 2, ["New - Song"]))
    assert made.find("new song") == "New - Song"
