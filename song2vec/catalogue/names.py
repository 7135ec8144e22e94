"""Find a song by what a person types: its id, or its name in any case, order and, nearly, spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import AmbiguousSongError, UnknownSongError

_INTEGER = re.compile(r"\s*-?[0-9]{1,19}\s*")  # an id typed as text, no longer than 64 bits
_SHOWN = 5  # names listed in an error
_SURE = 90.0  # similarity, 0 to 100, from which a misspelt name is taken for the song
_LEAD = 5.0  # and by how much it must be more similar than any other


class Names:
    """The names of a catalogue, ready to be searched."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        ids = catalogue.ids.cast(pl.String)
        self._titles = _folded(ids if catalogue.titles is None else catalogue.titles.fill_null(ids))
        artists = _folded(catalogue.artists) if catalogue.artists is not None else pl.Series([""] * len(catalogue))
        self._labels = artists + " " + self._titles

    def find(self, song: SongId) -> SongId:
        """The id of the song meant: an id as it is, else the song whose artist and title hold all the words typed.

        Of several, one whose whole title was typed wins; a name that none fits may be misspelt a little.

        Raises:
            AmbiguousSongError: several songs fit; lists them, best known first.
            UnknownSongError: none does; suggests the nearest.
        """
        if song in self._catalogue:
            return song
        if not isinstance(song, str):
            self._catalogue.row(song)  # raises, and says which ids this catalogue has
        if self._catalogue.holds_integers and _INTEGER.fullmatch(str(song)) and int(song) in self._catalogue:
            return int(song)
        song = str(song)
        typed = _fold(song)
        rows = self._with_all_words(typed)
        for names in (self._labels, self._titles) if len(rows) > 1 else ():
            whole = [row for row in rows if names[int(row)] == typed]
            if whole:  # of several songs that hold the words, those whose whole label or title was typed
                rows = np.array(whole)
                break
        if not len(rows):
            return self._misspelt(song, typed)
        if len(rows) > 1:
            more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
            message = f"{song!r} fits {len(rows)} songs: {', '.join(self._named(rows[:_SHOWN]))}{more}"
            raise AmbiguousSongError(message, self._catalogue.songs(rows))
        return self._catalogue.songs(rows)[0]

    def _with_all_words(self, typed: str) -> Array:
        words = typed.split()
        fits = np.full(len(self._labels), bool(words))
        for word in words:  # a word typed is a word of the name, or the beginning of one
            fits &= (" " + self._labels).str.contains(" " + word, literal=True).to_numpy()
        rows = np.flatnonzero(fits)
        return rows[np.argsort(-self._catalogue.plays[rows], kind="stable")]

    def _misspelt(self, song: str, typed: str) -> SongId:
        found = process.extract(typed, self._labels.to_list(), scorer=fuzz.token_sort_ratio, limit=_SHOWN)
        rows = np.array([row for _, score, row in found if score > 40], np.int64)
        if found and found[0][1] >= _SURE and (len(found) == 1 or found[0][1] - found[1][1] >= _LEAD):
            return self._catalogue.songs(rows[:1])[0]
        hint = f"; did you mean {', '.join(self._named(rows))}?" if len(rows) else ""
        raise UnknownSongError(f"no song is called {song!r}{hint}")

    def _named(self, rows: Array | Sequence[int]) -> list[str]:
        """Labels in quotes, with the id where two songs share a label."""
        labels = [self._catalogue.label(int(row)) for row in rows]
        ids = self._catalogue.songs(rows)
        return [f"{label!r}" if labels.count(label) == 1 else f"{label!r} ({id})" for label, id in zip(labels, ids, strict=True)]


def _fold(text: str) -> str:
    """Lower case without accents and punctuation: ``Beyoncé - Déjà Vu!`` becomes ``beyonce deja vu``."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else "" if c in "'’" else " " for c in plain).split())


def _folded(names: pl.Series) -> pl.Series:
    return pl.Series([_fold(name or "") for name in names.to_list()], dtype=pl.String)
