"""Names as people type them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec import Catalogue
from song2vec.catalogue.names import Names
from song2vec.core.errors import AmbiguousSongError, UnknownSongError

SONGS = {
    "f1": ("Fleet Foxes", "Mykonos", 50),
    "f2": ("Fleet Foxes", "Blue Ridge Mountains", 30),
    "b1": ("Beyoncé", "Déjà Vu", 20),
    "w1": ("The Who", "Baba O'Riley", 40),
    "s1": ("Sigur Rós", "Svefn-g-englar", 10),
    "g1": ("Guns N' Roses", "Knockin’ on Heaven's Door", 25),
    "d1": ("Bob Dylan", "Knockin' on Heaven's Door", 60),
    "p1": ("Prince", "1999", 35),
    "a1": ("Aerosmith", "Dream On", 70),
    "c1": ("The Cranberries", "Dream On Dream Girl", 5),
    "z1": ("坂本九", "上を向いて歩こう", 15),
    "m1": ("Motörhead", "Ace of Spades", 45),
    "n1": (None, "Untitled Field Recording", 1),
    "n2": ("Anonymous", None, 2),
}


def catalogue(songs=SONGS, ids=None):
    artists, titles, plays = zip(*songs.values(), strict=True)
    return Catalogue(list(songs) if ids is None else ids, plays, artists, titles)


NAMES = Names(catalogue())


# Found


@pytest.mark.parametrize("song", SONGS)
def test_an_id_is_taken_as_it_is(song):
    assert NAMES.find(song) == song


@pytest.mark.parametrize("song", [song for song, (artist, title, _) in SONGS.items() if artist and title])
@pytest.mark.parametrize("form", ["{0} - {1}", "{1} by... {0}", "{1} {0}", "{0}: {1}!"])
def test_artist_and_title_in_either_order_are_found(song, form):
    artist, title, _ = SONGS[song]
    typed = form.format(artist, title).replace(" by...", "")
    assert NAMES.find(typed) == NAMES.find(typed.upper()) == NAMES.find(typed.lower()) == song


@pytest.mark.parametrize(
    ("typed", "song"),
    [
        ("BEYONCE deja vu", "b1"),
        ("beyoncé", "b1"),
        ("Be\u0301yonce\u0301", "b1"),
        ("sigur ros", "s1"),
        ("motorhead", "m1"),
        ("MOTÖRHEAD ACE", "m1"),
        ("baba oriley", "w1"),
        ("baba o’riley", "w1"),
        ("  mykonos  ", "f1"),
        ("foxes mykonos fleet", "f1"),
        ("guns n roses knockin on heavens door", "g1"),
        ("ＭＹＫＯＮＯＳ", "f1"),
        ("上を向いて歩こう", "z1"),
        ("untitled field recording", "n1"),
        ("anonymous", "n2"),
    ],
)
def test_case_accents_apostrophes_and_spaces_do_not_matter(typed, song):
    assert NAMES.find(typed) == song


@pytest.mark.parametrize(("typed", "song"), [("fle myk", "f1"), ("blue mount", "f2"), ("svef", "s1"), ("princ 19", "p1"), ("上を", "z1")])
def test_the_beginnings_of_words_will_do(typed, song):
    assert NAMES.find(typed) == song


@pytest.mark.parametrize("typed", ["onos", "ridge ountains"])
def test_the_ends_of_words_will_not(typed):
    with pytest.raises(UnknownSongError):
        NAMES.find(typed)


@pytest.mark.parametrize(
    ("typed", "song"),
    [
        ("Fleet Foxes Mykonoss", "f1"),
        ("Aerosmth - Dream On", "a1"),
        ("dream on areosmith", "a1"),
        ("Bob Dylon knockin on heavens door", "d1"),
    ],
)
def test_a_name_misspelt_a_little_is_found(typed, song):
    assert NAMES.find(typed) == song


# Ambiguous


def refused(typed, names=NAMES):
    with pytest.raises(AmbiguousSongError) as raised:
        names.find(typed)
    return raised.value


def test_a_name_that_fits_several_songs_lists_them_best_known_first():
    error = refused("the")
    assert error.candidates == ["w1", "c1"]
    assert str(error) == "'the' fits 2 songs: \"The Who - Baba O'Riley\", 'The Cranberries - Dream On Dream Girl'"


def test_candidates_are_ids_that_can_be_asked_for():
    assert [NAMES.find(song) for song in refused("fleet foxes").candidates] == ["f1", "f2"]


def test_a_whole_title_wins_over_longer_ones():
    assert NAMES.find("dream on") == "a1"
    assert refused("dream").candidates == ["a1", "c1"]


def test_a_whole_title_of_several_artists_lists_just_these():
    songs = SONGS | {"x1": ("Somebody", "Dream On", 1)}
    assert refused("dream on", Names(catalogue(songs))).candidates == ["a1", "x1"]


def test_artist_and_title_win_over_a_title_that_holds_both():
    songs = {"long": ("Anyone", "Fleet Foxes Mykonos Live", 99), "short": ("Fleet Foxes", "Mykonos", 1)}
    assert Names(catalogue(songs)).find("fleet foxes mykonos") == "short"


def test_five_candidates_are_shown_and_the_rest_counted():
    songs = {f"s{number}": ("Somebody", f"Song {number}", number) for number in range(8)}
    error = refused("somebody song", Names(catalogue(songs)))
    assert error.candidates == [f"s{number}" for number in reversed(range(8))]
    assert str(error).count("Somebody - Song") == 5
    assert str(error).endswith("and 3 more")


def test_songs_of_one_name_are_told_apart_by_id():
    error = refused("low monkey", Names(catalogue({"one": ("Low", "Monkey", 2), "two": ("Low", "Monkey", 1)})))
    assert "'Low - Monkey' (one), 'Low - Monkey' (two)" in str(error)


# Unknown


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownSongError, match=r"no song is called 'fleet foxes mikanose'; did you mean 'Fleet Foxes - Mykonos'"):
        NAMES.find("fleet foxes mikanose")


def test_a_name_like_no_other_suggests_nothing():
    with pytest.raises(UnknownSongError, match=r"^no song is called 'qqqqqqqqqq'$"):
        NAMES.find("qqqqqqqqqq")


@pytest.mark.parametrize("typed", ["", "   ", "?!", "'"])
def test_nothing_is_no_name(typed):
    with pytest.raises(UnknownSongError, match=re.escape(repr(typed))):
        NAMES.find(typed)


def test_of_two_equally_misspelt_names_none_is_chosen():
    names = Names(catalogue({"a": ("Somebody", "Mountains Aac", 1), "b": ("Somebody", "Mountains Abc", 1)}))
    with pytest.raises(UnknownSongError, match=r"did you mean 'Somebody - Mountains Aac', 'Somebody - Mountains Abc'"):
        names.find("Somebody Mountains Axc")


@pytest.mark.parametrize("wrong", [7, None, 3.5, True, ["f1"], b"f1"])
def test_what_is_no_text_is_refused_by_its_type(wrong):
    with pytest.raises(UnknownSongError, match=f"ids of this catalogue are strings, this is a {type(wrong).__name__}"):
        NAMES.find(wrong)


# Integer ids

NUMBERED = Names(catalogue(ids=[7, -12, *range(100, 100 + len(SONGS) - 2)]))


@pytest.mark.parametrize(("typed", "song"), [(7, 7), ("7", 7), (" 7 ", 7), ("-12", -12), ("mykonos", 7), ("1999", 105)])
def test_integer_ids_may_be_typed_as_text(typed, song):
    found = NUMBERED.find(typed)
    assert (found, type(found)) == (song, int)


def test_a_number_that_is_no_id_is_looked_for_among_the_names():
    assert NUMBERED.find("1999 prince") == NUMBERED.find("1999") == 105
    with pytest.raises(UnknownSongError, match="'424242'"):
        NUMBERED.find("424242")
    with pytest.raises(UnknownSongError, match="424242"):
        NUMBERED.find(424242)


@pytest.mark.parametrize("typed", ["²", "٣", "-", "--7", "7.0", "7" * 5000])
def test_odd_digits_are_no_integer_ids(typed):
    with pytest.raises(UnknownSongError):
        Names(Catalogue([7, 8], artists=["x", "y"], titles=["q", "r"])).find(typed)


# Catalogues that know less


def test_without_names_ids_are_the_names():
    names = Names(Catalogue(["Fleet Foxes - Mykonos", "Low - Monkey"]))
    assert names.find("mykonos") == "Fleet Foxes - Mykonos"
    assert names.find("MONKEY low") == "Low - Monkey"


def test_without_titles_artist_and_id_are_the_name():
    assert Names(Catalogue(["x1", "x2"], artists=["Low", "Low"])).find("low x2") == "x2"


def test_without_artists_the_title_is_the_name():
    assert Names(Catalogue(["x1", "x2"], titles=["Monkey", "Mykonos"])).find("mykonos") == "x2"


# Against a plain search

WORDS = st.sampled_from(["low", "fleet", "fox", "foxes", "the", "on", "dream", "dreams", "Élan", "élan's"])
SOME = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


def fold(text):
    return text.lower().replace("é", "e").replace("'", "")


@settings(deadline=None)
@given(st.lists(st.tuples(SOME, SOME, st.integers(0, 3)), min_size=1, max_size=8), SOME)
def test_finds_what_a_plain_search_finds(songs, typed):
    names = Names(catalogue({f"#{number}": song for number, song in enumerate(songs)}))
    labels = [fold(f"{artist} {title}") for artist, title, _ in songs]
    fits = [
        number for number, label in enumerate(labels) if all(any(w.startswith(part) for w in label.split()) for part in fold(typed).split())
    ]
    for whole in (labels, [fold(title) for _, title, _ in songs]):
        if len(fits) > 1 and any(whole[number] == fold(typed) for number in fits):
            fits = [number for number in fits if whole[number] == fold(typed)]
    fits.sort(key=lambda number: (-songs[number][2], number))
    if len(fits) == 1:
        assert names.find(typed) == f"#{fits[0]}"
    elif fits:
        assert refused(typed, names).candidates == [f"#{number}" for number in fits]
