"""A way from one song to another, in steps as small and as even as the catalogue allows.

The shortest way between two unit vectors is the great circle: at an angle w apart, the point a share s of the way is
cos(s w) a + sin(s w) p, with p at a right angle to a in their plane (Shoemake 1985). Each place of the playlist has such a
point as its aim, and the songs nearest to it as candidates. Of all ways through the candidates the one taken costs least:

    sum of step**2  +  sum of (angle to the aim)**2  +  popularity * sum of (step in popularity)**2

angles in radians, popularity as ln(1 + plays) in standard deviations over the catalogue. Squares make one large step dearer
than many small ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np

from song2vec.arrays import Array
from song2vec.catalogue import SongId
from song2vec.errors import ArgumentError, NothingLeftError
from song2vec.playlists.result import Playlist
from song2vec.playlists.rules import Gate, Rules
from song2vec.playlists.weighing import check_real
from song2vec.search.filters import check_count
from song2vec.search.scoring import candidates, ranked
from song2vec.vectors.song_vectors import SongVectors

_CANDIDATES = 64  # songs considered for each place, at least
_KEPT = 4  # best ways kept to each of them: of one alone, rules would leave too little to choose from

Way = tuple[float, tuple[int, ...]]  # cost so far, rows so far


def bridge(
    vectors: SongVectors,
    a: SongId,
    b: SongId,
    length: int = 10,
    *,
    popularity: float = 0.05,
    artist_gap: int = 0,
    max_per_artist: int | None = None,
    exclude: Iterable[SongId] = (),
) -> Playlist:
    """A playlist from song ``a`` to song ``b`` that moves evenly through the music between them; no song comes twice.

    Args:
        length: songs in all, ``a`` and ``b`` among them; from 2.
        popularity: how much a jump in popularity costs beside one in sound; 0 for nothing.
        artist_gap, max_per_artist, exclude: rules, never broken; see :class:`song2vec.playlists.rules.Rules`.

    Returns:
        A :class:`Playlist` whose score is the cosine of each song with its aim on the way, and whose because is the song
        before it.

    Raises:
        NothingLeftError: no way of this length obeys the rules.
        UnknownSongError: for a, b or an excluded song that is not in the catalogue.
        ArgumentError: a and b are one song, one of them has no vector or is excluded, or a value is not allowed.
    """
    if not isinstance(vectors, SongVectors):
        raise ArgumentError(f"vectors is a {type(vectors).__name__}; SongVectors are allowed")
    check_count("length", length)
    check_real("popularity", popularity, least=0)
    gate = Gate(Rules(exclude, artist_gap, max_per_artist), vectors.catalogue)
    ends = (vectors.catalogue.row(a), vectors.catalogue.row(b))
    _check_ends(vectors, gate, ends, (a, b), length)
    aims = great_circle(vectors.unit[ends[0]], vectors.unit[ends[1]], length)
    heights = _popularity(vectors.catalogue.plays) * np.sqrt(popularity)
    usable = gate.open & vectors.unit.any(axis=1)
    usable[list(ends)] = False
    n = max(_CANDIDATES, 2 * length)
    while (rows := _best_way(vectors.unit, heights, gate, aims, ends, np.flatnonzero(usable), n)) is None:
        if n >= usable.sum():
            told = f"length={length}: found no way of so many songs from {a!r} to {b!r}; {int(usable.sum()):,} songs may lie between"
            raise NothingLeftError(f"{told}, under {gate.rules}")
        n *= 8
    return _explained(vectors, rows, aims)


def great_circle(start: Array, end: Array, points: int) -> Array:
    """(points, size) float32 unit vectors at even steps from one unit vector to another, both included.

    Opposite vectors have no shortest way of their own; theirs goes through the axis that lies furthest from them.
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


def _best_way(unit: Array, heights: Array, gate: Gate, aims: Array, ends: tuple[int, int], usable: Array, n: int) -> tuple[int, ...] | None:
    """The rows of the cheapest way, ends included, through the n usable songs nearest to each aim; None where there is none."""
    layers = [ranked(unit, aim, rows) for aim, rows in zip(aims[1:-1], candidates(unit, aims[1:-1], n, usable), strict=True)]
    ways: list[Way] = [(0.0, ends[:1])]
    for rows, cosines in [*layers, (np.array(ends[1:]), np.ones(1, np.float32))]:
        ways = _extended(unit, heights, gate, ways, rows[:n], np.arccos(cosines[:n]) ** 2)
        if not ways:
            return None
    return min(ways)[1]


def _extended(unit: Array, heights: Array, gate: Gate, ways: list[Way], rows: Array, off: Array) -> list[Way]:
    """To each of these rows the ``_KEPT`` cheapest ways that obey the rules."""
    lasts = np.array([way[-1] for _, way in ways])
    cosines = np.einsum("ws,rs->wr", unit[lasts], unit[rows])
    steps = np.arccos(np.clip(cosines, -1, 1)) ** 2 + (heights[lasts][:, None] - heights[rows]) ** 2
    costs = np.array([cost for cost, _ in ways])[:, None] + steps + off
    cheapest = np.argsort(costs, axis=0, kind="stable")
    extended: list[Way] = []
    for place, row in enumerate(rows.tolist()):
        fitting = (i for i in cheapest[:, place] if gate.admits(row, ways[i][1]))
        extended += [(float(costs[i, place]), (*ways[i][1], row)) for i in islice(fitting, _KEPT)]
    return extended


def _check_ends(vectors: SongVectors, gate: Gate, ends: tuple[int, int], names: tuple[SongId, SongId], length: int) -> None:
    if length < 2:
        raise ArgumentError(f"length={length!r}: an integer from 2 on is allowed")
    if ends[0] == ends[1]:
        raise ArgumentError(f"b={names[1]!r}: is the same song as a; two different songs are allowed")
    for name, row, song in zip("ab", ends, names, strict=True):
        if not vectors.unit[row].any():
            raise ArgumentError(f"{name}={song!r}: has a zero vector, which lies nowhere; another song is needed")
        if not gate.open[row]:
            raise ArgumentError(f"{name}={song!r}: is in exclude too")


def _popularity(plays: Array) -> Array:
    """(songs,) ln(1 + plays) in standard deviations; zeros where all are played alike."""
    heights = np.log1p(plays.astype(np.float64))
    spread = heights.std()
    return heights / spread if spread > 0 else np.zeros(len(heights))


def _explained(vectors: SongVectors, rows: tuple[int, ...], aims: Array) -> Playlist:
    """The way with the cosine of each song with its aim, and of each with the song before."""
    unit, way = vectors.unit.astype(np.float64), list(rows)
    scores = (unit[way] * aims).sum(axis=1).clip(-1, 1)
    steps = (unit[way[1:]] * unit[way[:-1]]).sum(axis=1).clip(-1, 1)
    before = vectors.catalogue.songs(way[:-1])
    return Playlist.of(vectors.catalogue.table(way), scores.tolist(), [(None, None), *zip(before, steps.tolist(), strict=True)])
