"""A playlist: a table of songs with the reason for each, that shows and saves itself."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from song2vec.catalogue import SongId
from song2vec.core.checks import check_type
from song2vec.core.errors import ArgumentError
from song2vec.core.storage import write_atomically
from song2vec.playlists.files import WRITERS


@dataclass(frozen=True, eq=False)
class Playlist:
    """Songs in the order they are to be played.

    Attributes:
        table: position (from 1), song, artist and title where known, score (see
            :class:`song2vec.playlists.scoring.ScoreAdjustments`; null for songs that were given), because (of the songs
            before it the one nearest to this) and because_cosine (null where vectors are not known).
    """

    table: pl.DataFrame

    @classmethod
    def of(cls, songs: pl.DataFrame, scores: Sequence[float | None], reasons: Sequence[tuple[SongId | None, float | None]]) -> Self:
        """From a table of a catalogue, with a score and a reason for each song."""
        table = songs.drop("plays").with_columns(
            score=pl.Series(scores, dtype=pl.Float32),
            because=pl.Series([song for song, _ in reasons], dtype=songs["song"].dtype),
            because_cosine=pl.Series([cosine for _, cosine in reasons], dtype=pl.Float32),
        )
        return cls(table.select(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("position"), pl.all()))

    @property
    def songs(self) -> list[SongId]:
        """The song ids."""
        return self.table["song"].to_list()

    def __len__(self) -> int:
        return self.table.height

    def __iter__(self) -> Iterator[SongId]:
        return iter(self.songs)

    def __repr__(self) -> str:
        lines = [f"{position:>4}  {label}" for position, label in enumerate(self._labels(), 1)]
        return "\n".join([f"Playlist({len(self):,} songs)", *lines])

    def _repr_html_(self) -> str:
        """How notebooks show it."""
        items = "".join(f"<li>{html.escape(label)}</li>" for label in self._labels())
        return f"<p>Playlist, {len(self):,} songs</p><ol>{items}</ol>"

    def save(self, path: str | os.PathLike[str], *, title: str = "Playlist") -> Path:
        """Write for players (.m3u, .m3u8, .xspf, .jspf) or as the table (.csv, .json, .parquet).

        What players read, ``read_listens`` reads back: XSPF and JSPF name a song by its id, M3U by artist and title where
        both are known; characters that a format cannot hold, such as line ends in M3U, become spaces.

        Args:
            title: what players call the playlist.

        Raises ArgumentError for any other ending. The file appears only when it is whole.
        """
        check_type("title", title, str, "text is allowed")
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in WRITERS:
            raise ArgumentError(f"path={str(path)!r} ends in {ending!r}; {', '.join(WRITERS)} are allowed")
        return write_atomically(path, lambda temporary: WRITERS[ending](self.table, title, temporary))

    def _labels(self) -> list[str]:
        """``Artist - Title`` of each song where known, else its id."""
        names = [name for name in ("artist", "title") if name in self.table.columns]
        label = pl.concat_str([*names], separator=" - ", ignore_nulls=True).replace("", None) if names else pl.lit(None)
        return self.table.select(pl.coalesce(label, pl.col("song").cast(pl.String))).to_series().to_list()
