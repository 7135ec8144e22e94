"""Playlist files: the tables of playlists as other programs read them."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import polars as pl

_XSPF = "http://xspf.org/ns/0/"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")  # ends a line, or cannot stand in XML
_ABSOLUTE = re.compile(r"\w[\w+.-]*:|/")  # a scheme or drive, or a path from the root
_ADDRESS = re.compile(r"/|^\w[\w+.-]*:|\.\w{2,5}$")  # has a slash, a scheme or drive, or a file ending


def _tracks(table: pl.DataFrame) -> Iterator[tuple[str, str | None, str | None, str | None]]:
    """Id as text, artist, title, and ``artist - title`` where both are known."""
    for row in table.iter_rows(named=True):
        artist, title = _line(row.get("artist")) or None, _line(row.get("title")) or None
        yield str(row["song"]), artist, title, f"{artist} - {title}" if artist and title else None


def _line(text: str | None) -> str:
    """Text that fits on one line."""
    return _CONTROL.sub(" ", text or "").strip()


def _m3u(table: pl.DataFrame, title: str, path: Path) -> None:
    """Every song has an #EXTINF line with its names, and an address: its id where that is one, else a file URL made of it."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(title)}"]
    for song, _, alone, name in _tracks(table):
        if name or (alone and " - " not in alone):  # else the part before the dash would pass for an artist
            lines.append(f"#EXTINF:-1,{name or alone}")
        lines.append(_address(song))
    _write(path, "\n".join(lines) + "\n")


def _address(song: str) -> str:
    """An id as a line that M3U readers take for a path or an address, unchanged where it is one."""
    plain = song == _line(song) and "\\" not in song and not song.lower().startswith(("#", "file:"))
    if plain and _ADDRESS.search(song) and (_ABSOLUTE.match(song) or posixpath.normpath(song) == song):
        return song
    return "file://" + quote(song)


def _jspf(table: pl.DataFrame, title: str, path: Path) -> None:
    tracks = []
    for song, artist, name_of_song, name in _tracks(table):
        fields = {"title": name_of_song, "creator": artist, "identifier": None if song == name else [song]}
        tracks.append({field: value for field, value in fields.items() if value is not None})
    _write(path, json.dumps({"playlist": {"title": _line(title), "track": tracks}}, ensure_ascii=False, indent=1))


def _xspf(table: pl.DataFrame, title: str, path: Path) -> None:
    root = ElementTree.Element("playlist", version="1", xmlns=_XSPF)
    ElementTree.SubElement(root, "title").text = _line(title)
    tracks = ElementTree.SubElement(root, "trackList")
    for song, artist, name_of_song, name in _tracks(table):
        track = ElementTree.SubElement(tracks, "track")
        for field, value in {"identifier": None if song == name else _line(song), "title": name_of_song, "creator": artist}.items():
            if value:
                ElementTree.SubElement(track, field).text = value
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
