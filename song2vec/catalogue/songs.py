"""The catalogue: song ids <-> rows 0..m-1, with artist, title and how often each song was played."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal, Self

import numpy as np
import polars as pl

from song2vec.core.arrays import Array, IntArray, pack_ids, unpack_ids
from song2vec.core.checks import check_choice
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.core.storage import Part, Saved

SongId = str | int
Unknown = Literal["raise", "skip"]


class Catalogue(Saved):
    """Songs in row order.

    Args:
        ids: m unique song ids, all strings or all integers.
        plays: (m,) how often each song was played, int64; zeros when not known.
        artists, titles: m strings or None each; left out when the log names none.

    Raises ArgumentError when ids repeat, mix strings with integers, or lengths differ.
    """

    kind = "catalogue"

    def __init__(
        self,
        ids: pl.Series | Sequence[SongId],
        plays: Array | Sequence[int] | None = None,
        artists: pl.Series | Sequence[str | None] | None = None,
        titles: pl.Series | Sequence[str | None] | None = None,
    ) -> None:
        self.ids = _id_series(ids)
        size = len(self.ids)
        self.plays: IntArray = np.zeros(size, np.int64) if plays is None else np.asarray(plays, np.int64)
        self.artists = None if artists is None else _names("artist", artists)
        self.titles = None if titles is None else _names("title", titles)
        for name, column in (("plays", self.plays), ("artists", self.artists), ("titles", self.titles)):
            if column is not None and len(column) != size:
                raise ArgumentError(f"{name} has {len(column)} entries for {size} songs; one a song is allowed")

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, song: object) -> bool:
        return self._is_id(song) and song in self._row_of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Catalogue) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"Catalogue({len(self):,} songs, {int(self.plays.sum()):,} plays)"

    @cached_property
    def holds_integers(self) -> bool:
        """True when song ids are integers, False when they are strings."""
        return self.ids.dtype == pl.Int64

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over all ids in row order: two things with the same fingerprint speak of the same rows."""
        digest = hashlib.sha256(b"int" if self.holds_integers else b"str")
        for array in pack_ids(self.ids).values():
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]

    def row(self, song: SongId) -> int:
        """The row of one song; raises UnknownSongError when it is not in the catalogue."""
        if self._is_id(song) and song in self._row_of:
            return self._row_of[song]
        hint = "; an id is needed here, Engine.find finds it by the name" if isinstance(song, str) and self.titles is not None else ""
        if not self._is_id(song):
            kind = "integers" if self.holds_integers else "strings"
            hint = f": the ids of this catalogue are {kind}, this is a {type(song).__name__}{hint}"
        raise UnknownSongError(f"unknown song {song!r}{hint}")

    def rows(self, songs: Iterable[SongId], unknown: Unknown = "raise") -> IntArray:
        """Rows of several songs, int64. Unknown songs raise, or are left out with ``unknown="skip"``."""
        check_choice("unknown", unknown, ("raise", "skip"))
        if isinstance(songs, str):
            raise ArgumentError(f"songs={songs!r}: a list of song ids is allowed")
        if unknown == "raise":
            return np.array([self.row(song) for song in songs], np.int64)
        return np.array([self._row_of[song] for song in songs if song in self], np.int64)

    def rows_in(self, other: Catalogue) -> Array:
        """(m,) int32: the row that each song has in another catalogue; -1 where it has none."""
        if self == other:
            return np.arange(len(self), dtype=np.int32)
        return np.array([other.row(song) if song in other else -1 for song in self.ids.to_list()], np.int32)

    def songs(self, rows: Array | Sequence[int]) -> list[SongId]:
        """Song ids at these rows."""
        return self.ids.gather(np.asarray(rows, np.int64)).to_list()

    def label(self, row: int) -> str:
        """``Artist - Title`` where the log names them, else the id."""
        artist = None if self.artists is None else self.artists[row]
        title = None if self.titles is None else self.titles[row]
        return " - ".join(name for name in (artist, title) if name) or str(self.ids[row])

    def table(self, rows: Array | Sequence[int] | None = None) -> pl.DataFrame:
        """Columns song, artist, title, plays (artist and title only where known), for all rows or these."""
        columns = [self.ids, self.artists, self.titles, pl.Series("plays", self.plays)]
        frame = pl.DataFrame([column for column in columns if column is not None])
        return frame if rows is None else frame[np.asarray(rows, np.int64)]

    def subset(self, rows: Array) -> Catalogue:
        """A catalogue of these rows only, in this order."""
        return _of_table(self.table(rows))

    def plus(self, new: Catalogue, plays: Array | None = None) -> Catalogue:
        """With new songs behind its own; names that one of the two lacks are None, plays are those of each where none are given."""
        more = new.table() if len(new) else new.table().cast({"song": self.ids.dtype})  # no ids are ids of any kind
        return _of_table(pl.concat([self.table(), more], how="diagonal"), plays)

    @cached_property
    def artist_codes(self) -> Array | None:
        """(m,) int64: songs of the same artist share a code; a song without an artist has a code of its own. None without artists."""
        if self.artists is None:
            return None
        codes = self.artists.rank("dense").fill_null(0).to_numpy().astype(np.int64)
        nameless = np.flatnonzero(codes == 0)
        codes[nameless] = codes.max(initial=0) + 1 + np.arange(len(nameless))
        return codes

    def to_parts(self) -> dict[str, Part]:
        """The catalogue as one part of a saved folder."""
        arrays: dict[str, Array] = {"plays": self.plays, **pack_column("id_", self.ids)}
        for name, column in (("artist_", self.artists), ("title_", self.titles)):
            arrays |= {} if column is None else pack_column(name, column)
        return {"songs": Part({"songs": len(self), "fingerprint": self.fingerprint}, arrays)}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        arrays = parts["songs"].arrays
        artists, titles = (unpack_column(f"{name}_", arrays) if f"{name}_bytes" in arrays else None for name in ("artist", "title"))
        return cls(unpack_column("id_", arrays), np.array(arrays["plays"]), artists, titles)

    @cached_property
    def _row_of(self) -> dict[SongId, int]:
        return {song: row for row, song in enumerate(self.ids.to_list())}

    def _is_id(self, song: object) -> bool:
        return isinstance(song, int | np.integer) and not isinstance(song, bool) if self.holds_integers else isinstance(song, str)


def pack_column(prefix: str, column: pl.Series) -> dict[str, Array]:
    """A column of ids or texts as arrays whose names begin so; nulls become empty texts."""
    ids = column if column.dtype.is_integer() else column.fill_null("")
    return {f"{prefix}{name}": array for name, array in pack_ids(ids).items()}


def unpack_column(prefix: str, arrays: Mapping[str, Array]) -> pl.Series:
    """The inverse of :func:`pack_column`."""
    return unpack_ids("", {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)})


def _of_table(table: pl.DataFrame, plays: Array | None = None) -> Catalogue:
    """The inverse of :meth:`Catalogue.table`."""
    artists, titles = (table[name] if name in table.columns else None for name in ("artist", "title"))
    return Catalogue(table["song"], table["plays"].to_numpy() if plays is None else plays, artists, titles)


def _names(column: str, names: pl.Series | Sequence[str | None]) -> pl.Series:
    try:
        return pl.Series(column, names, pl.String).replace("", None)
    except (TypeError, UnicodeError, pl.exceptions.PolarsError) as error:
        raise ArgumentError(f"{column}s: strings or None are allowed ({str(error).splitlines()[0]})") from error


def _id_series(ids: pl.Series | Sequence[SongId]) -> pl.Series:
    try:
        series = pl.Series("song", ids, strict=True)
        if series.dtype.is_integer():
            series = series.cast(pl.Int64)
    except (TypeError, UnicodeError, OverflowError, pl.exceptions.PolarsError) as error:
        raise ArgumentError(f"song ids must be all strings or all 64-bit integers ({str(error).splitlines()[0]})") from error
    if len(series) == 0:
        series = series.cast(pl.String)
    if not (series.dtype == pl.String or series.dtype.is_integer()):
        raise ArgumentError(f"song ids are {series.dtype}; all strings or all integers are allowed")
    if series.null_count() or series.n_unique() != len(series):
        raise ArgumentError("song ids must be unique and not null")
    return series
