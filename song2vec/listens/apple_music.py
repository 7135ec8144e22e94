"""Apple Music's play activity, as Apple's privacy page exports it."""

from __future__ import annotations

import polars as pl

from song2vec.listens import scanning
from song2vec.listens.play_logs import numbers, start_of
from song2vec.listens.reader import FormatError, Reader, Rows, Source
from song2vec.listens.schema import sift
from song2vec.listens.times import parse_time

_NAME = "apple music play activity"
_EVENT, _TITLE, _ARTIST = "Event Type", "Song Name", "Artist Name"  # not "Container Artist Name": that is whose playlist was on
_START, _END = "Event Start Timestamp", "Event End Timestamp"
_PLAYED, _LENGTH = "Play Duration Milliseconds", "Media Duration In Milliseconds"


class AppleMusic(Reader):
    name = "apple-music"
    title = "Apple Music play activity"
    looks_like = "Apple Music Play Activity.csv"

    def recognise(self, source: Source) -> bool:
        """The file's name, or the columns that tell it."""
        if source.suffix != ".csv":
            return False
        return source.name.lower().startswith(_NAME) or {_EVENT, _TITLE, _PLAYED} <= set(scanning.header(source))

    def read(self, sources: list[Source]) -> Rows:
        """All files; only events that end a play count, since each play writes several.

        Most exports name no artist. A song is its "artist - title" where there is one, else its title alone, which
        songs of the same title share.
        """
        frame = pl.concat([_events(source) for source in sources])
        frame, dropped = sift(frame, {"of another event type than PLAY_END": pl.col(_EVENT).ne_missing("PLAY_END")})
        named = pl.col(_ARTIST).str.strip_chars().fill_null("") != ""
        frame = frame.select(
            pl.coalesce(_START, start_of(_END, _PLAYED)).alias("time"),
            pl.when(~named).then(_TITLE).alias("song"),
            _seconds(_PLAYED).alias("played_seconds"),
            _seconds(_LENGTH).alias("duration_seconds"),
            pl.when(named).then(_ARTIST).alias("artist"),
            pl.col(_TITLE).alias("title"),
        )
        absent = [column.name for column in frame if column.name not in ("song", "time") and column.null_count() == frame.height]
        return Rows(frame.drop(absent), dropped)


def _events(source: Source) -> pl.DataFrame:
    """The columns that are used, those that this export lacks as nulls."""
    lazy = scanning.scan(source)
    names = lazy.collect_schema().names()
    for name in (_EVENT, _TITLE, _END if _START not in names else _START):
        if name not in names:
            raise FormatError(source.where, f"is no column; the columns are {', '.join(names):.300}", line=1, field=name)
    wanted = (_EVENT, _TITLE, _ARTIST, _START, _END, _PLAYED, _LENGTH)
    with scanning.readable(source.where):
        frame = lazy.select(pl.col(name) if name in names else pl.lit(None, pl.String).alias(name) for name in wanted).collect()
    lines = range(2, frame.height + 2)
    times = [parse_time(frame[name], source.where).alias(name) for name in (_START, _END)]
    return frame.with_columns(times + [numbers(frame[name], source.where, lines) for name in (_PLAYED, _LENGTH)])


def _seconds(milliseconds: str) -> pl.Expr:
    """A length below 0, which Apple writes after seeking back, is none."""
    return pl.when(pl.col(milliseconds) >= 0).then(pl.col(milliseconds) / 1000)
