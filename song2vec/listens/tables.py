"""Plain tables: CSV, TSV, NDJSON, Parquet and frames, with columns under their usual names or mapped by the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from song2vec.core.errors import ArgumentError, FormatError
from song2vec.listens.reader import Reader, Source
from song2vec.listens.scanning import header, readable, scan
from song2vec.listens.schema import COLUMNS, CONTEXT, Rows

Columns = Mapping[str, str | Sequence[str]]
# Names are compared in lower case without spaces, underscores, dashes and dots; the first that is there wins.
ALIASES: Mapping[str, Sequence[str]] = {
    "listener": ("listener", "listenerid", "user", "userid", "uid", "username", "station"),
    "song": ("song", "songid", "trackid", "item", "itemid", "trackuri", "spotifytrackuri", "recordingmbid", "recordingmsid"),
    "time": ("time", "timestamp", "ts", "listenedat", "playedat", "datetime", "utctime", "uts", "date", "createdat"),
    "played_seconds": ("playedseconds", "secondsplayed", "playtime", "msplayed", "playedms"),
    "duration_seconds": ("durationseconds", "durationms", "tracklengthseconds", "tracklength", "duration", "seconds"),
    "artist": ("artist", "artistname", "artists", "artistid", "creator"),
    "title": ("title", "tracktitle", "trackname", "songname", "songtitle", "track", "recordingname", "name"),
    "session": ("session", "sessionid", "playlist", "playlistid", "pid", "mixid"),
    "skipped": ("skipped", "skip"),
}
# Yambda gives the share of the song that was played, in percent; it becomes seconds by the song's length.
_PLAYED_PERCENT = "playedratiopct"
_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".ndjson", ".jsonl", ".parquet", ".pq", ".arrow", ".feather")


class Table(Reader):
    name = "table"
    title = "any table"
    looks_like = ".csv, .tsv, .txt, .ndjson, .jsonl, .parquet, .arrow (also .gz, .zst, .bz2) with named columns; frames"

    def recognise(self, source: Source) -> bool:
        """A table by its ending that has a song (or an artist and a title), and a time or a session."""
        if source.suffix not in _SUFFIXES:
            return False
        found = find_columns(header(source))
        named = "song" in found or {"artist", "title"} <= found.keys()
        return named and bool(found.keys() & {"time", "session"})

    def read(self, sources: list[Source]) -> Rows:
        return read_tables(sources)


def read_tables(sources: list[Source], columns: Columns | None = None) -> Rows:
    """All sources as one table; they must have the same columns."""
    frames = [_choose(scan(source), columns, source.where) for source in sources]
    with readable(sources[0].where):
        try:
            frame = pl.concat(frames, how="vertical_relaxed").collect()
        except (pl.exceptions.ShapeError, pl.exceptions.SchemaError) as error:
            others = f"the {len(sources) - 1} files beside it"
            raise FormatError(sources[0].where, f"and {others} do not have the same columns ({error})") from error
    return Rows(_in_seconds(frame))


def from_frame(frame: Any, columns: Columns | None = None) -> Rows:
    """A polars (also lazy), pandas or Arrow frame as rows."""
    try:
        if type(frame).__module__.startswith("pandas"):
            frame = pl.from_pandas(frame)
        lazy = (frame if isinstance(frame, pl.LazyFrame | pl.DataFrame) else pl.DataFrame(frame)).lazy()
    except (TypeError, ValueError, ImportError, pl.exceptions.PolarsError) as error:
        message = f"log is a {type(frame).__name__}; a path or a polars, pandas or Arrow frame is allowed ({error})"
        raise ArgumentError(message) from error
    return Rows(_in_seconds(_choose(lazy, columns, "frame").collect()))


def find_columns(names: Iterable[str]) -> dict[str, list[str]]:
    """Which of these column names is which listens column: ``{"time": ["date", "time"], "song": ["ItemId"]}``."""
    known = {plain(name): name for name in reversed(list(names))}
    found: dict[str, list[str]] = {}
    for wanted, aliases in ALIASES.items():
        first = next((alias for alias in aliases if alias in known), None)
        if first is not None:
            found[wanted] = [known[first]]
    if "date" in known and "time" in known:  # a clock beside a date is half a time
        found["time"] = [known["date"], known["time"]]
    return found


def _choose(lazy: pl.LazyFrame, columns: Columns | None, where: str) -> pl.LazyFrame:
    """Only the wanted columns, under their listens names; milliseconds become seconds."""
    names = lazy.collect_schema().names()
    context = {name: [name] for name in names if name.startswith(CONTEXT)}
    found = find_columns(names) | context | _checked(columns or {}, names)
    absent = None
    if "song" not in found and not {"artist", "title"} <= found.keys():
        absent = "none is a song id, nor an artist with a title; name it with columns={'song': ...}"
    elif "session" not in found and "time" not in found:
        absent = "none is a time or a session; name one with columns={'time': ...}"
    if absent is not None:
        raise FormatError(where, f"columns are {', '.join(names)}: {absent}", line=None if where == "frame" else 1)
    chosen = [
        pl.col(given[0]).alias(wanted) if len(given) == 1 else pl.concat_str(pl.col(given).cast(pl.String), separator=" ").alias(wanted)
        for wanted, given in found.items()
    ]
    percent = next((name for name in names if plain(name) == _PLAYED_PERCENT), None)
    if percent is not None and "duration_seconds" in found and "played_seconds" not in found:
        share = pl.col(percent).cast(pl.Float32, strict=False).clip(0, 100) / 100
        chosen.append((share * pl.col(found["duration_seconds"][0]).cast(pl.Float32, strict=False)).alias("played_seconds"))
    lazy = lazy.select(chosen)
    milliseconds = [name for name in ("played_seconds", "duration_seconds") if name in found and "ms" in plain(found[name][0])]
    return lazy.with_columns(pl.col(name).cast(pl.Float64, strict=False) / 1000 for name in milliseconds)


def _checked(columns: Columns, names: list[str]) -> dict[str, list[str]]:
    mapped: dict[str, list[str]] = {}
    for wanted, given in columns.items():
        if wanted not in COLUMNS and wanted.removeprefix(CONTEXT) in ("", wanted):
            raise ArgumentError(f"columns={{{wanted!r}: ...}}: {', '.join(COLUMNS)} and {CONTEXT}NAME are allowed")
        mapped[wanted] = [given] if isinstance(given, str) else list(given)
        for name in mapped[wanted]:
            if name not in names:
                raise ArgumentError(f"columns={{{wanted!r}: {name!r}}}: the log's columns are {', '.join(names)}")
    return mapped


def _in_seconds(frame: pl.DataFrame) -> pl.DataFrame:
    """Text columns that hold numbers become numbers; lengths such as ``0:02:58`` become seconds."""
    schema = frame.schema
    frame = frame.with_columns(_whole_numbers(frame[name]) for name in ("listener", "song", "session") if name in schema)
    clocks = [name for name in ("played_seconds", "duration_seconds") if schema.get(name) == pl.String]
    parts = pl.col(clocks).str.strip_chars().str.split(":").list.reverse().list.eval(pl.element().cast(pl.Float32, strict=False))
    hours, minutes = (parts.list.get(place, null_on_oob=True).fill_null(0) for place in (2, 1))
    frame = frame.with_columns(hours * 3600 + minutes * 60 + parts.list.get(0, null_on_oob=True))
    if schema.get("skipped") == pl.String:
        frame = frame.with_columns(pl.col("skipped").str.to_lowercase().is_in(["true", "1", "yes", "y"]))
    if "duration_seconds" in frame.columns and frame.height:
        # no song is typically longer than an hour and a half: such numbers are milliseconds under a plain name
        typical = frame["duration_seconds"].cast(pl.Float64, strict=False).median()
        if typical is not None and float(typical) > 5400:  # type: ignore[arg-type]
            frame = frame.with_columns(pl.col("duration_seconds") / 1000)
    return frame


def _whole_numbers(ids: pl.Series) -> pl.Series:
    """Ids that are whole numbers without leading zeros, all of them, become integers; others stay text."""
    if ids.dtype.is_float() and ids.drop_nulls().cast(pl.Int64, strict=False).cast(ids.dtype).eq(ids.drop_nulls()).all():
        return ids.cast(pl.Int64)  # pandas makes integers with gaps into floats
    if ids.dtype != pl.String or not len(ids):
        return ids
    stripped = ids.str.strip_chars()
    filled = stripped.filter(stripped != "")
    if len(filled) and filled.str.contains(r"^(0|-?[1-9]\d{0,17})$").all():
        return stripped.cast(pl.Int64, strict=False)
    return ids


def plain(name: str) -> str:
    """``User_ID`` -> ``userid``."""
    return "".join(character for character in name.lower() if character.isalnum())
