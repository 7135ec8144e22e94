"""Which songs a search may return."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from rapidfuzz import process

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array
from song2vec.core.checks import check_choice, check_int
from song2vec.core.errors import ArgumentError
from song2vec.search.neighbours import Neighbours


@dataclass(frozen=True)
class Filters:
    """Which songs a search may return; all that are given hold together.

    Attributes:
        exclude: songs never to return.
        only: the only songs to return; None for all, an empty list for none.
        max_per_artist: at most this many songs of an artist; a song without an artist counts as an artist of its own.
        not_by: artists whose songs never to return; upper and lower case are the same.
        unknown: "raise" when a song or artist is not in the catalogue, or "skip" to pass over it.

    Raises ArgumentError when a list is not one, or ``max_per_artist`` is not a whole number from 1 on. Songs and artists
    are looked up when a search uses the filters: UnknownSongError, ArgumentError for artists, also where a catalogue names none.
    """

    exclude: Iterable[SongId] = ()
    only: Iterable[SongId] | None = None
    max_per_artist: int | None = None
    not_by: Iterable[str] = ()
    unknown: Unknown = "raise"

    def __post_init__(self) -> None:
        for name in ("exclude", "only", "not_by"):
            value = getattr(self, name)
            if name == "only" and value is None:
                continue
            if isinstance(value, str | bytes) or not isinstance(value, Iterable):
                raise ArgumentError(f"{name}={value!r}: a list is allowed, as [{value!r}]")
            object.__setattr__(self, name, tuple(value))  # an iterator would be empty at the second search
        for artist in self.not_by:
            if not isinstance(artist, str):
                raise ArgumentError(f"not_by holds {artist!r}: names of artists are allowed")
        if self.max_per_artist is not None:
            check_int("max_per_artist", self.max_per_artist)
        check_choice("unknown", self.unknown, ("raise", "skip"))


@dataclass(frozen=True, eq=False)
class Allowed:
    """Filters as rows of one catalogue: ``count`` rows are allowed, those of ``mask``; None for all rows."""

    count: int
    mask: Array | None = None
    artist_codes: Array | None = None
    max_per_artist: int = 0

    @cached_property
    def rows(self) -> Array | None:
        """The allowed rows, sorted; None for all. Found when they are needed: at 300k songs that takes a tenth of a millisecond."""
        return None if self.mask is None else np.flatnonzero(self.mask)

    def first(self, n: int) -> Array:
        """The n lowest allowed rows."""
        return np.arange(min(n, self.count)) if self.rows is None else self.rows[:n]

    def wanted(self, k: int) -> int:
        """How many allowed songs to look at first for k answers."""
        return 4 * k if self.artist_codes is not None else k

    def pick(self, rows: Array, cosines: Array, hidden: Array, k: int) -> Neighbours:
        """The first k of these ranked allowed rows that are not hidden, with no artist more often than allowed."""
        if len(hidden):
            seen = rows != hidden[0] if len(hidden) == 1 else ~np.isin(rows, hidden)
            rows, cosines = rows[seen], cosines[seen]
        if self.artist_codes is not None:
            fitting = _times_before(self.artist_codes[rows]) < self.max_per_artist
            rows, cosines = rows[fitting], cosines[fitting]
        return Neighbours(rows[:k], cosines[:k])


class Resolver:
    """Turns filters into rows of one catalogue; ``removed`` rows are allowed by none."""

    def __init__(self, catalogue: Catalogue, removed: Array | None = None) -> None:
        self._catalogue = catalogue
        self._present = np.ones(len(catalogue), np.bool_)
        if removed is not None:
            self._present[removed] = False
        self._everything = _allowed(self._present)

    def resolve(self, filters: Filters | None) -> Allowed:
        """The rows these filters allow. Raises UnknownSongError, or ArgumentError for an unknown artist."""
        if filters is None:
            return self._everything
        if not isinstance(filters, Filters):
            raise ArgumentError(f"filters={filters!r}: a Filters(...) or None is allowed")
        mask = self._mask(filters)
        if filters.max_per_artist is None:
            return _allowed(mask)
        if self._catalogue.artist_codes is None:
            raise ArgumentError(f"max_per_artist={filters.max_per_artist}: the catalogue names no artists, so only None is allowed")
        return _allowed(mask, self._catalogue.artist_codes, filters.max_per_artist)

    def _mask(self, filters: Filters) -> Array:
        mask = self._present.copy()
        if filters.only is not None:
            only = self._catalogue.rows(filters.only, filters.unknown)
            mask[:] = False
            mask[only] = self._present[only]
        mask[self._catalogue.rows(filters.exclude, filters.unknown)] = False
        for code in self._codes_of(filters):
            order, codes = self._by_artist
            mask[order[slice(*np.searchsorted(codes, [code, code + 1]))]] = False
        return mask

    def _codes_of(self, filters: Filters) -> list[int]:
        codes: list[int] = []
        for artist in filters.not_by:
            if _key(artist) in self._artists:
                codes += self._artists[_key(artist)]
            elif filters.unknown == "raise":
                raise ArgumentError(f"not_by: unknown artist {artist!r}; {self._nearest_artists(artist)}")
        return codes

    @cached_property
    def _by_artist(self) -> tuple[Array, Array]:
        """Rows in order of their artist's code, and these codes."""
        codes = np.asarray(self._catalogue.artist_codes)
        order = np.argsort(codes, kind="stable")
        return order, codes[order]

    @cached_property
    def _artists(self) -> dict[str, list[int]]:
        """Folded names -> codes; several where the log writes one name in several ways."""
        found: dict[str, list[int]] = {}
        if self._catalogue.artists is not None:
            named = pl.DataFrame({"artist": self._catalogue.artists, "code": self._catalogue.artist_codes}).drop_nulls().unique()
            for artist, code in named.iter_rows():
                found.setdefault(_key(artist), []).append(code)
        return found

    def _nearest_artists(self, artist: str) -> str:
        if not self._artists:
            return "the catalogue names no artists"
        nearest = process.extract(_key(artist), list(self._artists), limit=3)
        return "the nearest are " + ", ".join(repr(name) for name, _, _ in nearest)


def _allowed(mask: Array, codes: Array | None = None, cap: int = 0) -> Allowed:
    count = int(np.count_nonzero(mask))
    return Allowed(count, None if count == len(mask) else mask, codes, cap)


def _key(artist: str) -> str:
    return artist.strip().casefold()


def _times_before(codes: Array) -> Array:
    """How often each code occurred before: [7, 3, 7, 7, 3] -> [0, 0, 1, 2, 1]."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(codes)])
    times = np.empty(len(codes), np.int64)
    times[order] = np.arange(len(codes)) - np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
    return times
