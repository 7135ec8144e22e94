"""Last.fm 1K: the whole listening history of 992 users (Celma, Music Recommendation and Discovery, 2010)."""

from __future__ import annotations

import re

from song2vec.listens.reader import FileReader, Rows, Source, oldest_first
from song2vec.listens.scanning import headerless

_FIRST_LINE = re.compile(r"[^\t\n]+\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\t([^\t\n]*\t){3}[^\t\n]*(\n|$)")
_COLUMNS = ("listener", "time", "artist_mbid", "artist", "song", "title")


class Lastfm1K(FileReader):
    name = "lastfm-1k"
    title = "Last.fm 1K"
    looks_like = "userid-timestamp-artid-artname-traid-traname.tsv: six columns with tabs, no header"

    def recognise(self, source: Source) -> bool:
        """Six columns with tabs between and no header: user, ISO time, artist mbid, artist, track mbid, track."""
        return _FIRST_LINE.match(source.head_text) is not None

    def rows(self, source: Source) -> Rows:
        """Each listener's plays oldest first; a song is its MusicBrainz id, else "artist - title"."""
        # the 2.4 GB of the whole set are read where they lie; what is packed or not UTF-8 is made so in memory
        plain = b"\r" not in source.head and not source.head.startswith((b"\xff\xfe", b"\xfe\xff"))
        data = source.path if plain and source.path is not None else source.text().encode()
        # no column is quoted, and titles hold lone quotes
        frame = headerless(data, source.where, _COLUMNS, separator="\t", quote=None).drop("artist_mbid")
        return Rows(oldest_first(frame, source.where))
