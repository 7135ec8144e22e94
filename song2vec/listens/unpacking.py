"""Unpacking what logs are packed in, on guard against files that unpack to far more than any log would."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO, cast

import zstandard

from song2vec.core.errors import FormatError

EXPANDERS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    ".gz": lambda raw: cast(BinaryIO, gzip.open(raw)),
    ".zst": lambda raw: cast(BinaryIO, io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))),
    ".bz2": lambda raw: cast(BinaryIO, bz2.open(raw)),
}
# A log packs 5 to 40 times smaller. What grows a hundredfold is a bomb, whatever its header claims.
_BOMB_RATIO, _BOMB_FLOOR = 100, 64 * 2**20
UNPACK_ERRORS = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    zstandard.ZstdError,
    NotImplementedError,
    RuntimeError,
)


def unpacked(raw: BinaryIO, name: str, packed: int, where: str) -> BinaryIO:
    """A member's bytes, guarded; a member that is itself ``.gz``, ``.zst`` or ``.bz2`` is unpacked too."""
    safe = guarded(raw, packed, where)
    suffix = PurePosixPath(name).suffix.lower()
    return guarded(EXPANDERS[suffix](safe), packed, where) if suffix in EXPANDERS else safe


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
        except UNPACK_ERRORS as error:
            raise FormatError(self._where, f"cannot be unpacked: truncated or corrupt ({error})") from error
        self._left -= len(data)
        if self._left < 0:
            raise FormatError(self._where, f"unpacks to more than {_BOMB_RATIO} times its size: refused as a decompression bomb")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._raw.close()
        super().close()


def guarded(raw: BinaryIO, packed: int, where: str) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Guard(raw, packed, where), 1 << 20))
