"""One session a line: whole-number song ids separated by spaces, as SR-GNN, GCE-GNN and their followers share their splits."""

from __future__ import annotations

import re

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
        frames: list[pl.DataFrame] = []
        sessions = 0
        for source in train_first(sources):
            frame, count = parse_lines(source.text().split("\n"), source.where, first_session=sessions)
            frames.append(frame)
            sessions += count
        return Rows(pl.concat(frames))


def parse_lines(lines: list[str], where: str, *, first_line: int = 1, first_session: int = 0) -> tuple[pl.DataFrame, int]:
    """Lines of song ids -> ``session`` and ``song`` (int64), and how many sessions there are; blank lines are none.

    Raises FormatError at the first line that holds anything but whole numbers.
    """
    frame = pl.DataFrame({"line": lines}).with_row_index("number", first_line)
    frame = frame.filter(pl.col("line").str.strip_chars() != "")
    junk = frame.filter(~pl.col("line").str.contains(r"^\s*\d{1,18}(\s+\d{1,18})*\s*$"))
    if junk.height:
        message = f"holds {junk['line'][0]!r:.60}; whole numbers separated by spaces are expected"
        raise FormatError(where, message, line=junk["number"][0])
    frame = frame.select(
        session=pl.int_range(first_session, first_session + pl.len(), dtype=pl.Int64),
        song=pl.col("line").str.extract_all(r"\d+").cast(pl.List(pl.Int64)),
    )
    return frame.explode("song"), frame.height
