"""XSPF playlists: XML with a title, a creator, identifiers and a duration a track (xspf.org, version 1)."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from song2vec.listens.json_values import seconds_of
from song2vec.listens.reader import FormatError, PlaylistFile, Reader, Rows, Source, Track, known_by, to_rows


class XSPF(Reader):
    name = "xspf"
    title = "XSPF playlists"
    looks_like = ".xspf"

    def recognise(self, source: Source) -> bool:
        """A playlist by its ending, or XML in the XSPF namespace."""
        return source.suffix == ".xspf" or (source.suffix == ".xml" and "xspf.org/ns/" in source.head_text)

    def read(self, sources: list[Source]) -> Rows:
        """All playlists; a song is its first identifier, else "artist - title", else its location."""
        return to_rows(sources, [_playlist(source) for source in sources])


def _playlist(source: Source) -> PlaylistFile:
    root = _parse(source)
    tracks = root.find("{*}trackList")
    if root.tag.rsplit("}", 1)[-1] != "playlist" or tracks is None:
        raise FormatError(source.where, f"is XML with <{root.tag}>; a <playlist> with a <trackList> is expected")
    return PlaylistFile(_text(root, "title"), [_track(track) for track in tracks.iterfind("{*}track")])


def _parse(source: Source) -> ElementTree.Element:
    """The XML tree; a document type is refused, as its entities can grow without bound or name other files."""
    text = source.text()
    if declaration := re.search("<!(DOCTYPE|ENTITY)", text):
        line = text.count("\n", 0, declaration.start()) + 1
        raise FormatError(source.where, "declares a document type or entities; a plain XSPF file has none", line=line)
    try:
        # as text, so that the encoding that the file claims cannot hide a declaration from the check above
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise FormatError(source.where, f"not valid XML: {error}", line=error.position[0]) from error


def _track(track: ElementTree.Element) -> Track:
    artist, title = _text(track, "creator"), _text(track, "title")
    song = known_by(_text(track, "identifier"), artist, title, _text(track, "location"))
    return Track(song, artist, title, seconds_of(_text(track, "duration"), 0.001))


def _text(element: ElementTree.Element, name: str) -> str | None:
    """The first of this name that is not blank."""
    return next((text for child in element.iterfind(f"{{*}}{name}") if (text := (child.text or "").strip())), None)
