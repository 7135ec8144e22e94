"""Listener vectors: a listener is the average of their songs, each song weighted by how lately or how long it was played."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId, Unknown
from song2vec.core.arrays import Array, FloatArray, IntArray
from song2vec.core.checks import check_choice, check_float, named_options
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.listens import Listens, read_listens
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

logger = logging.getLogger("song2vec")

_TYPICAL_SECONDS = 180.0  # what a play of unknown length counts as
PAUSE = 1800  # seconds between plays that end a session

History = Iterable[SongId] | Listens | pl.DataFrame


@dataclass(frozen=True, eq=False)
class Listener:
    """One listener in the space of the songs.

    Attributes:
        vector: (size,) float32, the weighted mean of the unit vectors of their plays.
        rows: (songs,) int64, the distinct known songs they played.
        sessions: their plays of these, oldest first, over the catalogue of the vectors.
        unknown: how many plays were of songs without a vector.
    """

    vector: FloatArray
    rows: IntArray
    sessions: Sessions
    unknown: int = 0

    def sessions_over(self, catalogue: Catalogue) -> Sessions:
        """Their sessions over another catalogue, without the songs that it lacks."""
        row_of = self.sessions.catalogue.rows_in(catalogue)
        known = self.sessions.keep(plays=row_of[self.sessions.songs] >= 0)
        return known.over(catalogue, row_of.astype(np.int32))

    def nearest_played(self, vectors: SongVectors, rows: Array) -> IntArray:
        """For each of these songs, the row of the listener's own song nearest to it by cosine, int64."""
        return np.asarray(self.rows[(vectors.unit[rows] @ vectors.unit[self.rows].T).argmax(axis=1)])


def check_listener(listener: object, *, ids: bool = True) -> None:
    """Raises ArgumentError unless it is None, a Listener, or an id where those are known."""
    if isinstance(listener, bool) or not isinstance(listener, str | int | np.integer | Listener | None):
        raise ArgumentError(f"listener is a {type(listener).__name__}; an id, or a Listener made by listener(vectors, history), is allowed")
    if not ids and listener is not None and not isinstance(listener, Listener):
        raise ArgumentError(f"listener={listener!r}: song vectors know no listeners; one made of what they played is allowed")


@named_options
def listener(
    vectors: SongVectors, history: History, *, half_life_days: float | None = None, by_dwell: bool = False, unknown: Unknown = "raise"
) -> Listener:
    """The vector of one listener from what they played: sum of w_i unit(song_i) over the sum of w_i.

    Args:
        history: song ids, a song as often as it was played; or a listens table of one listener.
        half_life_days: a play that many days before the latest counts half (w = 0.5**(days / half_life)); needs times.
        by_dwell: a play counts by its ``played_seconds``, which it needs; one of unknown length as three minutes.
        unknown: "raise" for a song without a vector, or "skip" it; the number skipped is logged.

    Raises UnknownSongError for an unknown song, and always when none is known: nobody becomes a zero vector; ArgumentError for a
    history that is empty, of several listeners, or lacks what the weights need.
    """
    table = _table(history)
    check_choice("unknown", unknown, ("raise", "skip"))
    songs = table["song"].to_list()
    known = np.array([unknown == "raise" or song in vectors.catalogue for song in songs], bool)
    rows = vectors.catalogue.rows(song for song, keep in zip(songs, known, strict=True) if keep)
    skipped = len(songs) - len(rows)
    if not len(rows):
        raise UnknownSongError(f"history: none of its {len(songs):,} plays is of a song in the catalogue")
    if skipped:
        logger.warning("listener: %d of %d plays are of songs without a vector and were skipped", skipped, len(songs))
    table = table.filter(known)
    weights = _weights(table, half_life_days, by_dwell)
    if not weights.sum() > 0:
        raise ArgumentError("history: every play has weight 0; nothing was played for any time")
    vector = (weights[:, None] * vectors.unit[rows]).sum(axis=0) / weights.sum()
    return Listener(vector.astype(np.float32), np.unique(rows), _sessions(table, rows, vectors.catalogue), skipped)


def _sessions(table: pl.DataFrame, rows: Array, catalogue: Catalogue) -> Sessions:
    """A list is one session; a log begins another after a pause of half an hour."""
    if "time" not in table.columns:
        return Sessions.from_rows(catalogue, [rows])
    times = table["time"].dt.epoch("s").to_numpy()
    order = np.argsort(times, kind="stable")
    return Sessions.from_rows(catalogue, np.split(rows[order], np.flatnonzero(np.diff(times[order]) > PAUSE) + 1))


def _table(history: History) -> pl.DataFrame:
    if isinstance(history, str):
        raise ArgumentError(f"history={history!r}: a list of songs is needed, as [{history!r}]")
    if isinstance(history, pl.DataFrame):
        history = read_listens(history)
    if isinstance(history, Listens):
        names = history.table["listener"].unique()
        if len(names) > 1:
            raise ArgumentError(f"history: is of {len(names):,} listeners; filter it to one")
        return history.table
    if not isinstance(history, Iterable):
        raise ArgumentError(f"history={history!r}: a list of songs or a listens table is allowed")
    songs = list(history)
    if not songs:
        raise ArgumentError("history: is empty; at least one song is needed")
    return pl.DataFrame({"song": pl.Series(songs, dtype=pl.Object)})


def _weights(table: pl.DataFrame, half_life_days: float | None, by_dwell: bool) -> Array:
    """(plays,) float64."""
    weights = np.ones(table.height)
    if half_life_days is not None:
        check_float("half_life_days", half_life_days, 0, above=True)
        if "time" not in table.columns:
            raise ArgumentError("half_life_days: needs a listens table with times, not a list of songs")
        times = table["time"].dt.timestamp("us").to_numpy()
        weights *= 0.5 ** ((times.max() - times) / 86_400e6 / half_life_days)
    if by_dwell:
        if "played_seconds" not in table.columns:
            raise ArgumentError("by_dwell: needs a listens table with 'played_seconds'")
        weights *= table["played_seconds"].fill_null(_TYPICAL_SECONDS).clip(lower_bound=0).to_numpy()
    return weights
