"""Songs and their ids, and search by name."""

from song2vec.catalogue.songs import Catalogue, SongId, Unknown

__all__ = ["Catalogue", "SongId", "Unknown"]
