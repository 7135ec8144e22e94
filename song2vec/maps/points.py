"""A table of songs with coordinates, checked and ready to draw; names for it, where an artist's songs are densest and a place is free."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.maps.theme import GROUPS

_INVISIBLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_BUNCH = 0.06  # of the map's diagonal: how far apart songs of one bunch may lie
_LONGEST = 30  # characters of a name
_SONGS = 400  # an artist's best-known songs that are looked at
_ASIDE = ((0, 1), (0, -1), (0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1))
# places to try, in half widths and half heights: the point itself, then ever further above, below and aside
_SHIFTS = ((0, 0), *((across, up * step) for step in (1.2, 2.2) for across, up in _ASIDE), (0.9, 0), (-0.9, 0))


@dataclass(frozen=True)
class Points:
    """Songs to draw.

    Attributes:
        xy: (m, 2) float64.
        plays: (m,) float64; ones where plays are not known.
        names: the title, or the song id where there is none; one line of visible text.
        artists: one line of text or None each.
        groups: the names of the largest groups, most songs first, at most ten.
        codes: (m,) int64: which of ``groups``; -1 for none of them.
        others: whether some song is in a group that is not shown.
    """

    xy: Array
    plays: Array
    names: list[str]
    artists: list[str | None]
    groups: list[str]
    codes: Array
    others: bool

    def __len__(self) -> int:
        return len(self.xy)

    @property
    def sizes(self) -> Array:
        """(m,) float64: relative areas, 1 for the least played song to 5 for the best known."""
        depth = np.log1p(self.plays) - np.log1p(self.plays.min())
        return np.asarray(1 + 4 * (depth / max(depth.max(), 1e-12)) ** 2)


def points(table: pl.DataFrame) -> Points:
    """Check a table of columns x, y, song and, where known, artist, title, plays, group.

    Raises ArgumentError when one of the first three is absent, a coordinate is not finite, or there are no songs.
    """
    absent = [name for name in ("x", "y", "song") if name not in table.columns]
    if absent:
        raise ArgumentError(f"table has no column {', '.join(absent)}; x, y and song are needed, found {', '.join(table.columns)}")
    xy = table.select(pl.col("x", "y").cast(pl.Float64).fill_null(np.nan)).to_numpy()
    finite = int(np.isfinite(xy).all(axis=1).sum())
    if not len(xy) or finite < len(xy):
        raise ArgumentError(f"table has {len(xy)} songs, {finite} of them with finite x and y; at least one, all with both, are allowed")
    plays = table["plays"].fill_null(0).to_numpy().astype(np.float64) if "plays" in table.columns else np.zeros(len(xy))
    plays = plays if plays.any() else np.ones(len(xy))
    titles, ids = _texts(table, "title"), _texts(table, "song")
    groups, codes, others = _largest_groups(_texts(table, "group"), plays)
    names = [title or song or "?" for title, song in zip(titles, ids, strict=True)]
    return Points(xy, plays, names, _texts(table, "artist"), groups, codes, others)


def _texts(table: pl.DataFrame, column: str) -> list[str | None]:
    if column not in table.columns:
        return [None] * table.height
    return [one_line(text) or None if text is not None else None for text in table[column].cast(pl.String).to_list()]


def one_line(text: str) -> str:
    """Text from a log as one line without invisible characters, which could reorder or hide what stands beside it."""
    return _INVISIBLE.sub(" ", text).strip()


def shortened(text: str, most: int) -> str:
    """At most so many characters, cut with an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _largest_groups(names: list[str | None], plays: Array) -> tuple[list[str], Array, bool]:
    """The groups that fill most of the map: by the sum of log plays, as songs are drawn larger the more they are played."""
    table = pl.DataFrame({"group": pl.Series(names, dtype=pl.String), "weight": 1 + np.log1p(plays)}).drop_nulls()
    ranked = table.group_by("group").agg(pl.col("weight").sum(), songs=pl.len()).sort(["weight", "group"], descending=[True, False])
    shown = ranked.head(GROUPS).sort("songs", descending=True, maintain_order=True)["group"].to_list()
    code_of = {name: code for code, name in enumerate(shown)}
    codes = np.array([-1 if name is None else code_of.get(name, -1) for name in names], np.int64)
    return shown, codes, ranked.height > len(shown)


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
    return [_label(points, name, np.array(rows)) for name, rows, _ in artists.iter_rows()]


def _label(points: Points, name: str, rows: Array) -> Label:
    known = rows[:_SONGS]  # the bunch are those of them that lie around the one with the most plays near it
    xy = points.xy[known]
    near = np.linalg.norm(xy[:, None] - xy[None], axis=2) <= _BUNCH * np.linalg.norm(np.ptp(points.xy, axis=0))
    bunch = known[near[(near * points.plays[known]).sum(axis=1).argmax()]]
    x, y = np.median(points.xy[bunch], axis=0)
    codes = points.codes[bunch]
    shown = codes[codes >= 0]
    group = int(np.bincount(shown).argmax()) if 2 * len(shown) > len(codes) else -1
    return Label(shortened(name, _LONGEST), float(x), float(y), float(points.plays[rows].sum()), group)


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
