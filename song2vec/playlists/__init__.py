"""Playlists: songs that go on from others, a way between two songs, and an endless radio."""

from song2vec.playlists.bridge import bridge
from song2vec.playlists.making import playlist
from song2vec.playlists.radio import Pick, Radio, radio
from song2vec.playlists.result import Playlist

__all__ = ["Pick", "Playlist", "Radio", "bridge", "playlist", "radio"]
