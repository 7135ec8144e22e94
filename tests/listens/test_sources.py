"""Archives: how many files they may hold, hidden ones too, and how they are packed."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from song2vec.core.errors import FormatError
from song2vec.listens import read_listens, sources

LOG = b"listener,song,time\nann,a,1700000000\nann,b,1700000300\n"
HIDDEN = [f".hidden {number}" for number in range(4)]


def tar(path, names):
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(LOG)
            archive.addfile(member, io.BytesIO(LOG))
    return path


def zipped(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, LOG)
    return path


@pytest.mark.parametrize(("pack", "name"), [(tar, "logs.tar"), (tar, "logs.tar.gz"), (tar, "logs.tgz"), (zipped, "logs.zip")])
def test_files_of_an_archive_are_counted_hidden_ones_too(pack, name, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MAX_MEMBERS", 5)
    assert read_listens(pack(tmp_path / name, [*HIDDEN, "plays.csv"])).table.height == 2
    with pytest.raises(FormatError, match="holds more than 5 files: refused"):
        read_listens(pack(tmp_path / name, [*HIDDEN, "plays.csv", "more.csv"]))
