"""M3U and M3U8 playlists: a path or an address a line, with ``#EXTINF`` lines that name the songs."""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePath
from urllib.parse import unquote

from song2vec.listens.json_values import seconds_of
from song2vec.listens.reader import FormatError, PlaylistFile, Reader, Rows, Source, Track, paths_below, to_rows, track_of

# seconds, perhaps key="value" pairs, then a comma and the name; -1 seconds means unknown
_EXTINF = re.compile(r'#EXTINF:\s*(-?[\d.]*)(?:\s+[\w-]+="[^"]*")*\s*,(.*)', re.IGNORECASE)
_ADDRESS = re.compile(r"[/\\]|^\w[\w+.-]*:|\.\w{2,5}$")  # has a slash, a scheme or drive, or a file ending
_ABSOLUTE = re.compile(r"/|\w[\w+.-]*:")


class M3U(Reader):
    name = "m3u"
    title = "M3U playlists"
    looks_like = ".m3u, .m3u8 (#EXTM3U)"

    def recognise(self, source: Source) -> bool:
        """A playlist by its ending or its first line; lists of video segments have the same ending and are none."""
        named = source.suffix in (".m3u", ".m3u8") or source.head_text.startswith("#EXTM3U")
        return named and "#EXT-X-" not in source.head_text

    def read(self, sources: list[Source]) -> Rows:
        """All playlists; a song is "artist - title" where the playlist names both, else its path or address."""
        dropped = {"neither a path nor an address": 0}
        folders = [path.parent for path in paths_below(sources)]
        playlists = [_playlist(source, folder, dropped) for source, folder in zip(sources, folders, strict=True)]
        return to_rows(sources, playlists, dropped)


def _playlist(source: Source, folder: PurePath, dropped: dict[str, int]) -> PlaylistFile:
    name: str | None = None
    tracks: list[Track] = []
    junk: list[tuple[int, str]] = []
    described = ""
    for number, line in enumerate(map(str.strip, source.text().split("\n")), 1):
        if "\0" in line:
            raise FormatError(source.where, "holds a zero byte, which no path has: not a playlist", line=number)
        if line[:8].upper() == "#EXTINF:":
            described = line
        elif line[:10].upper() == "#PLAYLIST:":
            name = line[10:].strip()
        elif line and not line.startswith("#"):
            track = _track(described, line, folder)
            described = ""
            if track.song is None or _ADDRESS.search(line):
                tracks.append(track)
            else:
                junk.append((number, line))
    if junk and not tracks:
        raise FormatError(source.where, f"holds {junk[0][1]!r:.60}; a path or an address is expected", line=junk[0][0])
    dropped["neither a path nor an address"] += len(junk)
    return PlaylistFile(name, tracks)


def _track(described: str, address: str, folder: PurePath) -> Track:
    match = _EXTINF.match(described)
    seconds, names = match.groups() if match else ("", "")
    artist, dash, title = (part.strip() for part in names.partition(" - "))
    if not dash:  # one name alone is the song's
        artist, title = "", artist
    if address.lower().startswith("file://"):
        address = unquote(address[7:])
    else:
        address = address.replace("\\", "/") if "://" not in address else address
        if not _ABSOLUTE.match(address):  # as seen from the folder that all playlists share, so that one song has one path
            address = posixpath.normpath(posixpath.join(folder.as_posix(), address))
    return track_of(None, artist or None, title or None, address, seconds_of(seconds))
