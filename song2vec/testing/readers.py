"""What every reader does: it knows its own files, counts what it drops, and refuses all else by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from song2vec.core.errors import FormatError, Song2VecError
from song2vec.listens import READERS, Listens, Reader, read_listens
from song2vec.listens.sources import collect
from song2vec.testing.battery import run

JUNK = (b"", b"\x00\xff\xfe junk \x80\x81" * 50, b"[]", b"{}", b"\n\n\n", b"a,b\n1,2\n")


@dataclass
class ReaderCase:
    """A reader, and the files of a small log by name."""

    thing: Reader
    files: Mapping[str, bytes]

    def read(self, folder: str, files: Mapping[str, bytes] | None = None, format: str = "auto") -> Listens:
        """The log, or what else is said to be its files."""
        for name, content in (files or self.files).items():
            (Path(folder) / name).write_bytes(content)
        return read_listens(Path(folder) / next(iter(self.files)) if len(self.files) == 1 else folder, format=format)


def reading(case: ReaderCase) -> None:
    """Its files are recognised as its own and by no other reader first; the rows read are those kept and those dropped."""
    assert READERS.get(case.thing.name) is type(case.thing), "register it under its name by READERS.register or an entry point"
    assert case.thing.title and case.thing.looks_like
    with TemporaryDirectory() as folder:
        listens = case.read(folder)
        for source in collect(folder):
            claims = [name for name in READERS if name != "table" and READERS.make(name).recognise(source)]
            assert claims[:1] in ([], [case.thing.name]), f"{source.where} is claimed by {claims}"
    report = listens.report
    assert report.format == case.thing.name
    assert (report.kept, report.read) == (len(listens), report.kept + sum(report.dropped.values()))


def junk(case: ReaderCase) -> None:
    """Junk under the names of its files is refused by an error of ours that names the file."""
    for content, format in ((content, format) for content in JUNK for format in ("auto", case.thing.name)):
        with TemporaryDirectory() as folder:
            try:
                listens = case.read(folder, dict.fromkeys(case.files, content), format)
            except Song2VecError as error:
                assert not isinstance(error, FormatError) or folder in str(error)
            else:
                raise AssertionError(f"{content!r:.40} was read as {len(listens)} plays")


def damage(case: ReaderCase) -> None:
    """A file that is cut short, with a byte changed, is read as far as it can be or refused by an error of ours."""
    random = np.random.default_rng(0)
    for _ in range(20):
        cut = {name: bytearray(content[: random.integers(len(content) + 1)]) for name, content in case.files.items()}
        for content in cut.values():
            if content:
                content[random.integers(len(content))] = random.integers(256)
        with TemporaryDirectory() as folder:
            try:
                assert len(case.read(folder, {name: bytes(content) for name, content in cut.items()}, case.thing.name)) > 0
            except Song2VecError:
                continue


READER_CHECKS = (reading, junk, damage)


def check_reader(reader: Reader, files: Mapping[str, bytes]) -> None:
    """Raises AssertionError, with a sentence that says which part of the contract it breaks, unless the reader keeps all of it.

    Args:
        files: those of a small log, by their names.
    """
    run(ReaderCase(reader, files), READER_CHECKS)
