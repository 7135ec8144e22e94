"""The catalogue: ids to rows and back, names, and a fingerprint of it all."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, UnknownSongError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
IDS = st.lists(TEXT, unique=True, max_size=8) | st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=8)


def example():
    return Catalogue(["x", "y", "z"], [5, 3, 2], ["Low", None, "Can"], ["Monkey", "Words", None])


# Ids and rows


@given(IDS)
def test_ids_and_rows_are_each_others_inverse(ids):
    catalogue = Catalogue(ids)
    assert len(catalogue) == len(ids)
    assert [catalogue.row(song) for song in ids] == list(range(len(ids)))
    assert catalogue.rows(ids).tolist() == list(range(len(ids)))
    assert catalogue.rows(ids).dtype == np.int64
    assert catalogue.songs(range(len(ids))) == ids
    assert all(song in catalogue for song in ids)
    assert catalogue.plays.tolist() == [0] * len(ids)


@pytest.mark.parametrize("ids", [["x", "y"], ("x", "y"), np.array(["x", "y"]), pl.Series("other", ["x", "y"])])
def test_strings_may_come_in_any_sequence(ids):
    catalogue = Catalogue(ids)
    assert catalogue.songs([1, 0]) == ["y", "x"]
    assert not catalogue.holds_integers
    assert catalogue.ids.name == "song"


@pytest.mark.parametrize("ids", [[7, -1], np.array([7, -1], np.int16), pl.Series([7, -1], dtype=pl.Int8), [np.int64(7), -1]])
def test_integers_of_any_width_become_64_bits(ids):
    catalogue = Catalogue(ids)
    assert catalogue.songs([1, 0]) == [-1, 7]
    assert catalogue.holds_integers
    assert catalogue.ids.dtype == pl.Int64
    assert catalogue.row(np.int32(7)) == catalogue.row(7) == 0


@pytest.mark.parametrize("song", [0, 2, -1, "7", True, False, 7.0, None, ["x"], b"x"])
def test_an_integer_is_an_id_never_a_row_and_kinds_never_mix(song):
    catalogue = Catalogue([7, -5, 1])
    assert song not in catalogue
    with pytest.raises(UnknownSongError) as raised:
        catalogue.row(song)
    assert repr(song) in str(raised.value)


def test_an_id_of_the_wrong_kind_is_told_so():
    with pytest.raises(UnknownSongError) as raised:
        Catalogue([7]).row("7")
    assert str(raised.value) == "unknown song '7': the ids of this catalogue are integers, this is a str"
    with pytest.raises(UnknownSongError, match="are strings, this is a int"):
        example().row(0)
    with pytest.raises(KeyError):  # for those who expect a mapping
        example().row("w")


@pytest.mark.parametrize(("ids", "told"), [([1, 2], ": the ids of this catalogue are integers, this is a str"), (["x", "y"], "")])
def test_a_name_in_place_of_an_id_is_told_from_one(ids, told):
    named = Catalogue(ids, titles=["Mykonos", "Battery"])
    with pytest.raises(UnknownSongError) as raised:
        named.row("Mykonos")
    assert str(raised.value) == f"unknown song 'Mykonos'{told}; an id is needed here, Engine.find finds it by the name"


def test_unknown_songs_raise_or_are_left_out():
    assert example().rows(["z", "w", 3, "x"], unknown="skip").tolist() == [2, 0]
    assert example().rows([], unknown="skip").dtype == np.int64
    with pytest.raises(UnknownSongError, match="'w'"):
        example().rows(["z", "w"])
    with pytest.raises(ArgumentError, match="unknown='ignore': 'raise', 'skip' are"):
        example().rows(["x"], unknown="ignore")


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["x", "x"], "unique"),
        ([3, 3], "unique"),
        (["x", None], "not null"),
        ([1, "x"], "all strings or all 64-bit integers"),
        (["x", 1], "all strings or all 64-bit integers"),
        ([1.5, 2.5], "Float64"),
        ([True, False], "Boolean"),
        ([2**63], "64-bit"),
        ([-(2**70)], "64-bit"),
        (["\ud800"], "surrogates"),
        ([["x"]], "List"),
    ],
)
def test_ids_that_are_no_ids_are_refused(ids, message):
    with pytest.raises(ArgumentError, match=message):
        Catalogue(ids)


@pytest.mark.parametrize(("argument", "wrong"), [("plays", [1, 2]), ("artists", ["a"]), ("titles", [None] * 4)])
def test_columns_of_another_length_are_named(argument, wrong):
    with pytest.raises(ArgumentError) as raised:
        Catalogue(["x", "y", "z"], **{argument: wrong})
    assert str(raised.value) == f"{argument} has {len(wrong)} entries for 3 songs; one a song is allowed"


def test_names_that_are_no_strings_are_refused():
    with pytest.raises(ArgumentError, match="artists: strings or None"):
        Catalogue(["x"], artists=[3])
    with pytest.raises(ArgumentError, match="titles: strings or None"):
        Catalogue(["x"], titles=["\udfff"])


# Names


def test_a_label_is_made_of_what_is_known():
    assert [example().label(row) for row in range(3)] == ["Low - Monkey", "Words", "Can"]
    assert Catalogue(["x", "y"], titles=["", "T"]).label(0) == "x"
    assert Catalogue([5]).label(0) == "5"


def test_the_table_has_the_columns_that_are_known():
    assert example().table().rows() == [("x", "Low", "Monkey", 5), ("y", None, "Words", 3), ("z", "Can", None, 2)]
    assert example().table([2, 0]).columns == ["song", "artist", "title", "plays"]
    assert example().table([2, 0])["song"].to_list() == ["z", "x"]
    assert Catalogue([5]).table().columns == ["song", "plays"]
    assert Catalogue([5], titles=["T"]).table().columns == ["song", "title", "plays"]


def test_a_subset_keeps_names_and_plays_in_the_order_asked():
    part = example().subset(np.array([2, 0]))
    assert part.table().rows() == [("z", "Can", None, 2), ("x", "Low", "Monkey", 5)]
    assert part.row("x") == 1
    assert Catalogue([3, 4]).subset(np.array([1])).table().columns == ["song", "plays"]


def test_songs_of_one_artist_share_a_code():
    codes = Catalogue([*"abcdef"], artists=["Low", None, "Can", "Low", "", "low"]).artist_codes
    assert codes.dtype == np.int64
    assert codes[0] == codes[3]
    assert len(set(codes.tolist())) == 5
    assert len(set(Catalogue(["x", "y"], artists=[None, None]).artist_codes.tolist())) == 2
    assert Catalogue(["x"]).artist_codes is None


def test_shows_its_size():
    assert repr(example()) == "Catalogue(3 songs, 10 plays)"


# The fingerprint


@given(IDS, IDS)
def test_the_same_ids_in_the_same_order_are_the_same_catalogue(one, other):
    same = one == other
    assert (Catalogue(one) == Catalogue(other)) == same
    assert (Catalogue(one).fingerprint == Catalogue(other).fingerprint) == same
    assert len({Catalogue(one), Catalogue(other)}) == 2 - same


def test_the_fingerprint_tells_apart_what_looks_alike():
    ids = [["1", "2"], [1, 2], ["2", "1"], ["12"], ["1", "", "2"], ["", "12"], ["12", ""], []]
    assert len({Catalogue(each).fingerprint for each in ids}) == len(ids)
    assert example() == Catalogue(["x", "y", "z"], [1, 1, 1])  # rows are what it is about
    assert example() != ["x", "y", "z"]


def test_the_fingerprint_stays_the_same_in_every_process_and_release():
    assert Catalogue(["a", "Björk"]).fingerprint == "315e1e3ecbc83d06"
    assert Catalogue([3, -7]).fingerprint == "b6f52a986edbc61a"


# Saving


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=IDS, data=st.data())
def test_saves_and_loads(tmp_path, ids, data):
    names = st.none() | st.lists(st.none() | TEXT, min_size=len(ids), max_size=len(ids))
    plays = data.draw(st.lists(st.integers(0, 2**40), min_size=len(ids), max_size=len(ids)))
    catalogue = Catalogue(ids, plays, data.draw(names), data.draw(names))
    catalogue.save(tmp_path / "saved")
    for memory_map in (True, False):
        loaded = Catalogue.load(tmp_path / "saved", memory_map=memory_map)
        assert loaded == catalogue
        assert loaded.holds_integers == catalogue.holds_integers
        assert loaded.table().equals(catalogue.table())
        assert loaded.table().schema == catalogue.table().schema
        assert [loaded.label(row) for row in range(len(ids))] == [catalogue.label(row) for row in range(len(ids))]


def test_new_songs_stand_behind_and_lack_names_that_only_the_old_have():
    both = Catalogue(["a", "b"], [3, 1], ["x", None]).plus(Catalogue(["c"], [7], titles=["t"]))
    assert both.ids.to_list() == ["a", "b", "c"]
    assert both.plays.tolist() == [3, 1, 7]
    assert both.artists.to_list() == ["x", None, None]
    assert both.titles.to_list() == [None, None, "t"]
    assert Catalogue(["a"]).plus(Catalogue([])).artists is None
    with pytest.raises(ArgumentError, match="unique"):
        Catalogue(["a"]).plus(Catalogue(["a"]))


def test_one_id_is_not_taken_for_a_list_of_letters():
    with pytest.raises(ArgumentError, match="songs='ab': a list"):
        Catalogue(["a", "b"], [2, 1]).rows("ab")
