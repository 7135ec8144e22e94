"""Apple Music's play activity, as Apple's privacy page exports it."""

from __future__ import annotations

import polars as pl

from song2vec.listens import scanning
from song2vec.listens.reader import FileReader, Rows, Source, numbers, start_of
from song2vec.listens.schema import sift
from song2vec.listens.times import parse_time

_NAME = "apple music play activity"
_EVENT, _TITLE, _ARTIST = "Event Type", "Song Name", "Artist Name"  # not "Container Artist Name": that is whose playlist was on
_START, _END = "Event Start Timestamp", "Event End Timestamp"
_PLAYED, _LENGTH = "Play Duration Milliseconds", "Media Duration In Milliseconds"
_USED = (_EVENT, _TITLE, _ARTIST, _START, _END, _PLAYED, _LENGTH)


class AppleMusic(FileReader):
    name = "apple-music"
    title = "Apple Music play activity"
    looks_like = "Apple Music Play Activity.csv"

    def recognise(self, source: Source) -> bool:
        """The file's name, or its columns."""
        if source.suffix != ".csv":
            return False
        return source.name.lower().startswith(_NAME) or {_EVENT, _TITLE, _PLAYED} <= set(scanning.header(source))

    def rows(self, source: Source) -> Rows:
        """Only events that end a play count, since each play writes several.

        Most exports name no artist. A song is its "artist - title" where there is one, else its title alone, which
        songs of the same title share.
        """
        needed = (_EVENT, _TITLE, _END if _START not in scanning.header(source) else _START)
        frame = scanning.columns_of(source, {name: name for name in _USED}, needed)
        frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in _USED if name not in frame.columns)
        lines = range(2, frame.height + 2)
        frame = frame.with_columns(numbers(frame[name], source.where, lines) for name in (_PLAYED, _LENGTH))
        ended = start_of(frame, _END, _PLAYED, source.where)
        frame = frame.with_columns(time=parse_time(frame[_START], source.where).fill_null(ended))
        frame, dropped = sift(frame, {"of another event type than PLAY_END": pl.col(_EVENT).ne_missing("PLAY_END")})
        named = pl.col(_ARTIST).str.strip_chars().fill_null("") != ""
        frame = frame.select(
            "time",
            pl.when(~named).then(_TITLE).alias("song"),
            _seconds(_PLAYED).alias("played_seconds"),
            _seconds(_LENGTH).alias("duration_seconds"),
            pl.when(named).then(_ARTIST).alias("artist"),
            pl.col(_TITLE).alias("title"),
        )
        absent = [column.name for column in frame if column.name not in ("song", "time") and column.null_count() == frame.height]
        return Rows(frame.drop(absent), dropped)


def _seconds(milliseconds: str) -> pl.Expr:
    """A length below 0, which Apple writes after seeking back, is none."""
    return pl.when(pl.col(milliseconds) >= 0).then(pl.col(milliseconds) / 1000)
