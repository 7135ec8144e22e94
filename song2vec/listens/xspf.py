"""XSPF playlists: XML with a title, a creator, identifiers and a duration a track (xspf.org, version 1)."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from song2vec.listens.json_values import seconds_of
from song2vec.listens.reader import FormatError, PlaylistFile, Reader, Rows, Source, to_rows, track_of


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
    text = source.text()
    if declaration := re.search("<!(DOCTYPE|ENTITY)", text):  # entities can grow without bound, or name other files
        line = text.count("\n", 0, declaration.start()) + 1
        raise FormatError(source.where, "declares a document type or entities; a plain XSPF file has none", line=line)
    try:
        # as text, so that the encoding that the file claims cannot hide a declaration from the check above
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise FormatError(source.where, f"not valid XML: {error}", line=error.position[0]) from error
    listed = root.find("{*}trackList")
    if root.tag.rsplit("}", 1)[-1] != "playlist" or listed is None:
        raise FormatError(source.where, f"is XML with <{root.tag}>; a <playlist> with a <trackList> is expected")
    fields = ("identifier", "creator", "title", "location", "duration")
    found = ([_text(track, field) for field in fields] for track in listed.iterfind("{*}track"))
    tracks = [track_of(song, artist, name, place, seconds_of(duration, 0.001)) for song, artist, name, place, duration in found]
    return PlaylistFile(_text(root, "title"), tracks)


def _text(element: ElementTree.Element, name: str) -> str | None:
    """The first of this name that is not blank."""
    return next((text for child in element.iterfind(f"{{*}}{name}") if (text := (child.text or "").strip())), None)
