"""What colours a map: artists, clusters named by their best-known artists, or tags from outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import chain, count
from typing import Literal

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.vectors.song_vectors import SongVectors

ColourBy = Literal["auto", "artist", "cluster"] | Mapping[SongId, str | None]
_FEW_ARTISTS = 10  # as many as a legend holds
_MOST_CLUSTERS = 10
_NAMES = 2  # artists in the name of a cluster


def group_songs(vectors: SongVectors, colour_by: ColourBy, seed: int) -> tuple[pl.Series, str]:
    """A group name a song (null where there is none), and what the groups are: "artist", "cluster" or "tag".

    Raises ArgumentError for anything else than ``ColourBy``, for "artist" without artists and for tags of no song in the map.
    """
    catalogue = vectors.catalogue
    if isinstance(colour_by, Mapping):
        tags = [colour_by.get(song) for song in catalogue.ids.to_list()]
        if all(tag is None for tag in tags):
            raise ArgumentError(f"colour_by: none of its {len(colour_by)} songs has a tag and is in the map, such as {catalogue.ids[0]!r}")
        return pl.Series("group", [None if tag is None else str(tag) for tag in tags], pl.String), "tag"
    if colour_by not in ("auto", "artist", "cluster"):
        raise ArgumentError(f"colour_by={colour_by!r}: 'auto', 'artist', 'cluster' or a mapping from song to tag is allowed")
    if colour_by == "artist" and catalogue.artists is None:
        raise ArgumentError("colour_by='artist': these songs have no artists; 'cluster' or a mapping from song to tag is allowed")
    by_artist = colour_by == "artist"
    if colour_by == "auto" and catalogue.artists is not None:  # where the ten best-known artists have at least half of all plays
        table = pl.DataFrame({"artist": catalogue.artists, "weight": _weights(catalogue)})
        top = table.drop_nulls().group_by("artist").agg(pl.col("weight").sum()).top_k(_FEW_ARTISTS, by="weight")
        by_artist = top["weight"].sum() >= table["weight"].sum() / 2
    if by_artist:
        return pl.Series("group", catalogue.artists, pl.String), "artist"
    codes = _clusters(vectors.unit, seed)
    names = np.array(_cluster_names(catalogue, codes), object)
    return pl.Series("group", names[codes].tolist(), pl.String), "cluster"


def _clusters(unit: Array, seed: int) -> Array:
    """(m,) codes by k-means, a cluster more for every fourfold number of songs, up to ten. One thread: the same bytes every time."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    distinct = len(np.unique(unit, axis=0))  # k-means warns when it is asked for more clusters than there are points
    number = min(_MOST_CLUSTERS, distinct, max(1, round(math.log2(len(unit)) - 1)))
    with threadpool_limits(1):
        return np.asarray(KMeans(number, n_init=4, random_state=seed).fit_predict(unit), np.int64)


def _cluster_names(catalogue: Catalogue, codes: Array) -> list[str]:
    """Each cluster's best-known artists, weighing how much of an artist it holds; titles where there are no artists."""
    names = catalogue.artists
    if names is None or names.null_count() == len(names):
        names = pl.Series("artist", [catalogue.label(row) for row in range(len(catalogue))])
    table = pl.DataFrame({"cluster": codes, "artist": names, "weight": _weights(catalogue)}).drop_nulls()
    table = table.group_by("cluster", "artist").agg(pl.col("weight").sum())
    share = pl.col("weight") / pl.col("weight").sum().over("artist")
    table = table.with_columns(score=pl.col("weight") * share).sort(["score", "artist"], descending=[True, False])
    best = table.group_by("cluster", maintain_order=True).agg("artist")
    artists = dict(best.iter_rows())
    unique: list[str] = []
    for code in range(int(codes.max()) + 1):
        found = artists.get(code, ["no artist"])
        stem = ", ".join(found[:_NAMES])
        full = stem + (", …" if len(found) > _NAMES else "")
        numbered = (f"{stem} ({number})" for number in count(2))
        unique.append(next(name for name in chain([full], numbered) if name not in unique))
    return unique


def _weights(catalogue: Catalogue) -> Array:
    return catalogue.plays.astype(np.float64) if catalogue.plays.any() else np.ones(len(catalogue))
