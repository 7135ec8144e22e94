"""Which songs a search may return, and what it returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from rapidfuzz import process

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array, FloatArray, IntArray
from song2vec.core.checks import check_choice, check_int
from song2vec.core.errors import ArgumentError

NO_ROWS: Array = np.empty(0, np.int64)


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
class Neighbours:
    """The songs found for one query, best first, equals by row.

    Attributes:
        rows: (n,) int64 rows of the catalogue.
        cosines: (n,) float32, -1 to 1.
    """

    rows: IntArray
    cosines: FloatArray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class BatchNeighbours:
    """The songs found for several queries.

    Attributes:
        rows: (b, w) int64, w the smaller of k and the number of songs; -1 after the last where a query has fewer.
        cosines: (b, w) float32; NaN after the last.
    """

    rows: IntArray
    cosines: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, query: int) -> Neighbours:
        """The songs of one query, without the padding."""
        found = self.rows[query] >= 0
        return Neighbours(self.rows[query][found], self.cosines[query][found])

    @classmethod
    def of(cls, found: Sequence[Neighbours], width: int) -> BatchNeighbours:
        """Single answers as one table."""
        rows = np.full((len(found), width), -1, np.int64)
        cosines = np.full((len(found), width), np.nan, np.float32)
        for query, answer in enumerate(found):
            rows[query, : len(answer)] = answer.rows
            cosines[query, : len(answer)] = answer.cosines
        return cls(rows, cosines)


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

    def __init__(self, catalogue: Catalogue, removed: Array = NO_ROWS) -> None:
        self._catalogue = catalogue
        self._present = np.ones(len(catalogue), np.bool_)
        self._present[removed] = False
        self._everything = _allowed(self._present)

    def resolve(self, filters: Filters | None) -> Allowed:
        """The rows these filters allow. Raises UnknownSongError, or ArgumentError for an unknown artist."""
        if filters is None:
            return self._everything
        if not isinstance(filters, Filters):
            raise ArgumentError(f"filters={filters!r}: a Filters(...) or None is allowed")
        mask = self._present.copy()
        if filters.only is not None:
            only = self._catalogue.rows(filters.only, filters.unknown)
            mask[:] = False
            mask[only] = self._present[only]
        mask[self._catalogue.rows(filters.exclude, filters.unknown)] = False
        for artist in filters.not_by:
            mask[self._rows_by(artist, filters.unknown)] = False
        if filters.max_per_artist is None:
            return _allowed(mask)
        if self._catalogue.artist_codes is None:
            raise ArgumentError(f"max_per_artist={filters.max_per_artist}: the catalogue names no artists, so only None is allowed")
        return _allowed(mask, self._catalogue.artist_codes, filters.max_per_artist)

    def _rows_by(self, artist: str, unknown: Unknown) -> list[int]:
        if unknown == "raise" and _key(artist) not in self._artists:
            nearest = [repr(name) for name, _, _ in process.extract(_key(artist), list(self._artists), limit=3)]
            known = f"the nearest are {', '.join(nearest)}" if nearest else "the catalogue names no artists"
            raise ArgumentError(f"not_by: unknown artist {artist!r}; {known}")
        return self._artists.get(_key(artist), [])

    @cached_property
    def _artists(self) -> dict[str, list[int]]:
        """Folded names -> rows; a log may write one name in several ways."""
        found: dict[str, list[int]] = {}
        if self._catalogue.artists is not None:
            named = pl.DataFrame({"artist": self._catalogue.artists, "row": np.arange(len(self._catalogue))}).drop_nulls()
            for artist, rows in named.group_by("artist", maintain_order=True).agg("row").iter_rows():
                found.setdefault(_key(artist), []).extend(rows)
        return found


def _allowed(mask: Array, codes: Array | None = None, cap: int = 0) -> Allowed:
    count = int(np.count_nonzero(mask))
    return Allowed(count, None if count == len(mask) else mask, codes, cap)


def _key(artist: str) -> str:
    return artist.strip().casefold()


def _times_before(codes: Array) -> Array:
    """How often each code occurred before: [7, 3, 7, 7, 3] -> [0, 0, 1, 2, 1]."""
    order = np.argsort(codes, kind="stable")
    times = np.empty(len(codes), np.int64)
    times[order] = np.arange(len(codes)) - np.searchsorted(codes[order], codes[order])
    return times
