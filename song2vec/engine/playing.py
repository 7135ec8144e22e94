"""The part of an engine that makes playlists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from song2vec.catalogue import SongId
from song2vec.engine.finder import Finder
from song2vec.models import NextSongModel
from song2vec.playlists import Playlist, Radio, bridge, playlist, radio
from song2vec.vectors.song_vectors import SongVectors


class Playing(ABC):
    """Playlists of an engine's songs, by its next-song model, or else by nearness."""

    next_song: NextSongModel | None

    def playlist(self, seed_songs: SongId | Iterable[SongId] = (), length: int = 25, **options: Any) -> Playlist:
        """A playlist that goes on from a song or several; options of :func:`song2vec.playlists.playlist`.

        ``engine.playlist("Mykonos", artist_gap=3).save("mix.m3u")``
        """
        return playlist(self._scorer, self._finder.ids(seed_songs), length, vectors=self.vectors, **self._as_ids(options))

    def radio(self, seed_songs: SongId | Iterable[SongId] = (), **options: Any) -> Radio:
        """A playlist without end that listens to likes and skips; options of :func:`song2vec.playlists.radio`."""
        return radio(self._scorer, self._finder.ids(seed_songs), vectors=self.vectors, **self._as_ids(options))

    def bridge(self, a: SongId, b: SongId, length: int = 10, **options: Any) -> Playlist:
        """A playlist that moves evenly from one song to another; options of :func:`song2vec.playlists.bridge`."""
        return bridge(self.vectors, self._finder.find(a), self._finder.find(b), length, **self._as_ids(options))

    @property
    @abstractmethod
    def _finder(self) -> Finder: ...

    @property
    @abstractmethod
    def vectors(self) -> SongVectors: ...

    @property
    @abstractmethod
    def _removed(self) -> list[SongId]: ...

    @property
    def _scorer(self) -> NextSongModel | SongVectors:
        return self.vectors if self.next_song is None else self.next_song

    def _as_ids(self, options: dict[str, Any]) -> dict[str, Any]:
        """Songs among the options may be names too; songs removed are left out."""
        songs = {name: self._finder.ids(options[name]) for name in ("history", "exclude") if name in options}
        return options | songs | {"exclude": songs.get("exclude", []) + self._removed}
