"""Last.fm scrobbles as CSV, in the two forms that the well-known export pages write."""

from __future__ import annotations

import csv
import re

from song2vec.listens import scanning
from song2vec.listens.reader import FileReader, FormatError, Rows, Source, oldest_first

_DATE = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4},? \d\d:\d\d")
_SHORT = ("artist", "album", "title", "date")
_NEEDED = {"artist", "track", "uts"}
_LONG = {"uts": "time", "artist": "artist", "track": "title", "track_mbid": "song"}


class LastfmCSV(FileReader):
    name = "lastfm-csv"
    title = "Last.fm scrobbles as CSV"
    looks_like = ".csv with uts, artist, track, track_mbid ...; .csv of artist, album, title, date without a header"

    def recognise(self, source: Source) -> bool:
        """A header with uts, artist and track, or four columns that end in a date such as 05 Dec 2022 16:52."""
        return source.suffix in (".csv", ".txt") and (set(scanning.header(source)) >= _NEEDED or _is_short(source))

    def rows(self, source: Source) -> Rows:
        """Oldest play first; a song is its MusicBrainz id where there is one, else "artist - title"."""
        if set(scanning.header(source)) >= _NEEDED:
            return Rows(oldest_first(scanning.columns_of(source, _LONG), source.where))
        if not _is_short(source):
            message = f"has neither a header with {', '.join(sorted(_NEEDED))} nor lines of {', '.join(_SHORT)} (05 Dec 2022 16:52)"
            raise FormatError(source.where, message, line=1)
        frame = scanning.headerless(source.text().encode(), source.where, _SHORT, separator=",", quote='"')
        if frame["date"][0] and frame["date"][0].strip().lower() in ("date", "time"):  # some versions write a header
            frame = frame[1:]
        return Rows(oldest_first(frame.select("artist", "title", time="date"), source.where))


def _is_short(source: Source) -> bool:
    """By the first lines, since a song that is playing has no date yet."""
    try:
        lines = list(csv.reader(source.head_text.split("\n")[:5]))
    except csv.Error:
        return False
    return any(len(line) == len(_SHORT) and _DATE.fullmatch(line[3].strip()) for line in lines)
