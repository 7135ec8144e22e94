"""The part of an engine that takes in new songs and lets old ones go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Self

from song2vec.catalogue import SongId
from song2vec.engine.finder import Finder
from song2vec.search import SongIndex
from song2vec.vectors.song_vectors import SongVectors


class Changing(ABC):
    """Songs come and go without a rebuild; saving builds the index anew over all of them."""

    index: SongIndex

    @property
    @abstractmethod
    def _finder(self) -> Finder: ...

    @property
    def vectors(self) -> SongVectors:
        """The vectors of all songs."""
        return self.index.vectors_

    def add(self, vectors: SongVectors) -> Self:
        """Find these new songs too, from the next call on; returns self. ``Word2Vec.fit_more`` makes such vectors.

        Raises ArgumentError for songs that are there already, or vectors of another size.
        """
        self.index.add(vectors)
        return self._renewed()

    def remove(self, songs: SongId | Iterable[SongId]) -> Self:
        """Never return these songs, by id or name, again; returns self. Raises UnknownSongError."""
        self.index.remove(self._finder.ids(songs))
        return self._renewed()

    @property
    def _removed(self) -> list[SongId]:
        """Songs that nothing may return."""
        return self.index.vectors_.catalogue.songs(self.index.removed_)

    def _renewed(self) -> Self:
        """Without what was derived from the songs as they were."""
        for name in ("_finder", "_nearest"):
            vars(self).pop(name, None)
        return self
