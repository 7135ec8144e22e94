"""Playlists as the Logistic Markov Embedding shares them (Chen et al., KDD 2012): yes.com radio, ``train.txt`` beside ``song_hash.txt``."""

from __future__ import annotations

import re

import polars as pl

from song2vec.listens.reader import FormatError, Reader, Rows, train_first
from song2vec.listens.session_lines import numbered_on, parse_lines
from song2vec.listens.sources import HEAD_BYTES, Source

_NAMES = "song_hash.txt"
_LONGEST_LINE = 1 << 24


class LME(Reader):
    name = "lme"
    title = "yes.com radio playlists (LME)"
    looks_like = "train.txt and test.txt: two lines of numbers about the songs, then playlists; song_hash.txt beside them"

    def recognise(self, source: Source) -> bool:
        """Nothing but numbers: two lines of as many as there are songs, then playlists of places in those lines.

        The first two lines outgrow the head of a file, so this reads on. Plain session files may begin with two
        lines of one length too; they differ in the size of the ids, and a space at every line's end
        (or the song names in a file beside it).
        """
        if source.suffix != ".txt" or not re.fullmatch(rb"[0-9 \r\n]+", source.head):
            return False
        try:
            with source.open() as file:
                ids, counts, playlists = file.readline(_LONGEST_LINE), file.readline(_LONGEST_LINE), file.read(HEAD_BYTES).split()
        except (FormatError, OSError):
            return False
        songs = len(ids.split())
        fits = len(counts.split()) == songs and all(len(song) < 12 and song.isdigit() and int(song) < songs for song in playlists)
        return bool(playlists) and fits and (ids.rstrip(b"\r\n").endswith(b" ") or source.sibling(_NAMES) is not None)

    def read(self, sources: list[Source]) -> Rows:
        """All playlists, numbered 0, 1, 2, ... through all files, with the names from ``song_hash.txt`` where it lies beside them."""
        return numbered_on(map(_playlists, train_first(sources)))


def _playlists(source: Source) -> pl.DataFrame:
    ids, counts, *lines = [*source.text().split("\n"), "", ""]
    songs = len(ids.split())
    if not songs or len(counts.split()) != songs:
        message = f"line 1 has {songs:,} song ids, line 2 {len(counts.split()):,} counts; as many of both are expected"
        raise FormatError(source.where, message, line=2)
    frame = parse_lines(lines, source.where, first_line=3)
    highest = frame["song"].max() if frame.height else 0
    if isinstance(highest, int) and highest >= songs:
        raise FormatError(source.where, f"names song {highest}; 0 to {songs - 1} are allowed, as line 1 has {songs:,} songs", field="song")
    names = source.sibling(_NAMES)
    return frame if names is None else frame.join(_song_names(names), on="song", how="left", maintain_order="left")


def _song_names(source: Source) -> pl.DataFrame:
    """``song_hash.txt``: id TAB title TAB artist; ids may be padded, and slashes escaped as JSON does."""
    lines = pl.DataFrame({"line": source.text().split("\n")}).with_row_index("number", 1)
    lines = lines.filter(pl.col("line").str.strip_chars() != "")
    fields = lines.select("number", pl.col("line").str.splitn("\t", 3).struct.rename_fields(["song", "title", "artist"])).unnest("line")
    fields = fields.with_columns(song=pl.col("song").str.strip_chars().cast(pl.Int64, strict=False))
    junk = fields.filter(pl.col("song").is_null() | pl.col("artist").is_null())
    if junk.height:
        number = junk["number"][0]
        line = lines.filter(pl.col("number") == number)["line"][0]
        raise FormatError(source.where, f"holds {line!r:.60}; 'id TAB title TAB artist' is expected", line=number)
    names = pl.col("title", "artist").str.replace_all("\\/", "/", literal=True)
    return fields.select("song", names).unique("song", keep="first", maintain_order=True)
