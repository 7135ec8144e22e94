"""The .scrobbler.log that portable players (Rockbox and others) keep for a later upload."""

from __future__ import annotations

import logging

import polars as pl

from song2vec.listens.reader import FileReader, FormatError, Rows, Source, numbers

logger = logging.getLogger("song2vec")

_HEADER = "#AUDIOSCROBBLER"
_FIELDS = ("artist", "release", "title", "number", "duration", "rating", "time", "song")
_NEEDED = 7  # the MusicBrainz id came with version 1.1
_MARKS = ("#AUDIOSCROBBLER/", "#TZ/", "#CLIENT/")  # a player writes them again when it appends; an artist may begin with # too


class ScrobblerLog(FileReader):
    name = "scrobbler-log"
    title = ".scrobbler.log of portable players"
    looks_like = ".scrobbler.log: text that begins with #AUDIOSCROBBLER"

    def recognise(self, source: Source) -> bool:
        """A text that begins with #AUDIOSCROBBLER."""
        return source.head_text.startswith(_HEADER)

    def rows(self, source: Source) -> Rows:
        """A song is its MusicBrainz id, else "artist - title". Times of a player that knows no zone are taken as UTC."""
        lines = source.text().split("\n")
        if not lines[0].startswith(_HEADER):
            raise FormatError(source.where, f"begins with {lines[0]!r:.60}; {_HEADER} is needed", line=1)
        if "#TZ/UNKNOWN" in lines[:5]:
            logger.warning("%s: the player knew no time zone (#TZ/UNKNOWN); its clock is taken as UTC", source.where)
        plays = [(number, line.split("\t")) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith(_MARKS)]
        whole = [(number, fields) for number, fields in plays if len(fields) >= _NEEDED]
        for number, fields in whole:
            if fields[5].strip() not in ("L", "S"):
                message = f"has {fields[5]!r:.60}; L (listened) or S (skipped) is allowed"
                raise FormatError(source.where, message, line=number, field="rating")
        rows = [[*fields, None][: len(_FIELDS)] for _, fields in whole]
        frame = pl.DataFrame(rows, dict.fromkeys(_FIELDS, pl.String()), orient="row")
        numbered = [numbers(frame[name], source.where, [number for number, _ in whole]) for name in ("time", "duration")]
        frame = frame.with_columns(numbered).rename({"duration": "duration_seconds"})
        frame = frame.select("artist", "title", "song", "time", "duration_seconds", skipped=pl.col("rating").str.strip_chars() == "S")
        return Rows(frame, {"cut short": len(plays) - len(whole)})
