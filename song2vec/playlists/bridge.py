"""A path from one song to another, in steps as small and as even as the catalogue allows.

The shortest path between two unit vectors is the great circle: at an angle w apart, the point a share s along it is
cos(s w) a + sin(s w) p, with p at a right angle to a in their plane (Shoemake 1985). Each place of the playlist has such a
point as its aim, and the songs nearest to it as candidates. The path taken through the candidates costs least:

    sum of step**2  +  sum of (angle to the aim)**2  +  popularity * sum of (step in popularity)**2
    +  listener_weight * sum of (angle to the listener)**2

angles in radians, popularity as ln(1 + plays) in standard deviations over the catalogue. Squares make one large step dearer
than many small ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_float, check_int, check_type, named_options
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.playlists.files import Playlist
from song2vec.playlists.rules import Constraints, PlaylistRules
from song2vec.playlists.scoring import Space
from song2vec.search.listeners import Listener, check_listener
from song2vec.search.scoring import candidates, ranked
from song2vec.vectors.song_vectors import SongVectors

_CANDIDATES = 64  # songs considered for each place
_MOST = 512  # paths kept; as many to each song of a stage, or all would lead to the songs that are cheap to reach and dear to leave


@named_options
def bridge(
    vectors: SongVectors,
    a: SongId,
    b: SongId,
    length: int = 10,
    *,
    popularity: float = 0.05,
    listener: SongId | Listener | None = None,
    listener_weight: float = 1.0,
    artist_gap: int = 0,
    max_per_artist: int | None = None,
    exclude: Iterable[SongId] = (),
) -> Playlist:
    """A playlist from song ``a`` to song ``b`` that moves evenly through the music between them; no song comes twice.

    Args:
        length: songs in all, ``a`` and ``b`` among them; from 2.
        popularity: how much a jump in popularity costs beside one in sound; 0 for nothing.
        listener, listener_weight: whose taste the path keeps near to, as :func:`song2vec.listener` makes them, and how much.
        artist_gap, max_per_artist: rules, never broken; see :class:`song2vec.playlists.rules.PlaylistRules`.
        exclude: songs never to play.

    Returns:
        A :class:`Playlist` whose score is the cosine of each song with its aim on the path, and whose because is the song
        before it.

    Raises:
        NothingLeftError: no path of this length obeys the rules, or there are fewer songs.
        UnknownSongError: for a, b or an excluded song that is not in the catalogue.
        ArgumentError: a and b are one song, one of them has no vector or is excluded, a rule is about artists and the
            catalogue names none, or a value is not allowed.
    """
    check_type("vectors", vectors, SongVectors, "SongVectors are allowed")
    check_int("length", length, 2)
    check_float("popularity", popularity, 0)
    check_float("listener_weight", listener_weight, 0)
    check_listener(listener, ids=False)
    constraints = Constraints(vectors.catalogue, PlaylistRules(artist_gap=artist_gap, max_per_artist=max_per_artist), exclude)
    ends = _ends(vectors, constraints, a, b)
    aims = great_circle(vectors.unit[ends[0]], vectors.unit[ends[1]], length)
    heights = np.log1p(vectors.catalogue.plays.astype(np.float64))
    spread = float(heights.std()) or np.inf  # where all are played alike, no step rises
    heights = heights / spread * np.sqrt(popularity)
    own = np.zeros(len(vectors))
    if isinstance(listener, Listener):
        along = vectors.unit @ Space(vectors, vectors.catalogue).direction(listener)
        own = listener_weight * np.arccos(along.clip(-1, 1)) ** 2
    usable = constraints.usable & vectors.unit.any(axis=1)
    usable[list(ends)] = False
    between = np.flatnonzero(usable)
    if len(between) < length - 2:
        raise NothingLeftError(f"length={length}: only {len(between):,} songs may lie between {a!r} and {b!r}; {length - 2:,} are needed")
    n, unit = _CANDIDATES, vectors.unit
    while (rows := cheapest_path(unit, heights, constraints, ends[0], _stages(unit, aims[1:-1], between, n, own), ends[1])) is None:
        if n >= len(between):
            raise NothingLeftError(f"length={length}: found no path of so many songs from {a!r} to {b!r} under {constraints}; loosen these")
        n *= 8
    path = unit[rows].astype(np.float64)
    scores = (path * aims).sum(axis=1).clip(-1, 1)
    steps = (path[1:] * path[:-1]).sum(axis=1).clip(-1, 1)
    before = vectors.catalogue.songs(rows[:-1])
    return Playlist.of(vectors.catalogue.table(rows), scores.tolist(), [(None, None), *zip(before, steps.tolist(), strict=True)])


def great_circle(start: Array, end: Array, points: int) -> Array:
    """(points, size) float32 unit vectors at even steps from one unit vector to another, both included.

    Opposite vectors have no shortest path of their own; theirs goes through the axis that lies furthest from them.
    """
    a, b = start.astype(np.float64), end.astype(np.float64)
    across = b - (a @ b) * a
    if np.linalg.norm(across) < 1e-6:
        across = np.eye(len(a))[np.abs(a).argmin()]
        across = across - (a @ across) * a
    across /= max(float(np.linalg.norm(across)), 1e-12)
    angles = np.arctan2(abs(b @ across), a @ b) * np.linspace(0, 1, points)
    aims: Array = (np.cos(angles)[:, None] * a + np.sin(angles)[:, None] * across).astype(np.float32)
    return aims


def _stages(unit: Array, aims: Array, usable: Array, n: int, own: Array) -> list[Stage]:
    """For each aim the n usable songs nearest to it, and one more for each place before it, whose songs are used up by then.

    Args:
        own: (songs,) what each song costs wherever it stands.
    """
    found = [ranked(unit, aim, rows) for aim, rows in zip(aims, candidates(unit, aims, n + len(aims), usable), strict=True)]
    kept = [(rows[: n + place], cosines[: n + place]) for place, (rows, cosines) in enumerate(found)]
    return [Stage(rows, np.arccos(cosines.clip(-1, 1)) ** 2 + own[rows]) for rows, cosines in kept]


def _ends(vectors: SongVectors, constraints: Constraints, a: SongId, b: SongId) -> tuple[int, int]:
    ends = (vectors.catalogue.row(a), vectors.catalogue.row(b))
    if ends[0] == ends[1]:
        raise ArgumentError(f"b={b!r}: is the same song as a; two different songs are allowed")
    for name, row, song in zip("ab", ends, (a, b), strict=True):
        if not vectors.unit[row].any():
            raise ArgumentError(f"{name}={song!r}: has a zero vector, which lies nowhere; another song is needed")
        if not constraints.usable[row]:
            raise ArgumentError(f"{name}={song!r}: is in exclude too")
    return ends


class Stage(NamedTuple):
    """Songs for one place of a playlist: their rows (n,), and what each costs by itself (n,)."""

    rows: Array
    costs: Array


def step_costs(unit: Array, heights: Array, rows: Array, others: Array) -> Array:
    """(p, n) what steps from p songs to n others cost: the squared angles between unit vectors, and the squared rises between heights."""
    lasts, which = np.unique(rows, return_inverse=True)  # BLAS would spread so little work over all cores, and wait for them
    cosines = np.einsum("ps,rs->pr", unit[lasts], unit[others])
    costs: Array = (np.arccos(np.clip(cosines, -1, 1)) ** 2 + (heights[lasts][:, None] - heights[others]) ** 2)[which]
    return costs


def cheapest_path(unit: Array, heights: Array, constraints: Constraints, start: int, stages: Sequence[Stage], goal: int) -> Array | None:
    """The rows of the cheapest path found, (stages + 2,) from start to goal with one song of each stage; None where there is none.

    Rules look back over a whole path. Where they close the few paths that are kept to each song, a cheaper one may be missed.
    """
    costs, paths = np.zeros(1), np.array([[start]])
    for left, (rows, own) in zip(range(len(stages), -1, -1), (*stages, Stage(np.array([goal]), np.zeros(1))), strict=True):
        fits = constraints.allowed_after(paths, rows)
        if left:
            fits &= _goal_stays_open(constraints, rows, paths, goal, left - 1)
        total = np.where(fits, costs[:, None] + step_costs(unit, heights, paths[:, -1], rows) + own, np.inf)
        each = min(max(1, _MOST // len(rows)), len(paths))
        kept = np.argpartition(total, each - 1, axis=0)[:each]
        path, place = kept.ravel(), np.tile(np.arange(len(rows)), len(kept))
        order = np.argsort(total[path, place], kind="stable")[:_MOST]
        order = order[np.isfinite(total[path, place][order])]
        path, place = path[order], place[order]
        costs, paths = total[path, place], np.column_stack([paths[path], rows[place]])
        if not len(paths):
            return None
    return np.asarray(paths[0])


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
