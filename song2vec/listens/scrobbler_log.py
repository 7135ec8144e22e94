"""The .scrobbler.log that portable players (Rockbox and others) keep for a later upload."""

from __future__ import annotations

import logging

import polars as pl

from song2vec.listens.play_logs import numbers
from song2vec.listens.reader import FormatError, Reader, Rows, Source

logger = logging.getLogger("song2vec")

_HEADER = "#AUDIOSCROBBLER"
_FIELDS = ("artist", "release", "title", "number", "duration", "rating", "time", "song")
_NEEDED = 7  # the MusicBrainz id came with version 1.1
_MARKS = ("#AUDIOSCROBBLER/", "#TZ/", "#CLIENT/")  # a player writes them again when it appends; an artist may begin with # too


class ScrobblerLog(Reader):
    name = "scrobbler-log"
    title = ".scrobbler.log of portable players"
    looks_like = ".scrobbler.log: text that begins with #AUDIOSCROBBLER"

    def recognise(self, source: Source) -> bool:
        """A text that begins with #AUDIOSCROBBLER."""
        return source.head_text.startswith(_HEADER)

    def read(self, sources: list[Source]) -> Rows:
        """All logs; a song is its MusicBrainz id, else "artist - title". Times of a player that knows no zone are taken as UTC."""
        found = [_plays(source) for source in sources]
        return Rows(pl.concat([frame for frame, _ in found]), {"cut short": sum(short for _, short in found)})


def _plays(source: Source) -> tuple[pl.DataFrame, int]:
    lines = source.text().split("\n")
    if not lines[0].startswith(_HEADER):
        raise FormatError(source.where, f"begins with {lines[0]!r:.60}; {_HEADER} is needed", line=1)
    if "#TZ/UNKNOWN" in lines[:5]:
        logger.warning("%s: the player knew no time zone (#TZ/UNKNOWN); its clock is taken as UTC", source.where)
    rows = [(number, line.split("\t")) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith(_MARKS)]
    whole = [(number, fields) for number, fields in rows if len(fields) >= _NEEDED]
    for number, fields in whole:
        if fields[5].strip() not in ("L", "S"):
            raise FormatError(source.where, f"has {fields[5]!r:.60}; L (listened) or S (skipped) is allowed", line=number, field="rating")
    return _frame(whole, source.where), len(rows) - len(whole)


def _frame(rows: list[tuple[int, list[str]]], where: str) -> pl.DataFrame:
    columns = {name: [fields[place] if place < len(fields) else None for _, fields in rows] for place, name in enumerate(_FIELDS)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(_FIELDS, pl.String()))
    lines = [number for number, _ in rows]
    return frame.select(
        "artist",
        "title",
        "song",
        numbers(frame["time"], where, lines),
        numbers(frame["duration"], where, lines).alias("duration_seconds"),
        skipped=pl.col("rating").str.strip_chars() == "S",
    )
