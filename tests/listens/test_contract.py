"""The contract battery: every registered reader, by being registered."""

from __future__ import annotations

import gzip
import re
import zipfile
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.core import registry
from song2vec.core.errors import ArgumentError, Song2VecError
from song2vec.listens import READERS, Reader, read_listens
from song2vec.listens.schema import COLUMNS, Rows
from song2vec.testing.battery import run
from song2vec.testing.readers import READER_CHECKS, ReaderCase
from tests.listens.samples import sample_of

PRIVATE = ("10.1.2.3", "Secret Agent/1.0", "XX-COUNTRY")
every_reader = pytest.mark.parametrize("name", READERS)
DTYPES = {
    "time": [pl.Datetime("us", "UTC")],
    "played_seconds": [pl.Float32],
    "duration_seconds": [pl.Float32],
    "artist": [pl.String],
    "title": [pl.String],
    "skipped": [pl.Boolean],
}


@every_reader
@pytest.mark.parametrize("check", READER_CHECKS, ids=lambda check: check.__name__)
def test_keeps_the_contract(name, check):
    run(ReaderCase(READERS.make(name), sample_of(name).files), [check])


@every_reader
def test_reads_its_sample_as_expected(name, tmp_path):
    sample = sample_of(name)
    listens = read_listens(sample.write(tmp_path / "log"))
    assert listens.report.format == name
    for column, values in sample.expected.items():
        found = listens.table[column].to_list()
        if column == "time":
            values = [datetime.fromisoformat(value).replace(tzinfo=UTC) for value in values]
        if column.endswith("seconds"):
            values = [None if value is None else pytest.approx(value, rel=1e-4) for value in values]
        assert found == values, column
    assert listens.report.dropped == dict(sample.dropped)


@every_reader
def test_table_fits_the_schema(name, tmp_path):
    listens = read_listens(sample_of(name).write(tmp_path / "log"))
    assert {"listener", "song"} <= set(listens.table.columns) <= set(COLUMNS)
    assert listens.table["song"].null_count() == listens.table["listener"].null_count() == 0
    for column, dtype in listens.table.schema.items():
        assert dtype in DTYPES.get(column, [pl.String, pl.Int64]), column


@every_reader
def test_private_columns_are_not_kept(name, tmp_path):
    table = read_listens(sample_of(name).write(tmp_path / "log")).table
    text = table.write_csv()
    assert not any(private in text for private in PRIVATE)


@every_reader
def test_same_from_folder_zip_and_gzip(name, tmp_path):
    sample = sample_of(name)
    plain = read_listens(sample.write(tmp_path / "log"))
    archive = tmp_path / "log.zip"
    packed = tmp_path / "packed"
    packed.mkdir()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for filename, content in sample.files.items():
            file.writestr(f"inside/{filename}", content)
            (packed / f"{filename}.gz").write_bytes(gzip.compress(content))
    for path in (tmp_path / "log", archive, packed):
        again = read_listens(path)
        assert again.report.format == name
        assert again.table.drop("session", strict=False).equals(plain.table.drop("session", strict=False)), path


@every_reader
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_reads_or_raises_our_error(name, data, tmp_path):
    sample = sample_of(name)
    for filename, content in sample.files.items():
        cut = data.draw(st.integers(0, len(content)), label=f"bytes left of {filename}")
        damaged = bytearray(content[:cut])
        if damaged:
            damaged[data.draw(st.integers(0, cut - 1))] = data.draw(st.integers(0, 255))
        (tmp_path / filename).write_bytes(bytes(damaged))
    path = tmp_path / next(iter(sample.files)) if len(sample.files) == 1 else tmp_path
    for format in ("auto", name):
        try:
            listens = read_listens(path, format=format)
        except Song2VecError:
            continue
        assert len(listens)


class Sleeve(Reader):
    """Somebody else's format: artist and title a line, in a file that a table reader would take too."""

    name = "sleeve"
    title = "Sleeve notes"
    looks_like = "sleeve.csv"

    def recognise(self, source):
        return source.name == "sleeve.csv"

    def read(self, sources):
        rows = [line.split(",") for source in sources for line in source.text().split("\n")[1:] if line]
        return Rows(pl.DataFrame(rows, schema=["artist", "title", "time"], orient="row").drop("time"))


@pytest.mark.parametrize("way", ["entry point", "registered"])
def test_a_format_of_another_package_is_read_like_the_others(way, tmp_path, monkeypatch):
    """By an entry point of the group song2vec.readers, or by READERS.register; before the reader of any table."""
    monkeypatch.setattr(READERS, "_installed", {})
    monkeypatch.setattr(READERS, "_registered", {})
    if way == "registered":
        READERS.register(Sleeve)
    else:
        found = registry.EntryPoint("sleeve", f"{__name__}:Sleeve", "song2vec.readers")
        monkeypatch.setattr(registry, "entry_points", lambda group: [found] if group == found.group else [])
        del vars(READERS)["_installed"]
    (tmp_path / "sleeve.csv").write_text("artist,title,time\nLow,Monkey,2020-01-01 00:00\n")
    for format in ("auto", "sleeve"):
        listens = read_listens(tmp_path, format=format)
        assert (listens.report.format, listens.table["song"].to_list()) == ("sleeve", ["Low - Monkey"])
        assert "time" not in listens.table.columns


def test_an_unknown_format_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(ArgumentError, match=re.escape("format='spotfy-account': 'auto', 'spotify-extended', ")) as raised:
        read_listens(tmp_path, format="spotfy-account")
    assert str(raised.value).endswith("'table' are allowed; did you mean 'spotify-account'?")
