"""The log that comes with the package."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from song2vec import classic_rock


@pytest.fixture(scope="module")
def log():
    return classic_rock()


def test_holds_what_its_docstring_says(log):
    table = log.table
    assert (table.height, table["song"].n_unique(), table["listener"].n_unique()) == (37_342, 2_229, 25)


def test_names_every_song_by_artist_and_title(log):
    table = log.table
    assert table.columns == ["listener", "song", "time", "artist", "title"]
    assert table.null_count().row(0) == (0, 0, 0, 0, 0)
    assert table["song"].to_list() == [f"{artist} - {title}" for artist, title in table.select("artist", "title").iter_rows()]
    assert "Led Zeppelin - Stairway to Heaven" in table["song"]


def test_is_of_one_week_of_june_2014(log):
    first, last = log.table["time"].min(), log.table["time"].max()
    assert datetime(2014, 6, 16, tzinfo=UTC) <= first < last < datetime(2014, 6, 24, tzinfo=UTC)


def test_reads_without_a_row_dropped_or_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        report = classic_rock().report
    assert (report.read, report.kept, report.dropped) == (37_342, 37_342, {})
    assert caplog.records == []


@pytest.mark.shared_data
def test_is_the_published_log_row_by_row(log, shared_data):
    lines = (shared_data / "classic_rock_538" / "plays.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) - 1 == log.table.height
