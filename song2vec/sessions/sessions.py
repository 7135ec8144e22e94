"""Sessions as compact arrays, saved and memory-mapped.

Three sessions of two listeners, seven plays::

    songs    [4 0 2 | 1 0 | 3 4]      rows of the catalogue
    offsets  [0 3 5 7]                session s is songs[offsets[s]:offsets[s + 1]]
    listener [0 0 1]                  rows of ``listeners``
    start    [t0 t1 t2]               epoch seconds, UTC
    dwell    [185. 12. 240. ...]      seconds each play lasted
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array, pack_ids, pack_strings, unpack_ids, unpack_strings
from song2vec.core.errors import ArgumentError
from song2vec.core.storage import Part, load_folder, prefixed, save_folder, understood, within

KIND = "sessions"


@dataclass(frozen=True)
class CutReport:
    """What cutting made of the listens: plays in, plays kept, and plays dropped for each reason."""

    plays: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"{self.kept:,} of {self.plays:,} plays kept"
        reasons = ", ".join(f"{count:,} {why}" for why, count in sorted(self.dropped.items(), key=lambda item: -item[1]))
        return f"{text} (dropped: {reasons})" if reasons else text


@dataclass(frozen=True, eq=False)
class Sessions:
    """Listening sessions.

    Attributes:
        songs: (plays,) int32, catalogue rows in the order they were played.
        offsets: (sessions + 1,) int64, where each session begins in ``songs``; the last is the number of plays.
        listener: (sessions,) int32, whose session it is: a row of ``listeners``.
        catalogue: the songs, most played first.
        listeners: the listeners' ids.
        start: (sessions,) int64, when each session began in epoch seconds UTC; None where the log has no times.
        dwell: (plays,) float32, seconds played, or else until the next play of the session; NaN when neither is
            known. None where the log has no times and no lengths.
        context: what else the log tells of each session, as of its first play: a column of text a name. None where nothing was asked for.
        report: what cutting dropped; None for sessions made otherwise.
    """

    songs: Array
    offsets: Array
    listener: Array
    catalogue: Catalogue
    listeners: pl.Series
    start: Array | None = None
    dwell: Array | None = None
    context: pl.DataFrame | None = None
    report: CutReport | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, session: int) -> list[SongId]:
        """The song ids of one session."""
        if not 0 <= session < len(self):
            raise IndexError(f"session {session}: 0 to {len(self) - 1} are there")
        return self.catalogue.songs(self.songs[self.offsets[session] : self.offsets[session + 1]])

    def __iter__(self) -> Iterator[list[SongId]]:
        return (self[session] for session in range(len(self)))

    def __repr__(self) -> str:
        listeners = np.count_nonzero(np.bincount(self.listener))  # a part of a log shares the listeners of the whole
        return f"Sessions({len(self):,} sessions, {self.plays:,} plays, {len(self.catalogue):,} songs, {listeners:,} listeners)"

    @property
    def plays(self) -> int:
        """How many plays all sessions hold."""
        return len(self.songs)

    @property
    def lengths(self) -> Array:
        """(sessions,) int64: plays in each session."""
        return np.diff(self.offsets)

    def select(self, which: Array) -> Sessions:
        """Some of the sessions, by a (sessions,) boolean mask or by their numbers; catalogue and listeners stay the same.

        Raises ArgumentError for a mask of another length and a number that no session has.
        """
        which = np.asarray(which)
        if which.dtype == bool and which.shape != (len(self),):
            raise ArgumentError(f"which: a mask of shape {which.shape} for {len(self)} sessions; one entry a session is allowed")
        chosen = np.flatnonzero(which) if which.dtype == bool else which.astype(np.int64)
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(self):
            raise ArgumentError(f"which: numbers from {chosen.min()} to {chosen.max()}; 0 to {len(self) - 1} are there")
        lengths = self.lengths[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        plays = np.repeat(self.offsets[chosen] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Sessions(
            songs=self.songs[plays],
            offsets=offsets,
            listener=self.listener[chosen],
            catalogue=self.catalogue,
            listeners=self.listeners,
            start=None if self.start is None else self.start[chosen],
            dwell=None if self.dwell is None else self.dwell[plays],
            context=None if self.context is None else self.context[chosen],
        )

    @classmethod
    def from_lists(cls, sessions: Iterable[Sequence[SongId]]) -> Sessions:
        """Sessions given as lists of song ids, each session a listener of its own.

        Raises ArgumentError when there is none, one is a plain string, or ids mix strings and integers.
        """
        lists = list(sessions)
        if any(isinstance(session, str) for session in lists):
            raise ArgumentError("sessions: each must be a list of song ids, one is a plain string")
        lengths = [len(session) for session in lists]
        if not sum(lengths):
            raise ArgumentError("sessions: no song in any of them")
        flat = Catalogue(list(dict.fromkeys(song for session in lists for song in session)))
        rows = np.concatenate([flat.rows(session) for session in lists])
        plays = np.bincount(rows, minlength=len(flat))
        order = np.argsort(-plays, kind="stable")
        row_of = np.empty(len(order), np.int32)
        row_of[order] = np.arange(len(order))
        return cls(
            songs=row_of[rows],
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            listener=np.arange(len(lists), dtype=np.int32),
            catalogue=Catalogue(flat.ids.gather(order), plays[order]),
            listeners=pl.Series("listener", np.arange(len(lists))),
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as a folder (checksummed, atomic)."""
        arrays = {"songs": self.songs, "offsets": self.offsets, "listener": self.listener, "start": self.start, "dwell": self.dwell}
        parts = {
            **prefixed("catalogue", self.catalogue.to_parts()),
            "sessions": Part(meta={"sessions": len(self)}, arrays={name: array for name, array in arrays.items() if array is not None}),
            "listeners": Part(arrays=pack_ids(self.listeners)),
        }
        if self.context is not None:
            told = {name: self.context[name].fill_null("").to_list() for name in self.context.columns}
            packed = {f"{name}.{part}": array for name, column in told.items() for part, array in pack_strings(column).items()}
            parts["context"] = Part(meta={"columns": list(told)}, arrays=packed)
        return save_folder(path, KIND, parts)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, memory_map: bool = True) -> Sessions:
        """Load what :meth:`save` wrote; by default the arrays stay on disk and are paged in as they are read.

        Raises SavedFolderError when the folder is corrupt or of another kind.
        """
        parts = load_folder(path, KIND, memory_map=memory_map)
        with understood(path):
            return cls(
                catalogue=Catalogue.from_parts(within("catalogue", parts)),
                listeners=unpack_ids("listener", parts["listeners"].arrays),
                context=_context(parts["context"]) if "context" in parts else None,
                **parts["sessions"].arrays,  # type: ignore[arg-type]
            )


def check_sessions(sessions: object, name: str = "sessions") -> None:
    """Raises ArgumentError, which calls them by this name, for what are no Sessions."""
    if not isinstance(sessions, Sessions):
        raise ArgumentError(f"{name} is a {type(sessions).__name__}; Sessions are allowed, as cut_sessions(listens) makes them")


def _context(part: Part) -> pl.DataFrame:
    def column(name: str) -> list[str | None]:
        strings = unpack_strings({part_name: part.arrays[f"{name}.{part_name}"] for part_name in ("bytes", "offsets")})
        return [text or None for text in strings]

    return pl.DataFrame({name: pl.Series(column(name), dtype=pl.String) for name in part.meta["columns"]})
