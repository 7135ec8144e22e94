"""Spotify's extended streaming history: every play of an account, as its privacy page exports it on request."""

from __future__ import annotations

import re

import polars as pl

from song2vec.listens.play_logs import FLAG, NUMBER, TEXT, Fields, is_json_with, json_frame, start_of
from song2vec.listens.reader import Reader, Source, parse_json_array
from song2vec.listens.schema import DEFAULT_LISTENER, Rows, sift
from song2vec.listens.times import parse_time

_NAME = re.compile(r"(streaming_history_audio_|endsong).*\.json", re.IGNORECASE)
_NEEDED: Fields = {"ts": TEXT, "ms_played": NUMBER, "master_metadata_track_name": TEXT}
_OPTIONAL: Fields = {
    "master_metadata_album_artist_name": TEXT,
    "spotify_track_uri": TEXT,
    "username": TEXT,
    "skipped": FLAG,
    "incognito_mode": FLAG,
}
_COLUMNS = {
    "spotify_track_uri": "song",
    "master_metadata_album_artist_name": "artist",
    "master_metadata_track_name": "title",
}


class SpotifyExtended(Reader):
    name = "spotify-extended"
    title = "Spotify extended streaming history"
    looks_like = "Streaming_History_Audio_*.json, endsong_*.json, .json with ms_played and master_metadata_track_name"

    def recognise(self, source: Source) -> bool:
        """The export's file names, or its two telling keys under any .json name (music videos have their own file)."""
        return _NAME.fullmatch(source.name) is not None or is_json_with(source, "ms_played", "master_metadata_track_name")

    def read(self, sources: list[Source]) -> Rows:
        """All files of an export; plays in private mode are left out, and so is all that is not music.

        The ``ts`` of a play is when it stopped. Files of several years may repeat rows: they are kept here.
        """
        frame = pl.concat([_plays(source) for source in sources], how="diagonal")
        rules = {"podcast or audiobook": pl.col("master_metadata_track_name").is_null()}
        if "incognito_mode" in frame.columns:
            rules["incognito"] = pl.col("incognito_mode")
        frame, dropped = sift(frame, rules)
        if "username" in frame.columns:
            frame = frame.with_columns(listener=_listener(frame["username"]))
        frame = frame.rename(_COLUMNS, strict=False).with_columns(played_seconds=pl.col("ms_played") / 1000)
        return Rows(frame, dropped)


def _plays(source: Source) -> pl.DataFrame:
    frame = json_frame(parse_json_array(source), source.where, _NEEDED, _OPTIONAL)
    return frame.with_columns(parse_time(frame["ts"], source.where)).with_columns(time=start_of("time", "ms_played"))


def _listener(names: pl.Series) -> pl.Series:
    """Only older files name the listener: an account whose files name just one is that one's throughout."""
    known = names.replace("", None)
    one = known.drop_nulls().unique()
    return known.fill_null(one[0] if len(one) == 1 else DEFAULT_LISTENER)
