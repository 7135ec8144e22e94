"""The sessions themselves: made, read, chosen from, saved and loaded."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.listens import read_listens
from song2vec.sessions import CutReport, Sessions, cut_sessions
from song2vec.sessions.sessions import OF_PLAYS, OF_SESSIONS
from tests.damage import read_manifest, write_manifest

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
NOON = 1_700_000_000
LISTS = st.sampled_from([TEXT, st.integers(-5, 5)]).flatmap(lambda ids: st.lists(st.lists(ids, max_size=5), min_size=1, max_size=6))


def example():
    """The five lines of the module's docstring."""
    return Sessions(
        songs=np.array([4, 0, 2, 1, 0, 3, 4], np.int32),
        offsets=np.array([0, 3, 5, 7]),
        listener=np.array([0, 0, 1], np.int32),
        catalogue=Catalogue(["a", "b", "c", "d", "e"], [2, 1, 1, 1, 2], artists=["A", None, "C", "", "E"]),
        listeners=pl.Series("listener", ["x", "y"]),
        start=np.array([100, 200, 300]),
        dwell=np.array([1, 2, np.nan, 3, 4, 5.5, 6], np.float32),
        report=CutReport(9, 7, {"skips": 2}),
    )


def columns(sessions):
    names = ("songs", "offsets", "listener", "start", "dwell")
    return {name: None if getattr(sessions, name) is None else getattr(sessions, name).tolist() for name in names}


def damaged(**changes):
    return replace(example(), **changes)


# Reading


def test_a_session_is_a_list_of_song_ids():
    sessions = example()
    assert len(sessions) == 3
    assert sessions[0] == ["e", "a", "c"]
    assert sessions[np.int64(2)] == ["d", "e"]
    assert [*sessions] == [["e", "a", "c"], ["b", "a"], ["d", "e"]]
    assert sessions.plays == 7
    assert sessions.lengths.tolist() == [3, 2, 2]
    assert repr(sessions) == "Sessions(3 sessions, 7 plays, 5 songs, 2 listeners)"


@pytest.mark.parametrize("session", [3, -1, 100])
def test_a_session_that_is_not_there_is_an_index_error(session):
    with pytest.raises(IndexError, match=f"session {session}: 0 to 2"):
        example()[session]


# Made of lists


@settings(max_examples=200, deadline=None)
@given(LISTS)
def test_lists_come_back_as_they_went_in(lists):
    if not any(lists):
        with pytest.raises(ArgumentError, match="no song"):
            Sessions.from_lists(lists)
        return
    sessions = Sessions.from_lists(lists)
    assert [*sessions] == lists
    assert sessions.songs.dtype == sessions.listener.dtype == np.int32
    assert sessions.offsets.dtype == np.int64
    assert sessions.listener.tolist() == list(range(len(lists)))
    flat = [song for session in lists for song in session]
    assert sessions.catalogue.ids.to_list() == sorted(dict.fromkeys(flat), key=lambda song: -flat.count(song))
    assert sessions.catalogue.plays.tolist() == [flat.count(song) for song in sessions.catalogue.ids]


def test_a_generator_of_tuples_will_do():
    assert [*Sessions.from_lists(iter([("a", "b"), ("b",)]))] == [["a", "b"], ["b"]]


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([], "no song"),
        ([[], []], "no song"),
        (["abc"], "plain string"),
        ([["a"], "abc"], "plain string"),
        ([["a", 1]], "all strings or all"),
        ([[1.5]], "Float64"),
        ([["a", None]], "null"),
    ],
)
def test_lists_that_are_no_sessions_are_refused(lists, message):
    with pytest.raises(ArgumentError, match=message):
        Sessions.from_lists(lists)


# Choosing


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=6))
def test_sessions_are_chosen_by_number(numbers):
    whole, chosen = example(), example().keep(np.array(numbers, np.int64))
    assert [*chosen] == [whole[number] for number in numbers]
    assert chosen.start.tolist() == [whole.start[number] for number in numbers]
    assert chosen.listener.tolist() == [whole.listener[number] for number in numbers]
    spans = [whole.dwell[whole.offsets[number] : whole.offsets[number + 1]] for number in numbers]
    np.testing.assert_array_equal(chosen.dwell, np.concatenate([np.empty(0, np.float32), *spans]))
    assert chosen.catalogue == whole.catalogue
    assert chosen.listeners.equals(whole.listeners)
    assert chosen.offsets.dtype == np.int64
    assert chosen.songs.dtype == np.int32


def test_sessions_are_chosen_by_a_mask():
    np.testing.assert_equal(columns(example().keep(np.array([True, False, True]))), columns(example().keep(np.array([0, 2]))))
    assert len(example().keep(np.zeros(3, bool))) == 0
    assert [*example().keep([False, True, False])] == [["b", "a"]]


def test_sessions_without_times_can_be_chosen_from():
    chosen = Sessions.from_lists([["a"], ["b", "c"]]).keep(np.array([1]))
    assert [*chosen] == [["b", "c"]]
    assert chosen.start is None
    assert chosen.dwell is None


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ([3], "sessions: numbers from 3 to 3; 0 to 2"),
        ([-1, 0], "from -1 to 0"),
        ([True], r"mask of shape \(1,\) for 3 sessions"),
        ([0.5], "sessions holds float64"),
    ],
)
def test_sessions_that_are_not_there_are_not_chosen(which, message):
    with pytest.raises(ArgumentError, match=message):
        example().keep(np.array(which))


@pytest.mark.parametrize("plays", [[True], [1] * 8, [-1] * 7, [0.5] * 7, [[True] * 7]])
def test_plays_that_are_not_there_are_not_kept(plays):
    with pytest.raises(ArgumentError, match=r"plays: a mask, or numbers from 0, of shape \(7,\) is allowed"):
        example().keep(plays=plays)


def test_every_column_is_of_plays_or_of_sessions():
    """A column that is added later must say whose it is, or ``keep`` would leave it behind."""
    of_the_whole = {"offsets", "catalogue", "listeners", "report"}
    assert {*OF_PLAYS, *OF_SESSIONS} == {field.name for field in fields(Sessions)} - of_the_whole


def numbered(lengths):
    """Sessions in which every entry of every column says which session and play it is of."""
    plays, sessions = sum(lengths), np.arange(len(lengths))
    return Sessions(
        songs=np.arange(plays),
        offsets=np.cumsum([0, *lengths]),
        listener=sessions,
        catalogue=Catalogue(range(plays)),
        listeners=pl.Series("listener", sessions),
        start=sessions,
        dwell=np.arange(plays),
        context=pl.DataFrame({"number": sessions}),
    )


@settings(max_examples=100, deadline=None)
@given(lengths=st.lists(st.integers(0, 3), min_size=1, max_size=6), steps=st.integers(1, 4), random=st.randoms(use_true_random=False))
def test_whatever_is_kept_again_and_again_stays_together(lengths, steps, random):
    whole = kept = numbered(lengths)
    expected = [(number, list(range(*whole.offsets[number : number + 2]))) for number in range(len(lengths))]  # sessions and their plays
    for _ in range(steps):
        mask = np.array([random.random() < 0.7 for _ in expected], bool)
        numbers = np.array([random.randrange(len(expected)) for _ in range(random.randrange(6) if expected else 0)], np.int64)
        sessions = random.choice([None, mask, numbers])
        often = np.array([random.randrange(3) for _ in range(kept.plays)], np.int64)
        plays = random.choice([None, often > 0, often])
        kept = kept.keep(sessions, plays=plays)
        times = iter(np.ones(sum(len(of) for _, of in expected), int) if plays is None else plays)
        expected = [(number, [play for play in of for _ in range(int(next(times)))]) for number, of in expected]
        if sessions is not None:
            expected = [expected[number] for number in (np.flatnonzero(mask) if sessions is mask else numbers)]
    assert [*kept] == [plays for _, plays in expected]
    assert kept.dwell.tolist() == kept.songs.tolist()
    numbers = [session for session, _ in expected]
    assert (kept.listener.tolist(), kept.start.tolist(), kept.context["number"].to_list()) == (numbers, numbers, [*map(str, numbers)])
    assert kept.catalogue is whole.catalogue
    assert kept.listeners is whole.listeners


def test_plays_go_over_to_another_catalogue():
    moved = example().over(Catalogue(["e", "d", "c", "b", "a"]), np.array([4, 3, 2, 1, 0], np.int32))
    assert [*moved] == [*example()]
    assert moved.songs.tolist() == [0, 4, 2, 3, 4, 1, 0]


def test_sessions_are_made_of_rows():
    made = Sessions.from_rows(example().catalogue, [[4, 0], [], np.array([1])])
    assert [*made] == [["e", "a"], [], ["b"]]
    assert made.listeners.to_list() == [None]


# Checked when they are made


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"songs": np.array([4, 0, 2, 5, 0, 3, 4], np.int32)}, "songs: position 3 holds 5; rows 0 to 4 of the catalogue are allowed"),
        ({"songs": np.array([4, -1, 2, 1, 0, 3, 4], np.int32)}, "songs: position 1 holds -1; rows 0 to 4"),
        ({"songs": np.array([4, 0, 2, 1, 0, 3, 2**40])}, "songs: position 6 holds 1099511627776; rows 0 to 4"),
        ({"songs": np.array([4, 0, 2, 1, 0, 3, 6], ">i4")}, "songs: position 6 holds 6; rows 0 to 4"),
        ({"catalogue": Catalogue([])}, "songs: position 0 holds 4; the catalogue has none"),
        ({"songs": np.arange(7.0)}, r"songs holds float64 of shape \(7,\); int32 in one dimension"),
        ({"songs": None}, "songs holds object"),
        ({"songs": [[1]]}, r"songs holds int64 of shape \(1, 1\)"),
        ({"listener": [0, 0, 2]}, "listener: position 2 holds 2; rows 0 to 1 of listeners are allowed"),
        ({"listener": [0, 0]}, "listener has 2 entries for 3 sessions; one each is allowed"),
        ({"offsets": [0, 3, 2, 7]}, "offsets: position 2 holds 2 after 3; numbers that rise"),
        ({"offsets": [0, 9, 5, 7]}, "offsets: position 2 holds 5 after 9"),
        ({"offsets": [1, 3, 5, 7]}, "offsets: run from 1 to 7; numbers that rise from 0 to 7"),
        ({"offsets": [0, 3, 5, 8]}, "offsets: run from 0 to 8"),
        ({"offsets": []}, "offsets: are empty"),
        ({"start": [1, 2]}, "start has 2 entries for 3 sessions"),
        ({"start": np.array([1, 2, 3], "M8[s]")}, "start holds datetime64"),
        ({"dwell": [1.0]}, "dwell has 1 entries for 7 plays"),
        ({"context": pl.DataFrame({"country": ["SE"]})}, "context has 1 entries for 3 sessions"),
        ({"context": {"country": ["SE"] * 3}}, "context is a dict"),
        ({"catalogue": ["a"]}, "catalogue is a list"),
        ({"listeners": ["x", "y"]}, "listeners is a list"),
    ],
)
def test_columns_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ArgumentError, match=message):
        damaged(**changes)


def test_harmless_types_are_turned_into_the_right_ones():
    lists = {name: getattr(example(), name).tolist() for name in ("songs", "offsets", "listener", "start", "dwell")}
    made = damaged(**lists, context=pl.DataFrame({"day": [1, 2, None]}))
    assert [getattr(made, name).dtype for name in lists] == [np.int32, np.int64, np.int32, np.int64, np.float32]
    np.testing.assert_equal(columns(made), columns(example()))
    assert made.context["day"].to_list() == ["1", "2", None]
    assert damaged(songs=np.array([4, 0, 2, 1, 0, 3, 4], np.uint64)).songs.dtype == np.int32
    assert damaged(songs=[], offsets=[0, 0, 0, 0], dwell=[]).songs.dtype == np.int32


def test_columns_in_the_right_type_are_taken_as_they_are():
    songs = example().songs
    assert damaged(songs=songs).songs is songs


@pytest.mark.parametrize("memory_map", [True, False])
def test_a_saved_song_beyond_the_catalogue_is_refused_when_it_is_loaded(memory_map, tmp_path):
    whole = example()
    object.__setattr__(whole, "songs", np.array([4, 0, 2, 1, 7, 3, 4], np.int32))
    with pytest.raises(SavedFolderError, match=r"saved: cannot be understood .*songs: position 4 holds 7; rows 0 to 4"):
        Sessions.load(whole.save(tmp_path / "saved"), memory_map=memory_map)


# Saving


@pytest.mark.parametrize("memory_map", [True, False])
def test_saves_and_loads(memory_map, tmp_path):
    whole = example()
    loaded = Sessions.load(whole.save(tmp_path / "saved"), memory_map=memory_map)
    np.testing.assert_equal(columns(loaded), columns(whole))
    assert loaded.catalogue == whole.catalogue
    assert loaded.catalogue.table().equals(whole.catalogue.table())
    assert loaded.listeners.equals(whole.listeners)
    assert loaded.listeners.name == "listener"
    assert loaded.report is None
    assert isinstance(loaded.songs, np.memmap) == memory_map
    assert {array.dtype for array in (loaded.songs, loaded.listener)} == {np.dtype(np.int32)}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LISTS.filter(any))
def test_whatever_is_saved_is_loaded(tmp_path, lists):
    sessions = Sessions.from_lists(lists)
    loaded = Sessions.load(sessions.save(tmp_path / "saved"))
    assert [*loaded] == lists
    assert loaded.catalogue == sessions.catalogue
    assert loaded.listeners.to_list() == list(range(len(lists)))
    assert loaded.start is None
    assert loaded.dwell is None


def test_context_is_of_the_first_play_of_a_session_and_stays_with_it(tmp_path):
    """Read by columns of any name, cut, chosen, saved and loaded; a log that asks for none has none."""
    log = pl.DataFrame(
        {
            "user": ["a", "b", "a", "b", "a", "a"],
            "song": ["1", "2", "2", "1", "3", "2"],
            "time": [NOON + second for second in (7200, 0, 60, 100, 0, 7300)],
            "Cc": ["SE", "FI", "NO", None, "DK", "XX"],
            "search box": [None, "été", "x", "y", "sad songs", None],
        }
    )
    listens = read_listens(log, columns={"context:country": "Cc", "context:query": "search box"})
    sessions = cut_sessions(listens)
    expected = {("a", 0): ("DK", "sad songs"), ("a", 7200): ("SE", None), ("b", 0): ("FI", "été")}
    found = {
        (sessions.listeners[int(listener)], int(start) - NOON): row
        for listener, start, row in zip(sessions.listener, sessions.start, sessions.context.rows(), strict=True)
    }
    assert found == expected
    assert sessions.keep(np.array([1])).context.rows() == [sessions.context.row(1)]
    loaded = Sessions.load(sessions.save(tmp_path / "sessions"))
    assert loaded.context.equals(sessions.context)
    assert cut_sessions(listens.table).context.equals(sessions.context)
    assert cut_sessions(log).context is None
    with pytest.raises(ArgumentError, match="context:NAME"):
        read_listens(log, columns={"country": "Cc"})


def test_memory_mapped_sessions_can_be_chosen_from_and_saved_over_themselves(tmp_path):
    folder = example().save(tmp_path / "saved")
    loaded = Sessions.load(folder)
    loaded.keep(np.array([2, 0])).save(folder)
    assert [*loaded] == [*example()]  # the older files live on as long as they are mapped
    again = Sessions.load(folder)
    assert [*again] == [["d", "e"], ["e", "a", "c"]]
    again.save(folder)
    assert [*Sessions.load(folder)] == [*again]


def test_memory_mapped_sessions_are_read_only(tmp_path):
    loaded = Sessions.load(example().save(tmp_path / "saved"))
    with pytest.raises(ValueError, match="read-only"):
        loaded.songs[0] = 1


@pytest.mark.parametrize("part", ["catalogue.songs", "sessions", "listeners"])
def test_a_folder_without_one_of_its_parts_is_refused(part, tmp_path):
    folder = example().save(tmp_path / "saved")
    manifest = read_manifest(folder)
    del manifest["parts"][part]
    write_manifest(folder, manifest)
    with pytest.raises(SavedFolderError) as raised:
        Sessions.load(folder)
    assert str(folder) in str(raised.value)
    assert part.removesuffix(".songs") in str(raised.value)


# The report


def test_the_report_counts_with_the_largest_reason_first():
    assert str(CutReport(1000, 7, {"skips": 2, "repeats": 991})) == "7 of 1,000 plays kept (dropped: 991 repeats, 2 skips)"
    assert str(CutReport(5, 5)) == "5 of 5 plays kept"
