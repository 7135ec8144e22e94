"""What training needs to know of sessions: which songs they play, in which rows, with which weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors.training.weights import count_plays


def check_plays(name: str, sessions: Sessions) -> None:
    """Raises ArgumentError where nothing can be learned from."""
    offsets = sessions.offsets
    if not any((np.diff(offsets[begin : begin + 2**20 + 1]) > 1).any() for begin in range(0, len(sessions), 2**20)):
        raise ArgumentError(f"{name}: none of {len(sessions):,} has two plays; at least one such session is needed")


def played(sessions: Sessions) -> tuple[Catalogue, Array, Array]:
    """The songs that are played: their catalogue, their plays, and of each song of the sessions its row there or -1."""
    counts = count_plays(sessions)
    songs = np.flatnonzero(counts)
    if len(songs) < 2:
        raise ArgumentError("sessions: all plays are of one song; at least two songs are needed")
    rows = np.full(len(counts), -1, np.int32)
    rows[songs] = np.arange(len(songs))
    return sessions.catalogue if len(songs) == len(counts) else sessions.catalogue.subset(songs), counts[songs], rows


def joined(old: Catalogue, old_plays: Array, sessions: Sessions) -> tuple[Catalogue, Array, Array]:
    """The same of sessions with new songs: those there were keep their rows, the new ones come behind."""
    if old.holds_integers != sessions.catalogue.holds_integers:
        raise ArgumentError("sessions: ids are of another type than those learned before; both integers or both strings are allowed")
    catalogue, counts, rows = played(sessions)
    known = {song: row for row, song in enumerate(old.ids.to_list())}
    places = np.array([known.get(song, -1) for song in catalogue.ids.to_list()], np.int32)
    new = np.flatnonzero(places < 0)
    places[new] = len(old) + np.arange(len(new))
    plays = np.concatenate([old_plays, np.zeros(len(new), np.int64)])
    plays[places] += counts
    return old.plus(catalogue.subset(new), plays), plays, np.where(rows >= 0, places[rows], -1).astype(np.int32)


def weights_of(catalogue: Catalogue, song_weights: Mapping[SongId, float] | None) -> Array:
    """(songs,) float32: the weight of each song, 1 where none is given."""
    weights = np.ones(len(catalogue), np.float32)
    for song, weight in (song_weights or {}).items():
        if not 0 <= weight < np.inf:
            raise ArgumentError(f"song_weights: {weight!r} for {song!r}; finite numbers from 0 are allowed")
        weights[catalogue.row(song)] = weight
    return weights
