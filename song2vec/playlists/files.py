"""A playlist: a table of songs with the reason for each, that shows itself and writes the files that other programs read."""

from __future__ import annotations

import html
import json
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote
from xml.etree import ElementTree

import polars as pl

from song2vec.catalogue import SongId
from song2vec.core.checks import check_ending, check_type
from song2vec.core.storage import write_atomically

_XSPF = "http://xspf.org/ns/0/"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")  # ends a line, or cannot stand in XML
_ABSOLUTE = re.compile(r"\w[\w+.-]*:|/")  # a scheme or drive, or a path from the root
_ADDRESS = re.compile(r"/|^\w[\w+.-]*:|\.\w{2,5}$")  # has a slash, a scheme or drive, or a file ending


@dataclass(frozen=True, eq=False)
class Playlist:
    """Songs in the order they are to be played.

    Attributes:
        table: position (from 1), song, artist and title where known, score (see
            :class:`song2vec.playlists.scoring.ScoreAdjustments`; null for songs that were given), because (of the songs
            before it the one nearest to this) and because_cosine (null where vectors are not known).
    """

    table: pl.DataFrame

    @classmethod
    def of(cls, songs: pl.DataFrame, scores: Sequence[float | None], reasons: Sequence[tuple[SongId | None, float | None]]) -> Self:
        """From a table of a catalogue, with a score and a reason for each song."""
        table = songs.drop("plays").with_columns(
            score=pl.Series(scores, dtype=pl.Float32),
            because=pl.Series([song for song, _ in reasons], dtype=songs["song"].dtype),
            because_cosine=pl.Series([cosine for _, cosine in reasons], dtype=pl.Float32),
        )
        return cls(table.select(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("position"), pl.all()))

    @property
    def songs(self) -> list[SongId]:
        """The song ids."""
        return self.table["song"].to_list()

    def __len__(self) -> int:
        return self.table.height

    def __iter__(self) -> Iterator[SongId]:
        return iter(self.songs)

    def __repr__(self) -> str:
        lines = [f"{position:>4}  {label}" for position, label in enumerate(self._labels(), 1)]
        return "\n".join([f"Playlist({len(self):,} songs)", *lines])

    def _repr_html_(self) -> str:
        """How notebooks show it."""
        items = "".join(f"<li>{html.escape(label)}</li>" for label in self._labels())
        return f"<p>Playlist, {len(self):,} songs</p><ol>{items}</ol>"

    def save(self, path: str | os.PathLike[str], *, title: str = "Playlist") -> Path:
        """Write for players (.m3u, .m3u8, .xspf, .jspf) or as the table (.csv, .json, .parquet).

        What players read, ``read_listens`` reads back: XSPF and JSPF name a song by its id, M3U by artist and title where
        both are known; characters that a format cannot hold, such as line ends in M3U, become spaces.

        Args:
            title: what players call the playlist.

        Raises ArgumentError for any other ending. The file appears only when it is whole.
        """
        check_type("title", title, str, "text is allowed")
        ending = check_ending(path, ENDINGS)
        if ending == ".parquet":
            return write_atomically(path, self.table.write_parquet)
        return write_atomically(path, lambda temporary: temporary.write_bytes(_TEXTS[ending](self.table, title).encode()))

    def _labels(self) -> list[str]:
        """``Artist - Title`` of each song where known, else its id."""
        names = [name for name in ("artist", "title") if name in self.table.columns]
        label = pl.concat_str([*names], separator=" - ", ignore_nulls=True).replace("", None) if names else pl.lit(None)
        return self.table.select(pl.coalesce(label, pl.col("song").cast(pl.String))).to_series().to_list()


def _tracks(table: pl.DataFrame) -> Iterator[tuple[str, str | None, str | None, str | None]]:
    """Id as text, artist, title, and ``artist - title`` where both are known."""
    for row in table.iter_rows(named=True):
        artist, title = _line(row.get("artist")) or None, _line(row.get("title")) or None
        yield str(row["song"]), artist, title, f"{artist} - {title}" if artist and title else None


def _line(text: str | None) -> str:
    """Text that fits on one line."""
    return _CONTROL.sub(" ", text or "").strip()


def _m3u(table: pl.DataFrame, title: str) -> str:
    """Every song has an #EXTINF line with its names, and an address: its id where that is one, else a file URL made of it."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(title)}"]
    for song, _, alone, name in _tracks(table):
        if name or (alone and " - " not in alone):  # else the part before the dash would pass for an artist
            lines.append(f"#EXTINF:-1,{name or alone}")
        lines.append(_address(song))
    return "\n".join(lines) + "\n"


def _address(song: str) -> str:
    """An id as a line that M3U readers take for a path or an address, unchanged where it is one."""
    plain = song == _line(song) and "\\" not in song and not song.lower().startswith(("#", "file:"))
    if plain and _ADDRESS.search(song) and (_ABSOLUTE.match(song) or posixpath.normpath(song) == song):
        return song
    return "file://" + quote(song)


def _jspf(table: pl.DataFrame, title: str) -> str:
    tracks = []
    for song, artist, name_of_song, name in _tracks(table):
        fields = {"title": name_of_song, "creator": artist, "identifier": None if song == name else [song]}
        tracks.append({field: value for field, value in fields.items() if value is not None})
    return json.dumps({"playlist": {"title": _line(title), "track": tracks}}, ensure_ascii=False, indent=1)


def _xspf(table: pl.DataFrame, title: str) -> str:
    root = ElementTree.Element("playlist", version="1", xmlns=_XSPF)
    ElementTree.SubElement(root, "title").text = _line(title)
    tracks = ElementTree.SubElement(root, "trackList")
    for song, artist, name_of_song, name in _tracks(table):
        track = ElementTree.SubElement(tracks, "track")
        for field, value in {"identifier": None if song == name else _line(song), "title": name_of_song, "creator": artist}.items():
            if value:
                ElementTree.SubElement(track, field).text = value
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


_TEXTS: Mapping[str, Callable[[pl.DataFrame, str], str]] = {
    ".m3u": _m3u,
    ".m3u8": _m3u,
    ".xspf": _xspf,
    ".jspf": _jspf,
    ".csv": lambda table, title: table.write_csv(),
    ".json": lambda table, title: json.dumps(table.to_dicts(), ensure_ascii=False, indent=1),
}
ENDINGS = (*_TEXTS, ".parquet")
