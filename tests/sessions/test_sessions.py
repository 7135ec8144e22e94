"""The sessions themselves: made, read, chosen from, saved and loaded."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.listens import read_listens
from song2vec.sessions import CutReport, Sessions, cut_sessions
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
    whole, chosen = example(), example().select(np.array(numbers, np.int64))
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
    np.testing.assert_equal(columns(example().select(np.array([True, False, True]))), columns(example().select(np.array([0, 2]))))
    assert len(example().select(np.zeros(3, bool))) == 0
    assert [*example().select([False, True, False])] == [["b", "a"]]


def test_sessions_without_times_can_be_chosen_from():
    chosen = Sessions.from_lists([["a"], ["b", "c"]]).select(np.array([1]))
    assert [*chosen] == [["b", "c"]]
    assert chosen.start is None
    assert chosen.dwell is None


@pytest.mark.parametrize(
    ("which", "message"),
    [([3], "numbers from 3 to 3; 0 to 2"), ([-1, 0], "from -1 to 0"), ([True], r"mask of shape \(1,\) for 3 sessions")],
)
def test_sessions_that_are_not_there_are_not_chosen(which, message):
    with pytest.raises(ArgumentError, match=message):
        example().select(np.array(which))


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
    assert sessions.select(np.array([1])).context.rows() == [sessions.context.row(1)]
    loaded = Sessions.load(sessions.save(tmp_path / "sessions"))
    assert loaded.context.equals(sessions.context)
    assert cut_sessions(listens.table).context.equals(sessions.context)
    assert cut_sessions(log).context is None
    with pytest.raises(ArgumentError, match="context:NAME"):
        read_listens(log, columns={"country": "Cc"})


def test_memory_mapped_sessions_can_be_chosen_from_and_saved_over_themselves(tmp_path):
    folder = example().save(tmp_path / "saved")
    loaded = Sessions.load(folder)
    loaded.select(np.array([2, 0])).save(folder)
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
