"""The Million Playlist Dataset: slices of 1,000 Spotify playlists each (Chen et al., RecSys Challenge 2018)."""

from __future__ import annotations

from typing import Any

import polars as pl

from song2vec.listens.reader import Reader, Rows, Source, id_series, needed, parse_json, seconds_of, text_of


class MillionPlaylistDataset(Reader):
    name = "mpd"
    title = "Million Playlist Dataset"
    looks_like = "mpd.slice.*.json, challenge_set.json"

    def recognise(self, source: Source) -> bool:
        """A slice by its name, or JSON with ``playlists`` that have a ``pid``."""
        if source.suffix != ".json":
            return False
        return source.name.startswith("mpd.slice.") or (b'"playlists"' in source.head and b'"pid"' in source.head)

    def read(self, sources: list[Source]) -> Rows:
        """All slices; one slice at a time is held as JSON, since the whole dataset would not fit."""
        return Rows(pl.concat([_slice(source) for source in sources], how="vertical_relaxed"))


def _slice(source: Source) -> pl.DataFrame:
    pids: list[Any] = []
    tracks: list[dict[str, Any]] = []
    for number, playlist in enumerate(needed(parse_json(source), "playlists", list, source.where, "the file"), 1):
        found = _tracks(playlist, source.where, f"playlist {number}")
        pids += [needed(playlist, "pid", int, source.where, f"playlist {number}")] * len(found)
        tracks += found
    return pl.DataFrame(
        [
            id_series("session", pids),
            pl.Series("song", [track["track_uri"] for track in tracks], pl.String),
            pl.Series("artist", [text_of(track.get("artist_name")) for track in tracks], pl.String),
            pl.Series("title", [text_of(track.get("track_name")) for track in tracks], pl.String),
            pl.Series("duration_seconds", [seconds_of(track.get("duration_ms"), 0.001) for track in tracks], pl.Float32),
        ]
    )


def _tracks(playlist: dict[str, Any], where: str, which: str) -> list[dict[str, Any]]:
    """A playlist's tracks by their position, which is not always their order in the file."""
    tracks: list[dict[str, Any]] = needed(playlist, "tracks", list, where, which)
    for number, track in enumerate(tracks, 1):
        needed(track, "track_uri", str, where, f"{which} track {number}")
        needed(track, "pos", int, where, f"{which} track {number}")
    return sorted(tracks, key=lambda track: track["pos"])
