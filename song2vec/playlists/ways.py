"""The cheapest way through layers of songs under rules: many ways grow side by side, and of each layer the cheapest go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import Array
from song2vec.playlists.rules import Gate

_MOST = 512  # ways kept; as many to each song of a layer, or all would lead to the songs that are cheap to reach and dear to leave


@dataclass(frozen=True)
class Layer:
    """Songs for one place of a playlist: their rows (n,), and what each costs by itself (n,)."""

    rows: Array
    off: Array


@dataclass(frozen=True)
class Climb:
    """What a step from song to song costs: the square of the angle between their vectors, and that of the rise between heights."""

    unit: Array
    heights: Array

    def steps(self, rows: Array, others: Array) -> Array:
        """(w,) and (n,) rows -> (w, n) costs."""
        lasts, which = np.unique(rows, return_inverse=True)  # BLAS would spread so little work over all cores, and wait for them
        cosines = np.einsum("ws,rs->wr", self.unit[lasts], self.unit[others])
        rise = self.heights[lasts][:, None] - self.heights[others]
        found: Array = (np.arccos(np.clip(cosines, -1, 1)) ** 2 + rise**2)[which]
        return found


def cheapest_way(climb: Climb, gate: Gate, start: int, layers: Sequence[Layer], goal: int) -> Array | None:
    """The rows of the cheapest way found, (layers + 2,) from start to goal with one song of each layer; None where there is none.

    Where rules, which look back over all of a way, close the few kept to each song, one cheaper yet may be missed.
    """
    costs, ways = np.zeros(1), np.array([[start]])
    for place, layer in enumerate(layers):
        fits = gate.together(layer.rows, ways) & _leaves_room(gate, layer.rows, ways, goal, len(layers) - 1 - place)
        costs, ways = _grown(climb, costs, ways, layer, fits)
        if not len(ways):
            return None
    last = Layer(np.array([goal]), np.zeros(1))
    costs, ways = _grown(climb, costs, ways, last, gate.together(last.rows, ways))
    return ways[0] if len(ways) else None


def _grown(climb: Climb, costs: Array, ways: Array, layer: Layer, fits: Array) -> tuple[Array, Array]:
    """Costs and rows of the ways that go on to this layer, cheapest first."""
    total = np.where(fits, costs[:, None] + climb.steps(ways[:, -1], layer.rows) + layer.off, np.inf)
    each = min(max(1, _MOST // len(layer.rows)), len(ways))
    kept = np.argpartition(total, each - 1, axis=0)[:each]
    way, place = kept.ravel(), np.tile(np.arange(len(layer.rows)), len(kept))
    order = np.argsort(total[way, place], kind="stable")[:_MOST]
    order = order[np.isfinite(total[way, place][order])]
    way, place = way[order], place[order]
    return total[way, place], np.column_stack([ways[way], layer.rows[place]])


def _leaves_room(gate: Gate, rows: Array, ways: Array, goal: int, between: int) -> Array:
    """(w, n) bool: whether the artist of the goal may still come, so many songs after each of these."""
    rules, same = gate.rules, gate.artists[rows] == gate.artists[goal]
    if between < rules.artist_gap:
        return np.broadcast_to(~same, (len(ways), len(rows)))
    if rules.max_per_artist is None:
        return np.ones((len(ways), len(rows)), bool)
    played = (gate.artists[ways] == gate.artists[goal]).sum(axis=1)
    full: Array = same & (played[:, None] + 2 > rules.max_per_artist)
    return ~full
