"""Last.fm 1K: the whole listening history of 992 users (Celma, Music Recommendation and Discovery, 2010)."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from song2vec.listens.play_logs import headerless, oldest_first
from song2vec.listens.reader import Reader, Rows, Source

_FIRST_LINE = re.compile(r"[^\t\n]+\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\t([^\t\n]*\t){3}[^\t\n]*(\n|$)")
_COLUMNS = ("listener", "time", "artist_mbid", "artist", "song", "title")


class Lastfm1K(Reader):
    name = "lastfm-1k"
    title = "Last.fm 1K"
    looks_like = "userid-timestamp-artid-artname-traid-traname.tsv: six columns with tabs, no header"

    def recognise(self, source: Source) -> bool:
        """Six columns with tabs between and no header: user, ISO time, artist mbid, artist, track mbid, track."""
        return _FIRST_LINE.match(source.head_text) is not None

    def read(self, sources: list[Source]) -> Rows:
        """All files, each listener's plays oldest first; a song is its MusicBrainz id, else "artist - title"."""
        return Rows(pl.concat([_plays(source) for source in sources]))


def _plays(source: Source) -> pl.DataFrame:
    # no column is quoted, and titles hold lone quotes
    frame = headerless(_data(source), source.where, _COLUMNS, separator="\t", quote=None).drop("artist_mbid")
    return oldest_first(frame, source.where)


def _data(source: Source) -> Path | bytes:
    """The 2.4 GB of the whole set are read where they lie; what is packed or not UTF-8 is made so in memory."""
    plain = b"\r" not in source.head and not source.head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return source.path if plain and source.path is not None else source.text().encode()
