"""Playlists: songs that go on from others, a path between two songs, and an endless radio."""

from song2vec.playlists.bridge import bridge
from song2vec.playlists.files import Playlist
from song2vec.playlists.making import playlist
from song2vec.playlists.radio import Pick, Radio, radio

__all__ = ["Pick", "Playlist", "Radio", "bridge", "playlist", "radio"]
