"""Last.fm scrobbles as CSV, in the two forms that the well-known export pages write."""

from __future__ import annotations

import csv
import re

import polars as pl

from song2vec.listens import scanning
from song2vec.listens.play_logs import headerless, oldest_first
from song2vec.listens.reader import FormatError, Reader, Rows, Source

_DATE = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4},? \d\d:\d\d")
_SHORT = ("artist", "album", "title", "date")
_LONG = {"artist", "track", "uts"}


class LastfmCSV(Reader):
    name = "lastfm-csv"
    title = "Last.fm scrobbles as CSV"
    looks_like = ".csv with uts, artist, track, track_mbid ...; .csv of artist, album, title, date without a header"

    def recognise(self, source: Source) -> bool:
        """A header with uts, artist and track, or four columns that end in a date such as 05 Dec 2022 16:52."""
        return source.suffix in (".csv", ".txt") and (_is_long(source) or _is_short(source))

    def read(self, sources: list[Source]) -> Rows:
        """All files, oldest play first; a song is its MusicBrainz id where there is one, else "artist - title"."""
        return Rows(pl.concat([_long(source) if _is_long(source) else _short(source) for source in sources], how="diagonal"))


def _is_long(source: Source) -> bool:
    return set(scanning.header(source)) >= _LONG


def _is_short(source: Source) -> bool:
    """By the first lines, since a song that is playing has no date yet."""
    try:
        lines = list(csv.reader(source.head_text.split("\n")[:5]))
    except csv.Error:
        return False
    return any(len(line) == len(_SHORT) and _DATE.fullmatch(line[3].strip()) for line in lines)


def _long(source: Source) -> pl.DataFrame:
    columns = {"uts": "time", "artist": "artist", "track": "title", "track_mbid": "song"}
    lazy = scanning.scan(source)
    names = [name for name in lazy.collect_schema().names() if name in columns]
    with scanning.readable(source.where):
        frame = lazy.select(pl.col(name).alias(columns[name]) for name in names).collect()
    return oldest_first(frame, source.where)


def _short(source: Source) -> pl.DataFrame:
    if not _is_short(source):
        message = f"has neither a header with {', '.join(sorted(_LONG))} nor lines of {', '.join(_SHORT)} (05 Dec 2022 16:52)"
        raise FormatError(source.where, message, line=1)
    frame = headerless(source.text().encode(), source.where, _SHORT, separator=",", quote='"')
    if frame["date"][0] and frame["date"][0].strip().lower() in ("date", "time"):  # some versions write a header
        frame = frame[1:]
    return oldest_first(frame.select("artist", "title", time="date"), source.where)
