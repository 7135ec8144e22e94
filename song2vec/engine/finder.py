"""The songs meant: ids and names, one or several, to ids."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.catalogue.names import Names
from song2vec.core.errors import ArgumentError, UnknownSongError


class Finder:
    """Finds songs of a catalogue by id or by name; names are indexed when the first is asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    @cached_property
    def _names(self) -> Names:
        return Names(self.catalogue)

    def find(self, song: SongId) -> SongId:
        """The id of the song meant. Raises AmbiguousSongError and UnknownSongError."""
        return song if song in self.catalogue else self._names.find(song)

    def find_or_keep(self, song: SongId) -> SongId:
        """The id of a song, or what was given when no song is called so."""
        try:
            return self.find(song)
        except UnknownSongError:
            return song

    def ids(self, songs: SongId | Iterable[SongId]) -> list[SongId]:
        """One song or several, by id or name -> ids."""
        several = [songs] if isinstance(songs, str | int | np.integer) else songs
        if not isinstance(several, Iterable):
            raise ArgumentError(f"songs={songs!r}: a song or a list of songs is allowed")
        return [self.find(song) for song in several]
