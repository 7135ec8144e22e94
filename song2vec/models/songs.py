"""Songs in and songs out: what was played as rows of the catalogue, and the best of scored songs as a table."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array, ranges
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.search.scoring import among_best
from song2vec.sessions import Sessions


def played_rows(catalogue: Catalogue, songs: Iterable[SongId], unknown: Unknown) -> Array:
    """Rows of songs that were played, at least one. Raises UnknownSongError, and ArgumentError for what is no list of ids."""
    if isinstance(songs, str | int | np.integer) or not isinstance(songs, Iterable):
        raise ArgumentError(f"songs={songs!r}: a list of song ids is allowed")
    rows = catalogue.rows(songs, unknown)
    if not len(rows):
        raise UnknownSongError("songs: no song was given that this model knows; at least one is needed")
    return rows


def histories(sessions: Sessions, plays: Array) -> tuple[Array, Array]:
    """Where the history of each play begins and ends: history i is ``sessions.songs[begin[i]:end[i]]``, never empty."""
    session = np.searchsorted(sessions.offsets, plays, side="right") - 1
    return sessions.offsets[session], plays + 1


def plays_of_histories(sessions: Sessions, plays: Array) -> tuple[Array, Array]:
    """The histories of some plays, end to end: the number of the history that each of their plays is in, and its song."""
    begin, end = histories(sessions, plays)
    owner, play = ranges(begin, end - begin)
    return owner, sessions.songs[play]


def best_songs(catalogue: Catalogue, scores: Array, k: int, exclude: Iterable[SongId]) -> pl.DataFrame:
    """The table of :meth:`NextSongModel.next` by (songs,) scores."""
    best = _best_rows(scores, k, catalogue.rows(exclude, "skip"))
    return song_table(catalogue, best, scores[best])


def song_table(catalogue: Catalogue, rows: Array, scores: Array) -> pl.DataFrame:
    """Columns song, artist, title (where known) and score, float32, of these rows."""
    return catalogue.table(rows).drop("plays").with_columns(score=pl.Series(scores, dtype=pl.Float32))


def _best_rows(scores: Array, k: int, hidden: Array) -> Array:
    """Rows of the k highest of (songs,) scores but the hidden ones, best first and equals by row, which is by popularity."""
    n = k + len(hidden)
    rows = np.arange(len(scores))
    if n < len(scores):
        near = among_best(scores, n)
        border = np.partition(scores[near], -n)[-n]
        above = near[scores[near] > border]
        rows = np.concatenate([above, near[scores[near] == border][: n - len(above)]])
    order = rows[np.argsort(-scores[rows], kind="stable")]
    best: Array = order[~np.isin(order, hidden)][:k]
    return best
