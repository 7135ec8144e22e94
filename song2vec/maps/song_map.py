"""Song vectors -> a map: a table of coordinates and groups that saves itself as a picture, a page or a table."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from song2vec.catalogue import SongId
from song2vec.core.checks import check_ending, check_int, check_seed, check_type, named_options
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.core.storage import write_atomically
from song2vec.maps import page, picture
from song2vec.maps.groups import ColourBy, group_songs
from song2vec.maps.layout import Layout, Method, lay_out
from song2vec.search.scoring import candidates, ranked
from song2vec.vectors.song_vectors import SongVectors

PICTURES = (".png", ".svg", ".pdf")
ENDINGS = (*PICTURES, ".html", ".csv", ".parquet")
_NEIGHBOURS = 10
_SHARPNESS = 80.0  # of the weights exp(sharpness * cosine): .01 less cosine weighs half, so that no song lands between two places


@dataclass(frozen=True, eq=False)
class SongMap:
    """Songs with coordinates.

    Attributes:
        table: one row a song: song, artist and title where known, plays, x and y (float64, no unit), group (text or null).
        coloured_by: what the groups are: "artist", "cluster" or "tag".
        layout: the coordinates of the songs the map was made of, and how they were found.
        vectors: the vectors of those songs, which new songs are placed by.
    """

    table: pl.DataFrame
    coloured_by: str
    layout: Layout
    vectors: SongVectors

    def __len__(self) -> int:
        return self.table.height

    def __repr__(self) -> str:
        return f"SongMap({len(self):,} songs, {self.method}, coloured by {self.coloured_by})"

    @property
    def method(self) -> str:
        """What found the coordinates: "sklearn", "opentsne", or "pca" for fewer than 10 songs."""
        return self.layout.method

    @property
    def perplexity(self) -> float | None:
        """The perplexity of the t-SNE; None for PCA."""
        return self.layout.perplexity

    def place(self, new_vectors: SongVectors) -> SongMap:
        """This map with new songs placed among the old, which stay where they are; songs already in it are passed over.

        When openTSNE made the map, its ``transform`` places each song by optimising its coordinates against the old songs.
        Otherwise a song lies at the mean of its 10 nearest old songs, weighted by cosine. New songs do not move one another.
        A new song joins its artist's group in a map coloured by artist, else the group of the nearest old song.

        Args:
            new_vectors: vectors from the same training as the map's own: those of another have other axes.

        Raises ArgumentError when their size or the type of their ids is not that of the map.
        """
        old, layout = self.vectors, self.layout
        if new_vectors.size != old.size:
            raise ArgumentError(f"new_vectors have size {new_vectors.size}; the map's have {old.size}, vectors of one training are allowed")
        kinds = [vectors.catalogue.ids.dtype for vectors in (new_vectors, old)]
        if kinds[0] != kinds[1]:
            raise ArgumentError(f"new_vectors: song ids are {kinds[0]}; the map's are {kinds[1]}")
        fresh = new_vectors.subset(np.flatnonzero(~new_vectors.catalogue.ids.is_in(self.table["song"].implode()).to_numpy()))
        if not len(fresh):
            return self
        # of the 10 old songs nearest to each new one the rows and their cosines, both (new, 10), nearest first, exact
        count = min(_NEIGHBOURS, len(old))
        found = zip(fresh.unit, candidates(old.unit, fresh.unit, count), strict=True)
        nearest = [ranked(old.unit, query, rows) for query, rows in found]
        near, cosines = (np.array([one[part][:count] for one in nearest]) for part in (0, 1))
        if layout.embedding is not None:
            points = layout.transform(fresh.unit)
        else:
            weights = np.exp(_SHARPNESS * (cosines - cosines[:, :1]))
            points = (layout.points[near] * weights[..., None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
        groups = self.table["group"][: len(old)].gather(near[:, 0])
        if self.coloured_by == "artist" and fresh.catalogue.artists is not None:
            groups = fresh.catalogue.artists
        rows = fresh.catalogue.table().with_columns(groups.alias("group"), x=points[:, 0], y=points[:, 1])
        rows = rows.select(column for column in self.table.columns if column in rows.columns)
        return replace(self, table=pl.concat([self.table, rows], how="diagonal"))

    def save(self, path: str | os.PathLike[str], *, title: str | None = None, subtitle: str | None = None, dark: bool = False) -> Path:
        """Write a picture (.png, .svg, .pdf), an interactive page (.html, one file, loads nothing) or the table (.csv, .parquet).

        Args:
            title, subtitle: written above pictures and pages.
            dark: pictures light on dark; a page follows its reader's setting.

        Raises ArgumentError for any other ending. The file appears only when it is whole.
        """
        ending = check_ending(path, ENDINGS)
        title = f"A map of {len(self):,} songs" if title is None else title
        subtitle = "Every dot is a song; songs that are played together lie together" if subtitle is None else subtitle
        if ending == ".csv":
            return write_atomically(path, self.table.write_csv)
        if ending == ".parquet":
            return write_atomically(path, self.table.write_parquet)
        if ending == ".html":
            text = page.render(self.table, title=title, subtitle=subtitle, legend=self.coloured_by)
            return write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        return write_atomically(path, picture.draw(self.table, title=title, subtitle=subtitle, legend=self.coloured_by, dark=dark).savefig)


@named_options
def song_map(
    vectors: SongVectors,
    *,
    songs: Iterable[SongId] | None = None,
    max_songs: int | None = None,
    perplexity: float | Literal["auto"] = "auto",
    colour_by: ColourBy = "auto",
    seed: int = 0,
    method: Method = "auto",
    workers: int | None = None,
) -> SongMap:
    """Lay out songs on a plane, by t-SNE (van der Maaten and Hinton 2008), so that songs with similar vectors lie together.

    Args:
        songs: only these; all by default.
        max_songs: at most so many, the most played ones.
        perplexity: how many neighbours count; "auto" is the square root of the number of songs, 5 to 50. It is at most
            a third of the other songs.
        colour_by: "artist"; "cluster", k-means on unit vectors, named by best-known artists; a mapping from song to tag;
            "auto" is artist where the ten best-known artists have half of all plays, else cluster.
        seed: the same seed, songs and method give the same coordinates.
        method: "sklearn" (Barnes-Hut), "opentsne" (the extra ``maps``), or "auto": scikit-learn up to 5,000 songs, above
            openTSNE where it is installed, else scikit-learn with a warning. The layouts are equally good; openTSNE takes a
            third of the time for 20,000 songs (``benchmarks/bench_maps.py``).
        workers: threads; None takes the cores that are idle. Their number does not change the coordinates.

    Fewer than 10 songs are laid out by PCA. Starts from PCA; neighbours are by cosine.
    Raises UnknownSongError, NothingLeftError for no songs, ArgumentError, MissingExtraError for "opentsne" without openTSNE.
    """
    check_seed(seed)
    check_type("vectors", vectors, SongVectors, "SongVectors are allowed")
    if isinstance(songs, str):
        raise ArgumentError(f"songs={songs!r}: a list of songs is allowed, not a single one")
    # in the order of the catalogue, so that the order of ``songs`` changes nothing
    rows = np.arange(len(vectors)) if songs is None else np.unique(vectors.catalogue.rows(songs))
    if max_songs is not None and len(rows) > check_int("max_songs", max_songs):
        rows = np.sort(rows[np.argsort(-vectors.catalogue.plays[rows], kind="stable")[:max_songs]])
    chosen = vectors if len(rows) == len(vectors) else vectors.subset(rows)
    if not len(chosen):
        raise NothingLeftError("songs: there are none to lay out; a map needs at least one")
    groups, coloured_by = group_songs(chosen, colour_by, seed)
    layout = lay_out(chosen.unit, perplexity=perplexity, method=method, seed=seed, workers=workers)
    table = chosen.catalogue.table().with_columns(x=layout.points[:, 0], y=layout.points[:, 1], group=groups)
    return SongMap(table, coloured_by, layout, chosen)
