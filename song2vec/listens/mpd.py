"""The Million Playlist Dataset: slices of 1,000 Spotify playlists each (Chen et al., RecSys Challenge 2018)."""

from __future__ import annotations

from operator import itemgetter

from song2vec.listens.json_values import ID, SECONDS, TEXT, columns_of_rows, needed, parse_json, seconds_of, text_of
from song2vec.listens.reader import FileReader, Rows, Source


class MillionPlaylistDataset(FileReader):
    name = "mpd"
    title = "Million Playlist Dataset"
    looks_like = "mpd.slice.*.json, challenge_set.json"

    def recognise(self, source: Source) -> bool:
        """A slice by its name, or JSON with ``playlists`` that have a ``pid``."""
        if source.suffix != ".json":
            return False
        return source.name.startswith("mpd.slice.") or (b'"playlists"' in source.head and b'"pid"' in source.head)

    def rows(self, source: Source) -> Rows:
        """One slice; the whole dataset as JSON would not fit into memory."""
        rows = []
        for number, playlist in enumerate(needed(parse_json(source), "playlists", list, source.where, "the file"), 1):
            which = f"playlist {number}"
            tracks = needed(playlist, "tracks", list, source.where, which)
            for place, track in enumerate(tracks, 1):
                needed(track, "track_uri", str, source.where, f"{which} track {place}")
                needed(track, "pos", int, source.where, f"{which} track {place}")
            pid = needed(playlist, "pid", int, source.where, which)
            for track in sorted(tracks, key=itemgetter("pos")):  # which is not always their order in the file
                names = text_of(track.get("artist_name")), text_of(track.get("track_name"))
                rows.append((pid, track["track_uri"], *names, seconds_of(track.get("duration_ms"), 0.001)))
        return Rows(columns_of_rows(rows, {"session": ID, "song": TEXT, "artist": TEXT, "title": TEXT, "duration_seconds": SECONDS}))
