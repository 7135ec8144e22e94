"""Faults that random damage to the samples once showed."""

from __future__ import annotations

import gzip

import pytest

from song2vec.core.errors import FormatError, NothingLeftError
from song2vec.listens import read_listens


@pytest.mark.parametrize("content", ["junk\n", "[" * 60_000, "[1]\n"])
def test_junk_under_an_ndjson_name_is_no_log(tmp_path, content):
    path = tmp_path / "plays.ndjson"
    path.write_text(content)
    with pytest.raises(FormatError, match="no format that song2vec knows"):
        read_listens(path)


@pytest.mark.parametrize("time", ["1e999", "nan"])
def test_times_without_a_size_are_unreadable(tmp_path, time):
    path = tmp_path / "plays.csv"
    path.write_text(f"user,song,time\nann,s1,{time}\n")
    with pytest.raises(FormatError, match=f"field 'time': row 1 has '{time}'"):
        read_listens(path)


def test_a_time_column_of_blanks_leaves_nothing(tmp_path):
    path = tmp_path / "plays.csv"
    path.write_text("user,song,time\nann,s1,\nann,s2,\n")
    with pytest.raises(NothingLeftError, match="2 without a readable time"):
        read_listens(path)


def test_a_packed_file_beside_another_is_found_by_its_plain_name(tmp_path):
    (tmp_path / "train.txt.gz").write_bytes(gzip.compress(b"11 12 \n1 1 \n0 1 \n"))
    (tmp_path / "song_hash.txt.gz").write_bytes(gzip.compress(b"0\tMonkey\tLow\n1\tMykonos\tFleet Foxes\n"))
    assert read_listens(tmp_path).table["artist"].to_list() == ["Low", "Fleet Foxes"]
