"""Where listens lie: a file, a folder, a zip or tar archive; compressed or not; in any text encoding.

A :class:`Source` is one file as a reader sees it. Readers ask it for a head to recognise, text or bytes to read,
and a sibling by name; none of them needs to know whether it lies in an archive. What unpacks to far more than any log
would is refused.
"""

from __future__ import annotations

import bz2
import gzip
import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO, cast

import zstandard

from song2vec.core.errors import FormatError

HEAD_BYTES = 64 * 1024
_EXPANDERS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    **dict.fromkeys((".gz", ".tgz"), lambda raw: cast(BinaryIO, gzip.open(raw))),
    ".zst": lambda raw: cast(BinaryIO, io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))),
    ".bz2": lambda raw: cast(BinaryIO, bz2.open(raw)),
}
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2")
_MAX_MEMBERS = 100_000
# A log packs 5 to 40 times smaller. What grows a hundredfold is a bomb, whatever its header claims.
_BOMB_RATIO, _BOMB_FLOOR = 100, 64 * 2**20
_BROKEN = (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, zstandard.ZstdError, NotImplementedError, RuntimeError)


@dataclass
class Source:
    """One file to read listens from.

    Attributes:
        where: what to call it in messages: a path, or ``archive.zip/member``.
        path: the file itself when it lies plain on disk, so that fast readers can map it; else None.
    """

    where: str
    path: Path | None
    _raw: Callable[[], BinaryIO] = field(repr=False)  # the bytes as they lie, perhaps packed
    _packed: int = 0  # how many these are
    _family: dict[PurePath, Source] = field(default_factory=dict, repr=False)  # all sources of the same call, by folder and name

    @property
    def name(self) -> str:
        """Its own name without folders and without ``.gz``, ``.zst`` or ``.bz2``."""
        whole = PurePath(self.where)
        return whole.stem if whole.suffix.lower() in _EXPANDERS else whole.name

    def open(self) -> BinaryIO:
        """The unpacked bytes as a stream. Raises FormatError when they cannot be unpacked."""
        if self.path is not None:
            return self.path.open("rb")
        safe = _guarded(self._raw(), self._packed, self.where)
        expand = _EXPANDERS.get(PurePath(self.where).suffix.lower())
        return safe if expand is None else _guarded(expand(safe), self._packed, self.where)

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB, unpacked."""
        with self.open() as file:
            return file.read(HEAD_BYTES)

    def read(self) -> bytes:
        """All bytes, unpacked."""
        with self.open() as file:
            return file.read()

    def text(self) -> str:
        """All of it as text with ``\\n`` line ends, whatever its encoding (see :func:`decode`)."""
        return decode(self.read())

    @cached_property
    def head_text(self) -> str:
        """The head as text; a character cut in two at its end is left out."""
        return decode(self.head).rstrip("\ufffd")

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines of UTF-8 text that are not blank, with their numbers, one at a time: for what is too large to hold."""
        with io.TextIOWrapper(self.open(), encoding="utf-8-sig", errors="replace") as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())

    @property
    def suffix(self) -> str:
        """``.csv``, in lower case."""
        return PurePosixPath(self.name).suffix.lower()

    def sibling(self, name: str) -> Source | None:
        """The file of this name in the same folder or archive, or None."""
        beside = PurePath(self.where).parent / name
        if beside not in self._family and self.path is not None and Path(beside).is_file():
            return _from_file(Path(beside))
        return self._family.get(beside)


def collect(path: str | os.PathLike[str]) -> list[Source]:
    """All files under ``path`` in a stable order: itself, its members if an archive, its content if a folder.

    Raises FormatError when there is none, or an archive cannot be opened.
    """
    root = Path(path)
    if not root.exists():
        raise FormatError(root, "no such file or folder")
    if root.is_dir():
        files = sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p.relative_to(root).as_posix()))
        found = [source for file in files for source in _expand(file)]
    else:
        found = list(_expand(root))
    if not found:
        raise FormatError(root, "is an empty folder or archive")
    family = {PurePath(source.where).parent / source.name: source for source in found}
    for source in found:
        source._family = family
    return found


def decode(data: bytes) -> str:
    """Bytes to text with ``\\n`` line ends.

    A byte-order mark decides; else UTF-8, even with a few broken characters (they become U+FFFD);
    else Windows-1252, when the bytes above ASCII are mostly not UTF-8.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        data = data.removeprefix(b"\xef\xbb\xbf")
        text = data.decode("utf-8", errors="replace")
        broken = text.count("\ufffd")
        if broken:
            whole = len(text) - len(text.encode("ascii", "ignore")) - broken  # characters above ASCII
            if broken > whole:
                text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _expand(path: Path) -> Iterator[Source]:
    if not path.name.lower().endswith(_ARCHIVES):
        return iter([_from_file(path)])
    return _zip_members(path) if path.name.lower().endswith(".zip") else _tar_members(path)


def _from_file(path: Path) -> Source:
    packed = path.suffix.lower() in _EXPANDERS
    return Source(str(path), None if packed else path, lambda: path.open("rb"), path.stat().st_size)


def _zip_members(path: Path) -> Iterator[Source]:
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        raise FormatError(path, f"not a readable zip archive ({error})") from error
    with archive:
        if len(archive.infolist()) > _MAX_MEMBERS:
            raise FormatError(path, f"holds more than {_MAX_MEMBERS:,} files: refused")
        members = [member for member in archive.infolist() if not member.is_dir() and not _hidden(member.filename)]
    for member in sorted(members, key=lambda member: member.filename):
        yield Source(f"{path}/{member.filename}", None, partial(_from_zip, path, member.filename), member.compress_size)


def _from_zip(path: Path, name: str) -> BinaryIO:
    try:
        return cast(BinaryIO, zipfile.ZipFile(path).open(name))
    except _BROKEN as error:
        raise FormatError(f"{path}/{name}", f"cannot be unpacked ({error})") from error


def _tar_members(path: Path) -> Iterator[Source]:
    """Tar archives are read once into memory, member by member: they have no index to come back by."""
    stream = _from_file(path).open()
    try:
        with stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for count, member in enumerate(archive):
                if count >= _MAX_MEMBERS:  # what is hidden, too: the archive remembers each
                    raise FormatError(path, f"holds more than {_MAX_MEMBERS:,} files: refused")
                if not member.isfile() or _hidden(member.name):
                    continue
                file = archive.extractfile(member)
                data = b"" if file is None else file.read()
                yield Source(f"{path}/{member.name}", None, partial(io.BytesIO, data), len(data))
    except _BROKEN as error:
        raise FormatError(path, f"not a readable tar archive ({error})") from error


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts if not part.endswith(".scrobbler.log"))


def _guarded(raw: BinaryIO, packed: int, where: str) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Guard(raw, packed, where), 1 << 20))


class _Guard(io.RawIOBase):
    """Passes bytes through and stops when more come out than any honest log would unpack to."""

    def __init__(self, raw: BinaryIO, packed: int, where: str) -> None:
        self._raw, self._where = raw, where
        self._left = max(_BOMB_FLOOR, _BOMB_RATIO * packed)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        try:
            data = self._raw.read(len(buffer))
        except FormatError:
            raise
        except _BROKEN as error:
            raise FormatError(self._where, f"cannot be unpacked: truncated or corrupt ({error})") from error
        self._left -= len(data)
        if self._left < 0:
            raise FormatError(self._where, f"unpacks to more than {_BOMB_RATIO} times its size: refused as a decompression bomb")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._raw.close()
        super().close()
