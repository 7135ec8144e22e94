"""Song maps: t-SNE coordinates, coloured groups, pictures and pages."""

from song2vec.maps.song_map import SongMap, song_map

__all__ = ["SongMap", "song_map"]
