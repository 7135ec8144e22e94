"""The engine as songs come and go, and the playlists it makes."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest

from song2vec import Catalogue, Engine, SongVectors, bridge, playlist, radio, song_map
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


FUNCTIONS = {"playlist": playlist, "radio": radio, "bridge": bridge, "map": song_map}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_methods_spell_out_the_options_of_the_functions(name):
    own, theirs = (list(signature(one).parameters.values()) for one in (getattr(Engine, name), FUNCTIONS[name]))
    assert own[0].name == "self"
    assert own[1:] == theirs[1:]
    assert FUNCTIONS[name].__doc__ in getattr(Engine, name).__doc__


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda made: made.playlist("mykonos", lenght=5), r"^lenght: not a setting of Engine\.playlist; .*; did you mean 'length'\?"),
        (lambda made: made.radio("mykonos", windw=5), r"^windw: not a setting of Engine\.radio; .*; did you mean 'window'\?"),
        (lambda made: made.bridge("mykonos", "one", artistgap=5), r"^artistgap: not a setting of Engine\.bridge; .* 'artist_gap'\?"),
        (lambda made: made.map(color_by="artist"), r"^color_by: not a setting of Engine\.map; .*; did you mean 'colour_by'\?"),
        (lambda made: made.similar("mykonos", exlude=["one"]), r"^exlude: not a setting of Engine\.similar; .*; did you mean 'exclude'\?"),
        (lambda made: made.recommend(["mykonos"], half_life=3), r"^half_life: not a setting of Engine\.recommend; .* 'half_life_days'\?"),
        (lambda made: made.next("mykonos", exclud=3), r"^exclud: not a setting of Engine\.next; .* did you mean 'exclude'\?"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest(ask, message):
    with pytest.raises(ArgumentError, match=message):
        ask(engine(epochs=1))


def test_songs_among_the_options_may_be_named():
    made = engine(index="exact")
    found = made.playlist(["mushaboom", "one"], 3, history=["mykonos"], exclude=["joga", "pink moon"])
    ids = [made.find(song) for song in ("mushaboom", "one", "mykonos", "joga", "pink moon")]
    assert found.songs == playlist(made.vectors, ids[:2], 3, history=ids[2:3], exclude=ids[3:]).songs
    assert made.map(songs=["mykonos", "joga"]).table["song"].to_list() == sorted([ids[2], ids[3]], key=made.catalogue.row)
    other = SongVectors(np.eye(len(made.catalogue)), made.catalogue)
    assert made.playlist("one", 3, vectors=other).table["because_cosine"].to_list()[0] == 0


def test_a_bridge_leads_from_one_genre_to_the_other():
    songs = engine().bridge("mushaboom", "battery", 6).table["song"].to_list()
    assert (songs[0], songs[-1], len(set(songs))) == ("Feist - Mushaboom", "Metallica - Battery", 6)


def test_radio_plays_on():
    station = engine().radio("mushaboom", seed=1)
    heard = [station.next().song for _ in range(8)]
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
        station = each.radio("mushaboom")
        assert gone not in [station.next().song for _ in range(15)]


def test_a_song_added_without_names_is_found_by_its_id():
    made = engine(index="exact")
    made.add(SongVectors(made.vectors[MYKONOS][None] * 2, ["New - Song"]))
    assert made.find("new song") == "New - Song"
