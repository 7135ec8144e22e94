"""Spotify's extended streaming history: every play of an account, as its privacy page exports it on request."""

from __future__ import annotations

import re

import polars as pl

from song2vec.listens.json_values import FLAG, NUMBER, TEXT, Fields, is_json_with, json_frame, parse_json_array
from song2vec.listens.reader import FileReader, Source, start_of
from song2vec.listens.schema import DEFAULT_LISTENER, Rows, sift

_NAME = re.compile(r"(streaming_history_audio_|endsong).*\.json", re.IGNORECASE)
_TITLE, _ARTIST = "master_metadata_track_name", "master_metadata_album_artist_name"
_NEEDED: Fields = {"ts": TEXT, "ms_played": NUMBER, _TITLE: TEXT}
_OPTIONAL: Fields = {_ARTIST: TEXT, "spotify_track_uri": TEXT, "username": TEXT, "skipped": FLAG, "incognito_mode": FLAG}
_COLUMNS = {"spotify_track_uri": "song", _ARTIST: "artist", _TITLE: "title", "username": "listener"}


class SpotifyExtended(FileReader):
    name = "spotify-extended"
    title = "Spotify extended streaming history"
    looks_like = "Streaming_History_Audio_*.json, endsong_*.json, .json with ms_played and master_metadata_track_name"

    def recognise(self, source: Source) -> bool:
        """The export's file names, or its two telling keys under any .json name (music videos have their own file)."""
        return _NAME.fullmatch(source.name) is not None or is_json_with(source, "ms_played", _TITLE)

    def read(self, sources: list[Source]) -> Rows:
        """All files of an export; plays in private mode are left out, and so is all that is not music.

        The ``ts`` of a play is when it stopped. Files of several years may repeat rows: they are kept here. Only older files
        name the listener: an account whose files name just one is that one's throughout.
        """
        found = super().read(sources)
        if "listener" not in found.frame.columns:
            return found
        known = found.frame["listener"].replace("", None)
        names = known.drop_nulls().unique()
        return Rows(found.frame.with_columns(known.fill_null(names[0] if len(names) == 1 else DEFAULT_LISTENER)), found.dropped)

    def rows(self, source: Source) -> Rows:
        """One file, with the names of listeners as they are."""
        frame = json_frame(parse_json_array(source), source.where, _NEEDED, _OPTIONAL)
        frame = frame.with_columns(start_of(frame, "ts", "ms_played", source.where), played_seconds=pl.col("ms_played") / 1000)
        rules = {"podcast or audiobook": pl.col(_TITLE).is_null()}
        if "incognito_mode" in frame.columns:
            rules["incognito"] = pl.col("incognito_mode")
        frame, dropped = sift(frame, rules)
        return Rows(frame.rename(_COLUMNS, strict=False), dropped)
