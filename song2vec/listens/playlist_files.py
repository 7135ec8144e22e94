"""What M3U, XSPF and JSPF share: a file is one playlist and one session, and together they are one log without times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import takewhile
from pathlib import PurePath
from typing import NamedTuple

from song2vec.listens.json_values import SECONDS, TEXT, columns_of_rows
from song2vec.listens.schema import Rows
from song2vec.listens.sources import Source


class Track(NamedTuple):
    """One entry of a playlist; without a ``song`` id it is known by artist and title."""

    song: str | None
    artist: str | None
    title: str | None
    duration_seconds: float | None


class PlaylistFile(NamedTuple):
    """The name that a playlist gives itself, if any, and its tracks in order."""

    name: str | None
    tracks: list[Track]


_FIELDS = {"session": TEXT, "song": TEXT, "artist": TEXT, "title": TEXT, "duration_seconds": SECONDS}


def known_by(identifier: str | None, artist: str | None, title: str | None, location: str | None) -> str | None:
    """The song id of a track: its identifier, else null where artist and title will do, else where it lies."""
    if identifier or (artist and title):
        return identifier
    return location


def paths_below(sources: list[Source]) -> list[PurePath]:
    """Where each file lies below the folder that all of them share: the same from a folder, a zip or a moved copy."""
    paths = [PurePath(source.where) for source in sources]
    folders = zip(*(path.parent.parts for path in paths), strict=False)  # as deep as the shallowest
    shared = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, folders))
    return [PurePath(*path.parts[shared:]) for path in paths]


def to_rows(sources: list[Source], playlists: list[PlaylistFile], dropped: Mapping[str, int] | None = None) -> Rows:
    """The playlists of these sources as rows; each is a session under its own name, or else its file's."""
    paths = paths_below(sources)
    stems = [(path.parent / PurePath(source.name).stem).as_posix() for path, source in zip(paths, sources, strict=True)]
    if len(set(stems)) < len(stems):  # mix.m3u beside mix.xspf.gz
        stems = [path.as_posix() for path in paths]
    names = [playlist.name or stem for playlist, stem in zip(playlists, stems, strict=True)]
    times = Counter(names)  # two of one name are known by where their files lie
    names = [name if times[name] == 1 else f"{name} ({stem})" for name, stem in zip(names, stems, strict=True)]
    rows = [(name, *track) for name, playlist in zip(names, playlists, strict=True) for track in playlist.tracks]
    return Rows(columns_of_rows(rows, _FIELDS), dropped or {})
