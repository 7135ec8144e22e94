"""The readers on real data, against counts made without them (figures of the data's own descriptions, or the csv module's)."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime

import pytest

from song2vec.listens import read_listens

pytestmark = pytest.mark.shared_data


def test_yes_big(shared_data):
    listens = read_listens(shared_data / "yes_big")
    table = listens.table
    assert listens.report.format == "lme"
    assert listens.report.dropped == {}
    assert (table.height, table["session"].n_unique(), table["song"].n_unique()) == (190_649, 18_139, 9_765)
    # what the data's README calls train transitions
    assert table.height - table["session"].n_unique() == 172_510
    assert table["artist"].null_count() == 0
    assert table.row(0, named=True) == {
        "listener": 0,
        "song": 0,
        "artist": "Gucci Mane",
        "title": "Gucci Time (w/ Swizz Beatz)",
        "session": 0,
    }


@pytest.mark.parametrize(("name", "train", "test"), [("nowplaying", 128_077, 14_479), ("yoochoose1_64", 116_167, 15_324)])
def test_one_session_a_line(shared_data, name, train, test):
    folder = shared_data / name
    listens = read_listens(folder)
    assert listens.report.format == "session-lines"
    assert listens.table["session"].max() == train + test - 1
    assert listens.table["session"].n_unique() == train + test
    tokens = (folder / "train.txt").read_text().split() + (folder / "test.txt").read_text().split()
    assert listens.table["song"].to_list() == [int(token) for token in tokens]
    if name == "nowplaying":
        assert listens.table["song"].n_unique() == 60_416


def test_30music(shared_data):
    listens = read_listens(shared_data / "30music_200ks")
    table = listens.table
    assert listens.report.format == "gru4rec-tsv"
    assert (table.height, table["session"].n_unique(), table["song"].n_unique()) == (121_547, 9_519, 57_684)
    assert table.select("listener", "session", "song").row(0) == (40265, 2464, 1818271)
    assert table["time"][0] == datetime.fromtimestamp(1397982525, UTC)


def test_triplej(shared_data):
    path = shared_data / "triplej" / "playlist_20140929.zip"
    with zipfile.ZipFile(path) as archive:
        text = archive.read("playlist_20140929.csv").decode("cp1252", errors="replace").replace("\r", "\n")  # 31 texts were broken before
    rows = list(csv.DictReader(io.StringIO(text)))
    named = [row for row in rows if row["artist"].strip() and row["trackname"].strip()]
    listens = read_listens(path)
    table = listens.table
    assert listens.report.format == "table"
    assert listens.report.read == len(rows) == 134_950
    assert table.height == len(named) == 134_943  # five rows name no artist, the last two are empty
    assert table["title"].to_list() == [row["trackname"].strip() for row in named]
    days = {row["date"]: int(datetime.strptime(row["date"], "%d/%m/%Y").replace(tzinfo=UTC).timestamp()) for row in named}
    clocks = [[int(part) for part in row["time"].split(":")] for row in named]
    times = [days[row["date"]] + 3600 * clock[0] + 60 * clock[1] + clock[2] for row, clock in zip(named, clocks, strict=True)]
    assert table["time"].dt.epoch("s").to_list() == times
