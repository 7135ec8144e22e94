"""Logs as bad as they come, from file to engine: each is read for what it is worth, or refused in one sentence by the step that must."""

from __future__ import annotations

import gzip
import os
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec import Engine, cut_sessions, read_listens
from song2vec.core.errors import ArgumentError, FormatError, NothingLeftError, SavedFolderError, Song2VecError
from tests.small import learner, plays

HEADER = "listener,song,time\n"
QUICK = {"vectors": learner(epochs=1)}


def whole_way(log):
    """From a log to an engine."""
    return Engine.train(cut_sessions(read_listens(log)), **QUICK)


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(*songs, listener="ann", begin=1_400_000_000, step=200):
    """Lines of one listener's plays, some minutes apart."""
    return "".join(f"{listener},{song},{begin + step * place}\n" for place, song in enumerate(songs))


GOOD = HEADER + rows("a", "b", "c", "a")


def sessions_of(log):
    return list(cut_sessions(read_listens(log)))


# Files that hold no log

ENDINGS = ["csv", "json", "parquet", "m3u", "txt", "nothing", "zip", "csv.gz", "csv.zst", "tar", "tar.gz"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_file_is_refused(tmp_path, ending):
    with pytest.raises(FormatError, match=rf"log\.{ending}: "):
        whole_way(written(tmp_path / f"log.{ending}", b""))


@pytest.mark.parametrize("content", ["\n\n\n", HEADER, HEADER + "\n\n", "\ufeff"])
def test_a_file_without_rows_is_refused(tmp_path, content):
    with pytest.raises((FormatError, NothingLeftError), match=r"log\.csv"):
        whole_way(written(tmp_path / "log.csv", content))


def test_an_empty_folder_and_archive_are_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "archive.zip", "w"):
        pass
    for name in ("folder", "archive.zip"):
        with pytest.raises(FormatError, match=f"{name}: is an empty folder or archive"):
            whole_way(tmp_path / name)


def test_what_does_not_exist_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"nothing\.csv: no such file or folder"):
        whole_way(tmp_path / "nothing.csv")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(min_size=1, max_size=3000), ending=st.sampled_from(ENDINGS))
def test_binary_junk_is_refused_by_name(tmp_path, junk, ending):
    with pytest.raises(Song2VecError, match=rf"log\.{ending}"):
        whole_way(written(tmp_path / f"log.{ending}", b"\x00\xff" + junk))


def test_megabytes_of_junk_are_refused(tmp_path):
    junk = np.random.default_rng(0).bytes(3_000_000)
    for name in ("log.csv", "log.parquet", "log.zip", "log.json", "log.tar", "log.m3u"):
        with pytest.raises(FormatError, match=name):
            whole_way(written(tmp_path / name, junk))


def test_junk_beside_a_log_is_passed_over(tmp_path):
    written(tmp_path / "log.csv", GOOD)
    written(tmp_path / "cover.jpg", os.urandom(5000))
    written(tmp_path / "empty.csv", b"")
    written(tmp_path / "notes.txt", "bought a record")
    listens = read_listens(tmp_path)
    assert len(listens) == 4
    assert [name.rsplit("/", 1)[1] for name in listens.report.ignored] == ["cover.jpg", "empty.csv", "notes.txt"]


# Columns


@pytest.mark.parametrize("header", ["a,b,c", "listener,time,colour", "listener,song,colour", "1,2,3"])
def test_wrong_columns_are_refused_and_columns_named_as_the_way_out(tmp_path, header):
    log = written(tmp_path / "log.csv", GOOD.replace(HEADER.strip(), header))
    with pytest.raises(FormatError, match=r"log\.csv: .*columns="):
        whole_way(log)
    with pytest.raises(FormatError, match=rf"log\.csv.*columns are {', '.join(header.split(','))}.*columns="):
        read_listens(log, format="table")


def test_wrong_columns_are_read_when_they_are_named(tmp_path):
    log = written(tmp_path / "log.csv", GOOD.replace(HEADER.strip(), "who,what,when"))
    columns = {"listener": "who", "song": "what", "time": "when"}
    assert read_listens(log, columns=columns).table.equals(read_listens(written(tmp_path / "good.csv", GOOD)).table)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"song": "colour"}, r"columns=\{'song': 'colour'\}: the log's columns are listener, song, time"),
        ({"colour": "song"}, r"columns=\{'colour': ...\}: listener, song, time, .* are allowed"),
    ],
)
def test_columns_that_are_not_there_are_refused(tmp_path, columns, message):
    with pytest.raises(ArgumentError, match=message):
        read_listens(written(tmp_path / "log.csv", GOOD), columns=columns)


def test_a_column_of_the_wrong_kind_is_refused(tmp_path):
    log = written(tmp_path / "log.csv", HEADER + "ann,a,noon\nann,b,night\nann,c,dawn\n")
    with pytest.raises(FormatError, match=r"log\.csv, field 'time': row 1 has 'noon'"):
        whole_way(log)


def test_rows_cut_short_and_rows_too_long_lose_only_themselves(tmp_path):
    log = written(tmp_path / "log.csv", GOOD + "ann\nann,\n,d,1400000900\nann,b,1400001000,more,and more\n")
    listens = read_listens(log)
    assert listens.table["song"].to_list() == ["a", "b", "c", "a", "b"]
    assert listens.report.read == 8
    assert sum(listens.report.dropped.values()) == 3


# Times

NOW = datetime.now(UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ([NOW + timedelta(days=days) for days in (3, 400, 90_000)], "in the future"),
        ([EPOCH + timedelta(days=days) for days in (0, 1, 300)], r"before 1990 \(clock not set\)"),
        ([None, None, None], "without a readable time"),
    ],
)
def test_plays_at_impossible_times_are_dropped_and_counted(times, reason):
    wrong = pl.DataFrame({"listener": "ann", "time": times, "artist": "Nobody", "title": ["x", "y", "z"]})
    wrong = wrong.cast({"time": pl.Datetime("us", "UTC")})
    with pytest.raises(NothingLeftError, match=f"no usable row among 3 .*3 {reason}"):
        whole_way(wrong)
    good = plays().head(40)
    listens = read_listens(pl.concat([wrong, good.cast({"time": pl.Datetime("us", "UTC")})]))
    assert list(listens.report.dropped.values()) == [3]
    assert len(listens) == 40
    assert whole_way(listens.table).catalogue == whole_way(good).catalogue


def test_a_log_may_go_back_to_the_nineties_and_up_to_today(tmp_path):
    begin = int(datetime(1991, 1, 1, tzinfo=UTC).timestamp())
    log = HEADER + rows("a", "b", begin=begin) + rows("c", "a", begin=int(NOW.timestamp()) - 1000)
    assert sessions_of(written(tmp_path / "log.csv", log)) == [["a", "b"], ["c", "a"]]


def test_a_clock_that_stood_still_keeps_the_order_of_the_log(tmp_path):
    log = written(tmp_path / "log.csv", HEADER + rows(*"dacbe", step=0))
    assert sessions_of(log) == [list("dacbe")]


# Sessions


def test_a_log_of_single_plays_leaves_nothing(tmp_path):
    log = written(tmp_path / "log.csv", HEADER + rows(*"abcdef", step=86_400))
    with pytest.raises(NothingLeftError, match=r"no session is left of 6 plays: .*6 in sessions under 2 plays"):
        whole_way(log)
    assert [len(session) for session in cut_sessions(read_listens(log), min_session_length=1)] == [1] * 6


def test_one_song_over_and_over_leaves_nothing(tmp_path):
    log = written(tmp_path / "log.csv", HEADER + rows(*"aaaaaa"))
    with pytest.raises(NothingLeftError, match=r"5 repeats.*1 in sessions under 2 plays"):
        whole_way(log)
    with pytest.raises(ArgumentError, match="all plays are of one song"):
        Engine.train(cut_sessions(read_listens(log), repeats="keep"), **QUICK)


def test_a_listener_of_one_song_leaves_the_others_alone(tmp_path):
    log = written(tmp_path / "log.csv", HEADER + rows("z", listener="bob") + rows(*"abcab") + rows("y", "y", "y", listener="eve"))
    sessions = cut_sessions(read_listens(log))
    assert list(sessions) == [list("abcab")]
    assert sessions.listeners.to_list() == ["ann"]
    assert sorted(Engine.train(sessions, **QUICK).catalogue.ids) == ["a", "b", "c"]


def test_a_session_of_a_million_plays_is_trained_to_its_end():
    random = np.random.default_rng(0)
    songs = np.concatenate([random.integers(0, 250, 500_000), random.integers(250, 500, 500_000)])
    log = pl.DataFrame({"listener": 1, "song": songs, "time": np.arange(1_000_000) * 30 + 1_000_000_000})
    sessions = cut_sessions(read_listens(log), repeats="keep")
    assert sessions.lengths.tolist() == [1_000_000]
    engine = Engine.train(sessions, **QUICK)
    assert engine.catalogue.plays.sum() == 1_000_000
    for song, half in ((7, range(250)), (407, range(250, 500))):  # each half was played together
        assert set(engine.similar(song, 100)["song"]) < set(half)


@pytest.mark.parametrize("times", [2, 5])
def test_duplicate_rows_change_nothing(tmp_path, times):
    once = written(tmp_path / "once.csv", GOOD + rows(*"bcab", listener="bob"))
    lines = (once.read_text().splitlines(keepends=True))[1:]
    for name, repeated in (("row by row", [line for line in lines for _ in range(times)]), ("end to end", lines * times)):
        log = written(tmp_path / f"{name}.csv", HEADER + "".join(repeated))
        sessions = cut_sessions(read_listens(log))
        assert list(sessions) == sessions_of(once)
        assert sessions.report.dropped == {"duplicate rows": 8 * (times - 1)}


def test_duplicate_rows_of_one_play_leave_nothing(tmp_path):
    log = written(tmp_path / "log.csv", HEADER + "ann,a,1400000000\n" * 50)
    with pytest.raises(NothingLeftError, match="49 duplicate rows"):
        whole_way(log)


# Text


@pytest.mark.parametrize("empty", ["artist", "title"])
def test_a_column_without_a_single_name_is_as_good_as_none(tmp_path, empty):
    (tmp_path / "log.csv").write_text(f"listener,song,time,{empty}\n" + rows(*"abcab").replace("\n", ",\n"))
    engine = whole_way(tmp_path / "log.csv")
    assert engine.catalogue.artists is engine.catalogue.titles is None
    assert engine.similar("a", 5).columns == ["song", "cosine"]


def test_a_playlist_of_bare_paths_makes_an_engine(tmp_path):
    log = written(tmp_path / "mix.m3u", "#EXTM3U\nmusic/a.mp3\nmusic/b.mp3\nmusic/c.mp3\n")
    assert sorted(song.rsplit("/", 1)[-1] for song in whole_way(log).catalogue.ids) == ["a.mp3", "b.mp3", "c.mp3"]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-8-sig", "latin-1"])
def test_text_in_other_encodings_is_read(tmp_path, encoding):
    text = "listener,artist,title,time\nann,Björk,Jóga,1400000000\nann,Björk,Hyperballad,1400000200\n"
    bom = b"\xff\xfe" if encoding == "utf-16-le" else b""
    log = written(tmp_path / "log.csv", bom + text.encode(encoding))
    assert sorted(whole_way(log).catalogue.ids) == ["Björk - Hyperballad", "Björk - Jóga"]


def test_a_few_broken_characters_are_replaced(tmp_path):
    content = GOOD.encode().replace(b"ann,c", b"ann,\xffc\xfe") + "ann,Björk,1400001000\n".encode()
    found = read_listens(written(tmp_path / "log.csv", content)).table["song"].to_list()
    assert found[:2] == ["a", "b"]
    assert "c" in found[2]
    assert len(found) == 5


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(GOOD) - 1), junk=st.binary(min_size=1, max_size=4))
def test_junk_within_a_log_costs_rows_or_is_refused_but_never_crashes(tmp_path, place, junk):
    log = written(tmp_path / "log.csv", GOOD.encode()[:place] + junk + GOOD.encode()[place:])
    try:
        engine = whole_way(log)
    except Song2VecError:
        return
    assert len(engine.catalogue) >= 2


# Bombs

BOMB = HEADER + "ann,a,1400000000\n" * 1000


@pytest.fixture(scope="module")
def bombs(tmp_path_factory):
    """A log of 150 MB in well under 1 MB, as ``.zip``, ``.gz`` and both."""
    folder = tmp_path_factory.mktemp("bombs")
    block, count = BOMB.encode() * 50, 180
    with gzip.open(folder / "bomb.csv.gz", "wb", compresslevel=6) as file:
        for _ in range(count):
            file.write(block)
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.csv", "w") as member:
        for _ in range(count):
            member.write(block)
    with zipfile.ZipFile(folder / "nested.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "bomb.csv.gz", "bomb.csv.gz")
    return folder


@pytest.mark.parametrize("name", ["bomb.csv.gz", "bomb.zip", "nested.zip"])
def test_a_bomb_is_refused_before_it_fills_the_memory(bombs, name):
    assert (bombs / name).stat().st_size < 2**20
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=f"{name}.*refused as a decompression bomb"):
            whole_way(bombs / name)
        assert tracemalloc.get_traced_memory()[1] < 400 * 2**20
    finally:
        tracemalloc.stop()


def test_an_archive_that_lies_about_its_size_is_refused(bombs, tmp_path):
    content = bytearray((bombs / "bomb.zip").read_bytes())
    with zipfile.ZipFile(bombs / "bomb.zip") as archive:
        size = archive.getinfo("bomb.csv").file_size.to_bytes(4, "little")
    where = content.rindex(size)
    content[where : where + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(FormatError, match=r"lying\.zip"):
        whole_way(written(tmp_path / "lying.zip", bytes(content)))


def test_a_zip_cut_off_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "log.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.csv", GOOD * 50)
    whole = (tmp_path / "log.zip").read_bytes()
    for end in (10, len(whole) // 2, len(whole) - 5):
        with pytest.raises(FormatError, match=r"log\.zip"):
            whole_way(written(tmp_path / "log.zip", whole[:end]))


# Questions to the engine, and the engine itself


@pytest.fixture(scope="module")
def engine():
    return whole_way(plays())


def test_a_k_of_nought_is_refused_and_a_k_beyond_the_catalogue_gives_all(engine):
    for ask in (engine.similar, lambda song, k: engine.recommend([song], k), lambda song, k: engine.similar_batch([song], k)):
        with pytest.raises(ArgumentError, match="k=0: a whole number from 1"):
            ask("mykonos", 0)
        assert ask("mykonos", 10**9).height == 23


def test_a_listener_of_one_play_is_answered(engine):
    history = read_listens(plays().head(1))
    assert engine.recommend(history, 5).equals(engine.recommend([history.table["song"][0]], 5))


def test_a_corrupt_engine_folder_is_refused(engine, tmp_path):
    folder = engine.save(tmp_path / "engine")
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for damaged in (b"", whole[:-1], os.urandom(len(whole))):
            with pytest.raises(SavedFolderError, match=path.name):
                Engine.load(written(path, damaged).parent)
        path.write_bytes(whole)
    assert Engine.load(folder).info() == engine.info()


@pytest.mark.parametrize("names", [["colour"], ["song"]])
def test_a_frame_has_columns_but_no_lines(names):
    with pytest.raises(FormatError, match=f"^frame: columns are {names[0]}: none is a"):
        read_listens(pl.DataFrame({name: ["a"] for name in names}))
