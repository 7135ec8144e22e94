"""One session a line: whole-number song ids separated by spaces, as SR-GNN, GCE-GNN and their followers share their splits."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from song2vec.listens.reader import FormatError, Reader, Rows, Source, train_first

_LME_EXTRAS = ("tags.txt", "tag_hash.txt", "song_hash.txt")  # lie beside playlists and may hold nothing but numbers


class SessionLines(Reader):
    name = "session-lines"
    title = "one session a line"
    looks_like = ".txt of song ids (whole numbers) separated by spaces, one session a line; train.txt and test.txt"

    def recognise(self, source: Source) -> bool:
        """Text with nothing but whole numbers and spaces, more than one to some line."""
        if source.suffix != ".txt" or source.name in _LME_EXTRAS:
            return False
        return re.fullmatch(rb"[0-9 \r\n]+", source.head) is not None and re.search(rb"[0-9] +[0-9]", source.head) is not None

    def read(self, sources: list[Source]) -> Rows:
        """All sessions, numbered 0, 1, 2, ... through all files; a training file comes before its test file."""
        return numbered_on(parse_lines(source.text().split("\n"), source.where) for source in train_first(sources))


def numbered_on(frames: Iterable[pl.DataFrame]) -> Rows:
    """Frames whose sessions are numbered from 0 as one, in which they are numbered through all frames."""
    found: list[pl.DataFrame] = []
    sessions = 0
    for frame in frames:
        found.append(frame.with_columns(pl.col("session") + sessions))
        sessions += frame["session"].n_unique()
    return Rows(pl.concat(found, how="diagonal"))


def parse_lines(lines: list[str], where: str, *, first_line: int = 1) -> pl.DataFrame:
    """Lines of song ids -> ``session``, numbered from 0, and ``song`` (int64); blank lines are none.

    Raises FormatError at the first line that holds anything but whole numbers.
    """
    frame = pl.DataFrame({"line": lines}).with_row_index("number", first_line)
    frame = frame.filter(pl.col("line").str.strip_chars() != "")
    junk = frame.filter(~pl.col("line").str.contains(r"^\s*\d{1,18}(\s+\d{1,18})*\s*$"))
    if junk.height:
        message = f"holds {junk['line'][0]!r:.60}; whole numbers separated by spaces are expected"
        raise FormatError(where, message, line=junk["number"][0])
    songs = pl.col("line").str.extract_all(r"\d+").cast(pl.List(pl.Int64))
    return frame.select(session=pl.int_range(pl.len(), dtype=pl.Int64), song=songs).explode("song")
