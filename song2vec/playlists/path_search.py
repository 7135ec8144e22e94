"""The cheapest path through stages of songs under constraints: beam search, many paths side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.playlists.rules import Constraints

_MOST = 512  # paths kept; as many to each song of a stage, or all would lead to the songs that are cheap to reach and dear to leave


class Stage(NamedTuple):
    """Songs for one place of a playlist: their rows (n,), and what each costs by itself (n,)."""

    rows: Array
    costs: Array


class TransitionCost(NamedTuple):
    """What a step from song to song costs: the squared angle between their unit vectors, and the squared rise between their heights."""

    unit: Array
    heights: Array

    def of(self, rows: Array, others: Array) -> Array:
        """(p,) and (n,) rows -> (p, n) costs."""
        lasts, which = np.unique(rows, return_inverse=True)  # BLAS would spread so little work over all cores, and wait for them
        cosines = np.einsum("ps,rs->pr", self.unit[lasts], self.unit[others])
        rise = self.heights[lasts][:, None] - self.heights[others]
        found: Array = (np.arccos(np.clip(cosines, -1, 1)) ** 2 + rise**2)[which]
        return found


def cheapest_path(cost: TransitionCost, constraints: Constraints, start: int, stages: Sequence[Stage], goal: int) -> Array | None:
    """The rows of the cheapest path found, (stages + 2,) from start to goal with one song of each stage; None where there is none.

    Rules look back over a whole path. Where they close the few paths that are kept to each song, a cheaper one may be missed.
    """
    costs, paths = np.zeros(1), np.array([[start]])
    for place, stage in enumerate(stages):
        fits = constraints.allowed_after(paths, stage.rows)
        fits &= _goal_stays_open(constraints, stage.rows, paths, goal, len(stages) - 1 - place)
        costs, paths = _extended(cost, costs, paths, stage, fits)
        if not len(paths):
            return None
    last = Stage(np.array([goal]), np.zeros(1))
    _, paths = _extended(cost, costs, paths, last, constraints.allowed_after(paths, last.rows))
    return paths[0] if len(paths) else None


def _extended(cost: TransitionCost, costs: Array, paths: Array, stage: Stage, fits: Array) -> tuple[Array, Array]:
    """Costs and rows of the paths that go on to this stage, cheapest first."""
    total = np.where(fits, costs[:, None] + cost.of(paths[:, -1], stage.rows) + stage.costs, np.inf)
    each = min(max(1, _MOST // len(stage.rows)), len(paths))
    kept = np.argpartition(total, each - 1, axis=0)[:each]
    path, place = kept.ravel(), np.tile(np.arange(len(stage.rows)), len(kept))
    order = np.argsort(total[path, place], kind="stable")[:_MOST]
    order = order[np.isfinite(total[path, place][order])]
    path, place = path[order], place[order]
    return total[path, place], np.column_stack([paths[path], stage.rows[place]])


def _goal_stays_open(constraints: Constraints, rows: Array, paths: Array, goal: int, between: int) -> Array:
    """(p, n) bool: whether the artist of the goal may still come, so many songs after each of these."""
    rules, artists = constraints.rules, constraints.artists
    same = np.broadcast_to(artists[rows] == artists[goal], (len(paths), len(rows)))
    if between < rules.artist_gap:
        return ~same
    if rules.max_per_artist is None:
        return np.ones_like(same)
    full: Array = same & ((artists[paths] == artists[goal]).sum(axis=1)[:, None] + 2 > rules.max_per_artist)
    return ~full
