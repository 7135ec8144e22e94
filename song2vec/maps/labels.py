"""Names on a map: where an artist's songs are densest, and which names find a free place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from song2vec.core.arrays import Array
from song2vec.maps.points import Points, shortened

_BUNCH = 0.06  # of the map's diagonal: how far apart songs of one bunch may lie
_LONGEST = 30  # characters of a name
_SONGS = 400  # an artist's best-known songs that are looked at
_ASIDE = ((0, 1), (0, -1), (0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1))
# places to try, in half widths and half heights: the point itself, then ever further above, below and aside
_SHIFTS = ((0, 0), *((across, up * step) for step in (1.2, 2.2) for across, up in _ASIDE), (0.9, 0), (-0.9, 0))


@dataclass(frozen=True)
class Label:
    """A name at a place: the artist, the centre of the bunch, the plays of all songs, the group most of the bunch is in (or -1)."""

    text: str
    x: float
    y: float
    plays: float
    group: int


def labels(points: Points, most: int) -> list[Label]:
    """The best-known artists, best known first; best-known songs where no artist is known."""
    if all(artist is None for artist in points.artists):
        best = np.argsort(-points.plays, kind="stable")[:most]
        return [_label(points, points.names[row], np.array([row])) for row in best]
    table = pl.DataFrame({"artist": points.artists, "row": np.arange(len(points)), "plays": points.plays}).drop_nulls("artist")
    rows = table.sort("plays", descending=True, maintain_order=True).group_by("artist", maintain_order=True)
    artists = rows.agg("row", pl.col("plays").sum()).sort(["plays", "artist"], descending=[True, False]).head(most)
    return [_label(points, name, np.array(rows), plays) for name, rows, plays in artists.iter_rows()]


def _label(points: Points, name: str, rows: Array, plays: float | None = None) -> Label:
    known = rows[:_SONGS]  # the bunch are those of them that lie around the one with the most plays near it
    xy = points.xy[known]
    near = np.linalg.norm(xy[:, None] - xy[None], axis=2) <= _BUNCH * np.linalg.norm(np.ptp(points.xy, axis=0))
    bunch = known[near[(near * points.plays[known]).sum(axis=1).argmax()]]
    x, y = np.median(points.xy[bunch], axis=0)
    codes = points.codes[bunch]
    shown = codes[codes >= 0]
    group = int(np.bincount(shown).argmax()) if 2 * len(shown) > len(codes) else -1
    return Label(shortened(name, _LONGEST), float(x), float(y), float(points.plays[rows].sum() if plays is None else plays), group)


class FreeSpace:
    """What rectangles leave free of a sheet of this width and height; finds a place near a point. Any unit, y either way."""

    def __init__(self, width: float, height: float, gap: float) -> None:
        self._sheet, self._gap = np.array([width, height]), gap
        self._taken = np.empty((0, 4))

    def __len__(self) -> int:
        return len(self._taken)

    def is_near(self, x: float, y: float, distance: float) -> bool:
        """Whether a taken rectangle is within this distance of (x, y)."""
        outside = np.maximum(np.maximum(self._taken[:, :2] - (x, y), (x, y) - self._taken[:, 2:]), 0)
        return bool((np.linalg.norm(outside, axis=1) < distance).any())

    def take(self, x: float, y: float, width: float, height: float) -> tuple[float, float] | None:
        """The centre of a free rectangle of this size at (x, y) or a little aside, now taken; None where all is full."""
        half = np.array([width, height]) / 2
        for shift in _SHIFTS:
            centre = np.array([x, y]) + half * shift
            low, high = centre - half, centre + half
            inside = (low >= self._gap).all() and (high <= self._sheet - self._gap).all()
            if inside and ((self._taken[:, :2] >= high + self._gap) | (self._taken[:, 2:] <= low - self._gap)).any(axis=1).all():
                self._taken = np.vstack([self._taken, [*low, *high]])
                return float(centre[0]), float(centre[1])
        return None
