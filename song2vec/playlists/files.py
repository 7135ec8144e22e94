"""Playlist files: the tables of playlists as other programs read them."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

import polars as pl

_XSPF = "http://xspf.org/ns/0/"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")  # ends a line, or cannot stand in XML
_ABSOLUTE = re.compile(r"\w[\w+.-]*:|/")  # a scheme or drive, or a path from the root
_ADDRESS = re.compile(r"/|^\w[\w+.-]*:|\.\w{2,5}$")  # has a slash, a scheme or drive, or a file ending


class _Track(NamedTuple):
    """One song: its id as text, and its names where known."""

    song: str
    artist: str | None
    title: str | None

    @property
    def name(self) -> str | None:
        """``artist - title`` where both are known."""
        return f"{self.artist} - {self.title}" if self.artist and self.title else None

    @property
    def identifier(self) -> str | None:
        """The id; None for a song that is known by its names and has no id of its own."""
        return None if self.song == self.name else self.song


def _tracks(table: pl.DataFrame) -> Iterator[_Track]:
    for row in table.iter_rows(named=True):
        yield _Track(str(row["song"]), _line(row.get("artist")) or None, _line(row.get("title")) or None)


def _line(text: str | None) -> str:
    """Text that fits on one line."""
    return _CONTROL.sub(" ", text or "").strip()


def _m3u(table: pl.DataFrame, title: str, path: Path) -> None:
    """Every song has an #EXTINF line with its names, and an address: its id where that is one, else a file URL made of it."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(title)}"]
    for track in _tracks(table):
        if track.name:
            lines.append(f"#EXTINF:-1,{track.name}")
        elif track.title and " - " not in track.title:  # else the part before the dash would pass for an artist
            lines.append(f"#EXTINF:-1,{track.title}")
        lines.append(_address(track.song))
    _write(path, "\n".join(lines) + "\n")


def _address(song: str) -> str:
    """An id as a line that M3U readers take for a path or an address, unchanged where it is one."""
    plain = song == _line(song) and "\\" not in song and not song.lower().startswith(("#", "file:"))
    if plain and _ADDRESS.search(song) and (_ABSOLUTE.match(song) or posixpath.normpath(song) == song):
        return song
    return "file://" + quote(song)


def _jspf(table: pl.DataFrame, title: str, path: Path) -> None:
    tracks = []
    for track in _tracks(table):
        fields = {"title": track.title, "creator": track.artist, "identifier": track.identifier and [track.identifier]}
        tracks.append({name: value for name, value in fields.items() if value is not None})
    _write(path, json.dumps({"playlist": {"title": _line(title), "track": tracks}}, ensure_ascii=False, indent=1))


def _xspf(table: pl.DataFrame, title: str, path: Path) -> None:
    root = ElementTree.Element("playlist", version="1", xmlns=_XSPF)
    ElementTree.SubElement(root, "title").text = _line(title)
    tracks = ElementTree.SubElement(root, "trackList")
    for track in _tracks(table):
        element = ElementTree.SubElement(tracks, "track")
        for name, value in (("identifier", _line(track.identifier)), ("title", track.title), ("creator", track.artist)):
            if value:
                ElementTree.SubElement(element, name).text = value
    ElementTree.indent(root)
    _write(path, '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n")


def _json(table: pl.DataFrame, title: str, path: Path) -> None:
    _write(path, json.dumps(table.to_dicts(), ensure_ascii=False, indent=1))


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


WRITERS: Mapping[str, Callable[[pl.DataFrame, str, Path], object]] = {
    ".m3u": _m3u,
    ".m3u8": _m3u,
    ".xspf": _xspf,
    ".jspf": _jspf,
    ".csv": lambda table, title, path: table.write_csv(path),
    ".json": _json,
    ".parquet": lambda table, title, path: table.write_parquet(path),
}
