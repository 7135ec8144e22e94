"""JSPF playlists: XSPF as JSON, as ListenBrainz and other services export it."""

from __future__ import annotations

import re
from typing import Any

from song2vec.listens.json_values import needed, parse_json, seconds_of, text_of
from song2vec.listens.reader import FormatError, PlaylistFile, Reader, Rows, Source, Track, to_rows, track_of

_BEGINNING = re.compile(r'\s*\{\s*"playlist"\s*:\s*\{')


class JSPF(Reader):
    name = "jspf"
    title = "JSPF playlists"
    looks_like = ".jspf, .json that begins with a playlist"

    def recognise(self, source: Source) -> bool:
        """A playlist by its ending, or JSON that begins with one."""
        return source.suffix == ".jspf" or (source.suffix == ".json" and _BEGINNING.match(source.head_text) is not None)

    def read(self, sources: list[Source]) -> Rows:
        """All playlists; a song is its first identifier, else "artist - title", else its location."""
        playlists = []
        for source in sources:
            playlist = needed(parse_json(source), "playlist", dict, source.where, "the file")
            items = enumerate(needed(playlist, "track", list, source.where, "the playlist"), 1)
            playlists.append(PlaylistFile(_first(playlist.get("title")), [_track(item, source.where, number) for number, item in items]))
        return to_rows(sources, playlists)


def _track(track: Any, where: str, number: int) -> Track:
    if not isinstance(track, dict):
        raise FormatError(where, f"track {number} is {track!r:.60}; an object is expected", field="track")
    song, artist, title, location = (_first(track.get(field)) for field in ("identifier", "creator", "title", "location"))
    return track_of(song, artist, title, location, seconds_of(track.get("duration"), 0.001))


def _first(value: Any) -> str | None:
    """A text, or the first text of a list that is not blank: identifiers and locations come as either."""
    texts = [text_of(item) for item in (value if isinstance(value, list) else [value])]
    return next((text.strip() for text in texts if text and text.strip()), None)
