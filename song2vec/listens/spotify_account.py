"""Spotify's account data: the plays of the last year, by name only and to the minute."""

from __future__ import annotations

import re
from datetime import timedelta

import polars as pl

from song2vec.listens.json_values import NUMBER, TEXT, Fields, is_json_with, json_frame, parse_json_array
from song2vec.listens.reader import FileReader, Rows, Source, start_of
from song2vec.listens.times import parse_time

_NAME = re.compile(r"streaminghistory(_music)?[\W_]*\d*\W*(\d+\W*)?\.json", re.IGNORECASE)
_FIELDS: Fields = {"endTime": TEXT, "artistName": TEXT, "trackName": TEXT, "msPlayed": NUMBER}


class SpotifyAccount(FileReader):
    name = "spotify-account"
    title = "Spotify account data"
    looks_like = "StreamingHistory*.json, StreamingHistory_music_*.json"

    def recognise(self, source: Source) -> bool:
        """StreamingHistory*.json, or its keys under any .json name; podcasts have a file and keys of their own."""
        return _NAME.fullmatch(source.name) is not None or is_json_with(source, *_FIELDS)

    def rows(self, source: Source) -> Rows:
        """A song is its "artist - title", since this export has no ids."""
        frame = json_frame(parse_json_array(source), source.where, _FIELDS, {})
        frame = frame.with_columns(start_of(frame, "endTime", "msPlayed", source.where), played_seconds=pl.col("msPlayed") / 1000)
        if parse_time(frame["endTime"], source.where).drop_nulls().is_sorted():
            # an end cut to its minute can put a start up to a minute before that of the play before it: it began after that
            latest = pl.col("time").cum_max()
            frame = frame.with_columns(time=pl.when(latest - pl.col("time") < timedelta(minutes=1)).then(latest).otherwise("time"))
        return Rows(frame.rename({"artistName": "artist", "trackName": "title"}))
