"""Saved folders: ``manifest.json`` and safetensors files, checksummed, committed atomically.

A save writes new files under names that carry their own checksum, then replaces ``manifest.json``, which carries its own too, in
one rename: until that instant the folder is the old save, after it the new one. Who saves at the same time waits, who loads sees one
of the two whole. Nothing is ever unpickled.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from stat import S_ISREG
from time import sleep
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from song2vec.core.arrays import Array, read_safetensors
from song2vec.core.errors import MissingExtraError, SavedFolderError

FORMAT_VERSION = 2
MANIFEST = "manifest.json"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp|\.manifest\.[0-9a-f]{8}\.json")
_DATA = re.compile(r".+-([0-9a-f]{12})\.(?:safetensors|bin)")
_ATTEMPTS = 20  # to see one whole save while others save; after the last a file is missing indeed
_PAUSE = 0.001  # seconds, and more from try to try

try:
    from fcntl import LOCK_EX, flock
except ImportError:  # Windows, where folders cannot be held: savers do not wait there
    flock = None  # type: ignore[assignment]


@dataclass
class Part:
    """One named piece of a saved thing: JSON metadata, arrays, and at most one file of a foreign format."""

    meta: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    write_file: Callable[[Path], object] | None = None  # writes the foreign file when saving
    file: Path | None = None  # where the foreign file lies after loading


def save_folder(path: str | os.PathLike[str], kind: str, parts: Mapping[str, Part]) -> Path:
    """Save ``parts`` as one folder, all or nothing; an older save at ``path`` is replaced only when all is written.

    Several processes may save there: one waits for the other, and the last one wins. What a save that was killed left behind goes.

    Raises SavedFolderError when ``path`` holds something that song2vec did not save.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise SavedFolderError(f"{folder}: is a file; a saved {kind} is a folder")
    with _locked(folder):
        old_files = _files_to_replace(folder, kind)
        written: set[str] = set()
        try:
            entries = {name: _write_part(folder, name, part, written) for name, part in parts.items()}
            _replace_manifest(folder, {"song2vec": FORMAT_VERSION, "kind": kind, "parts": entries})
        except BaseException:
            committed: set[str] = set()  # the interruption may have come just after the rename
            with suppress(SavedFolderError):
                committed = _listed_files(folder, _read_manifest(folder))
            for name in written - old_files - committed:
                (folder / name).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
            raise
        for stray in [file for file in folder.iterdir() if file.name not in written and _is_remains(file)]:
            stray.unlink(missing_ok=True)
    return folder


def load_folder(path: str | os.PathLike[str], kind: str, *, memory_map: bool = False) -> dict[str, Part]:
    """Load the parts of a saved folder, all of one save, whoever saves there meanwhile; with ``memory_map`` arrays stay on disk.

    Raises SavedFolderError when the folder is missing, foreign, of another kind or version, truncated or corrupt.
    """
    folder, missing = Path(path), os.fspath(path)
    for attempt in range(_ATTEMPTS):
        manifest = _read_manifest(folder)
        if manifest["kind"] != kind:
            raise SavedFolderError(f"{folder}: holds a saved {manifest['kind']!r}, where {kind!r} is asked for")
        try:
            with understood(folder / MANIFEST):
                return {name: _load_part(folder, entry, memory_map) for name, entry in manifest["parts"].items()}
        except FileNotFoundError as error:  # gone, or taken away by a newer save that came in between
            missing = error.filename
            sleep(_PAUSE * (attempt + 1))
    raise SavedFolderError(f"{missing}: is missing")


def is_empty(path: str | os.PathLike[str]) -> bool:
    """Whether nothing is saved at ``path``: no folder, an empty one, or one with the remains of a first save that was killed."""
    folder = Path(path)
    return not folder.exists() or (folder.is_dir() and all(_is_remains(file) for file in folder.iterdir()))


def _write_part(folder: Path, name: str, part: Part, written: set[str]) -> dict[str, Any]:
    """Write the files of a part; returns its manifest entry."""
    entry: dict[str, Any] = {"meta": part.meta}
    if part.arrays:
        arrays = {name: np.asarray(array, order="C") for name, array in part.arrays.items()}
        entry["arrays"] = _write_checked(folder, name, ".safetensors", partial(save_file, arrays), written)
    if part.write_file is not None:
        entry["file"] = _write_checked(folder, name, ".bin", part.write_file, written)
    return entry


def _load_part(folder: Path, entry: dict[str, Any], memory_map: bool) -> Part:
    part = Part(meta=entry["meta"])
    if "arrays" in entry:
        part.arrays = read_safetensors(_checked_file(folder, entry["arrays"]), memory_map=memory_map)
    if "file" in entry:
        part.file = _checked_file(folder, entry["file"])
    return part


@contextmanager
def understood(what: object) -> Iterator[None]:
    """Whatever goes wrong with the saved ``what`` when it is made sense of is a SavedFolderError."""
    try:
        yield
    except (SavedFolderError, MissingExtraError, OSError, MemoryError):
        raise
    except Exception as error:
        raise SavedFolderError(f"{what}: cannot be understood ({type(error).__name__}: {error})") from error


def write_atomically(path: str | os.PathLike[str], write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a temporary file beside ``path``, fsync it and rename it to ``path``; nothing half-written stays."""
    target = Path(path)
    if not target.parent.is_dir():  # else the error would name the temporary file
        raise FileNotFoundError(errno.ENOENT, "no such folder", os.fspath(target.parent))
    # the suffix stays last: writers such as Matplotlib choose a format by it
    temporary = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}{target.suffix}")
    try:
        write(temporary)
        _fsync(temporary)
        temporary.replace(target)
        _fsync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return target


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nobody else saves there meanwhile; the lock is the folder's own, so that it leaves no file and goes when its process does."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        if flock is None:
            yield
            return
        try:
            held = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            flock(held, LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(held), folder.stat()):  # else a save that failed has taken its folder away
                    yield
                    return
        finally:
            os.close(held)


def _files_to_replace(folder: Path, kind: str) -> set[str]:
    """Names of the data files of an older save of this kind at ``folder``; refuses to write over anything else."""
    if is_empty(folder):
        return set()
    try:
        manifest = _read_manifest(folder)
    except SavedFolderError as error:
        raise SavedFolderError(f"{folder}: is not empty and not a saved {kind}, so it is left alone; choose another path") from error
    if manifest["kind"] != kind:
        raise SavedFolderError(f"{folder}: holds a saved {manifest['kind']!r}; a {kind!r} will not be written over it")
    return _listed_files(folder, manifest)


def _is_remains(file: Path) -> bool:
    """Whether a save wrote this file: a temporary one, or one whose name ends in the checksum of what it holds."""
    if _TEMPORARY.fullmatch(file.name):
        return True
    named = _DATA.fullmatch(file.name)
    return bool(named) and file.is_file() and not file.is_symlink() and _sha256(file).startswith(named[1])  # type: ignore[index]


def _listed_files(folder: Path, manifest: dict[str, Any]) -> set[str]:
    """Names of the data files that a manifest lists."""
    with understood(folder / MANIFEST):
        entries = [entry[key] for entry in manifest["parts"].values() for key in ("arrays", "file") if key in entry]
        return {_name_inside(folder, entry) for entry in entries}


def _name_inside(folder: Path, entry: dict[str, Any]) -> str:
    """The file a manifest entry names: a manifest from elsewhere must not reach outside its folder."""
    name = str(entry["name"])
    if Path(name).name != name or name in ("", "..", MANIFEST):
        raise SavedFolderError(f"{folder / MANIFEST}: names a file outside the folder, {name!r}")
    return name


def _write_checked(folder: Path, name: str, suffix: str, write: Callable[[Path], object], written: set[str]) -> dict[str, Any]:
    """Write one data file under a name that ends in its checksum; returns its manifest entry."""
    temporary = folder / f".{name}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        write(temporary)
        _fsync(temporary)
        digest = _sha256(temporary)
        final = f"{name}-{digest[:12]}{suffix}"
        written.add(final)
        temporary.replace(folder / final)
    finally:
        temporary.unlink(missing_ok=True)
    return {"name": final, "bytes": (folder / final).stat().st_size, "sha256": digest}


def _replace_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    text = json.dumps({**manifest, "sha256": _manifest_digest(manifest)}, indent=1, ensure_ascii=False)
    write_atomically(folder / MANIFEST, lambda path: path.write_bytes(text.encode()))


def _manifest_digest(manifest: dict[str, Any]) -> str:
    """64 hex digits over all that a manifest says, however it is laid out."""
    content = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read_manifest(folder: Path) -> dict[str, Any]:
    if not folder.exists():
        raise SavedFolderError(f"{folder}: no such folder")
    if not folder.is_dir():
        raise SavedFolderError(f"{folder}: is a file; a saved song2vec thing is a folder with a {MANIFEST}")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SavedFolderError(f"{folder}: has no {MANIFEST}, so it is not a saved song2vec thing") from None
    except (ValueError, OSError, RecursionError) as error:
        raise SavedFolderError(f"{folder / MANIFEST}: cannot be read ({error})") from error
    if not isinstance(manifest, dict) or not {"song2vec", "kind", "parts"} <= manifest.keys():
        raise SavedFolderError(f"{folder / MANIFEST}: was not written by song2vec")
    if manifest["song2vec"] != FORMAT_VERSION:
        raise SavedFolderError(f"{folder}: format version {manifest['song2vec']!r}; this song2vec reads version {FORMAT_VERSION}")
    if manifest.get("sha256") != _manifest_digest(manifest):
        raise SavedFolderError(f"{folder / MANIFEST}: does not match its checksum: corrupt")
    return manifest


def _checked_file(folder: Path, entry: dict[str, Any]) -> Path:
    path = folder / _name_inside(folder, entry)
    found = path.stat()  # FileNotFoundError where it is missing
    if not S_ISREG(found.st_mode) or found.st_size != entry["bytes"]:
        raise SavedFolderError(f"{path}: has {found.st_size} bytes, {entry['bytes']} were saved: truncated or changed")
    if _sha256(path) != entry["sha256"]:
        raise SavedFolderError(f"{path}: does not match its checksum: corrupt")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
