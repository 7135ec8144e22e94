"""New songs on an old map."""

from __future__ import annotations

import numpy as np
import polars as pl

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.maps.layout import Layout
from song2vec.vectors.song_vectors import SongVectors

_NEIGHBOURS = 10
_SHARPNESS = 80.0  # of the weights exp(sharpness * cosine): .01 less cosine weighs half, so that no song lands between two places
_BLOCK = 1024  # songs compared with all others at a time


def place_songs(table: pl.DataFrame, old: SongVectors, layout: Layout, new: SongVectors, coloured_by: str) -> pl.DataFrame:
    """The rows of ``table`` and below them those of the songs of ``new`` that are not in it; see ``SongMap.place``."""
    if new.size != old.size:
        raise ArgumentError(f"new_vectors have size {new.size}; the map's have {old.size}, vectors of one training are allowed")
    if new.catalogue.ids.dtype != old.catalogue.ids.dtype:
        raise ArgumentError(f"new_vectors: song ids are {new.catalogue.ids.dtype}; the map's are {old.catalogue.ids.dtype}")
    fresh = new.subset(np.flatnonzero(~new.catalogue.ids.is_in(table["song"].implode()).to_numpy()))
    if not len(fresh):
        return table
    near, cosines = _nearest(old.unit, fresh.unit)
    points = _mean_place(layout.points, near, cosines) if layout.embedding is None else _transformed(layout, fresh.unit)
    groups = table["group"][: len(old)].gather(near[:, 0])
    if coloured_by == "artist" and fresh.catalogue.artists is not None:
        groups = fresh.catalogue.artists
    rows = fresh.catalogue.table().with_columns(groups.alias("group"), x=points[:, 0], y=points[:, 1])
    rows = rows.select(column for column in table.columns if column in rows.columns)
    return pl.concat([table, rows], how="diagonal")


def _nearest(old: Array, new: Array) -> tuple[Array, Array]:
    """Rows of the 10 old songs nearest to each new one and their cosines, both (new, 10), nearest first, exact."""
    count = min(_NEIGHBOURS, len(old))
    rows, cosines = np.empty((len(new), count), np.int64), np.empty((len(new), count), np.float32)
    for begin in range(0, len(new), _BLOCK):
        block = new[begin : begin + _BLOCK] @ old.T
        order = np.argsort(-block, axis=1, kind="stable")[:, :count]
        rows[begin : begin + _BLOCK], cosines[begin : begin + _BLOCK] = order, np.take_along_axis(block, order, 1)
    return rows, cosines


def _mean_place(points: Array, near: Array, cosines: Array) -> Array:
    weights = np.exp(_SHARPNESS * (cosines - cosines[:, :1]))
    place: Array = (points[near] * weights[..., None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    return place


def _transformed(layout: Layout, unit: Array) -> Array:
    """By openTSNE: the median of the nearest old songs, then gradient descent with all old songs held."""
    old = len(layout.points)
    placed = layout.embedding.transform(unit, perplexity=min(5.0, (old - 1) / 3), k=min(25, old - 1))
    rotated: Array = np.asarray(placed, np.float64) @ layout.rotation
    return rotated
