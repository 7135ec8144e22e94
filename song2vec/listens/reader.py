"""What a reader is: one format's name, how to recognise it, and how to read it; and what the files of readers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import PurePath
from typing import ClassVar, NamedTuple

import polars as pl

from song2vec.core.errors import FormatError as FormatError
from song2vec.listens.json_values import SECONDS, TEXT, columns_of_rows
from song2vec.listens.schema import Rows as Rows
from song2vec.listens.sources import Source as Source
from song2vec.listens.times import parse_time

_DAY = 86_400_000  # milliseconds
_TRACK_FIELDS = {"session": TEXT, "song": TEXT, "artist": TEXT, "title": TEXT, "duration_seconds": SECONDS}


class Reader(ABC):
    """One log format.

    Attributes:
        name: what ``read_listens(format=...)`` calls it.
        title: what people call it.
        looks_like: the files or header it is known by, for ``song2vec formats``.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    looks_like: ClassVar[str]

    @abstractmethod
    def recognise(self, source: Source) -> bool:
        """Whether one source is of this format, by its name and head only; never raises on junk."""

    @abstractmethod
    def read(self, sources: list[Source]) -> Rows:
        """All recognised sources of one call. Raises FormatError when they are not what they claim."""


class FileReader(Reader):
    """A format whose files are read one by one."""

    @abstractmethod
    def rows(self, source: Source) -> Rows:
        """One source. Raises FormatError when it is not what it claims."""

    def read(self, sources: list[Source]) -> Rows:
        """All sources, one after the other; a column that one of them lacks is null there."""
        dropped: Counter[str] = Counter()
        frames = []
        for source in sources:
            found = self.rows(source)
            frames.append(found.frame)
            dropped.update(found.dropped)
        return Rows(pl.concat(frames, how="diagonal_relaxed"), dropped)


def train_first(sources: list[Source]) -> list[Source]:
    """The files of a split in the order they were cut: train, valid, test."""
    return sorted(sources, key=lambda source: [part in source.name.lower() for part in ("test", "valid")])


def numbers(texts: pl.Series, where: str, lines: Sequence[int]) -> pl.Series:
    """A column of text as numbers, blanks as null; FormatError names the line of the first that is none."""
    texts = texts.str.strip_chars()
    found = texts.cast(pl.Float64, strict=False)
    wrong = texts.is_not_null() & (texts != "") & ~found.is_finite().fill_null(False)
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise FormatError(where, f"has {texts[row]!r:.60}; a number or nothing is allowed", line=lines[row], field=texts.name)
    return found


def start_of(frame: pl.DataFrame, ended: str, milliseconds: str, where: str) -> pl.Series:
    """When plays began that ended then and lasted so long; a length below 0 or above a day counts as 0 or a day."""
    played = pl.col(milliseconds).fill_null(0).clip(0, _DAY).cast(pl.Int64)
    return frame.select(parse_time(frame[ended], where) - pl.duration(milliseconds=played)).to_series().alias("time")


def oldest_first(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """A log that its format keeps newest first, in the order it was played, so that plays with equal stamps keep theirs too.

    One that someone has already turned round (its times rise more often than they fall) is left as it is.
    """
    times = parse_time(frame["time"], where)
    steps = times.drop_nulls().diff().dt.total_microseconds()
    frame, rises, falls = frame.with_columns(times), (steps > 0).sum(), (steps < 0).sum()
    return frame if rises > falls else frame.reverse()


class Track(NamedTuple):
    """One entry of a playlist; without a ``song`` id it is known by artist and title."""

    song: str | None
    artist: str | None
    title: str | None
    duration_seconds: float | None


class PlaylistFile(NamedTuple):
    """What M3U, XSPF and JSPF hold: the name that a playlist gives itself, if any, and its tracks in order."""

    name: str | None
    tracks: list[Track]


def track_of(identifier: str | None, artist: str | None, title: str | None, location: str | None, seconds: float | None) -> Track:
    """A track whose song is its identifier, else null where artist and title will do, else where it lies."""
    return Track(identifier if identifier or (artist and title) else location, artist, title, seconds)


def paths_below(sources: list[Source]) -> list[PurePath]:
    """Where each file lies below the folder that all of them share: the same from a folder, a zip or a moved copy."""
    paths = [PurePath(source.where) for source in sources]
    folders = zip(*(path.parent.parts for path in paths), strict=False)  # as deep as the shallowest
    shared = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, folders))
    return [PurePath(*path.parts[shared:]) for path in paths]


def to_rows(sources: list[Source], playlists: list[PlaylistFile], dropped: Mapping[str, int] | None = None) -> Rows:
    """The playlists of these sources as rows; each is a session under its own name, or else its file's."""
    paths = paths_below(sources)
    stems = [(path.parent / PurePath(source.name).stem).as_posix() for path, source in zip(paths, sources, strict=True)]
    if len(set(stems)) < len(stems):  # mix.m3u beside mix.xspf.gz
        stems = [path.as_posix() for path in paths]
    names = [playlist.name or stem for playlist, stem in zip(playlists, stems, strict=True)]
    times = Counter(names)  # two of one name are known by where their files lie
    names = [name if times[name] == 1 else f"{name} ({stem})" for name, stem in zip(names, stems, strict=True)]
    rows = [(name, *track) for name, playlist in zip(names, playlists, strict=True) for track in playlist.tracks]
    return Rows(columns_of_rows(rows, _TRACK_FIELDS), dropped or {})
