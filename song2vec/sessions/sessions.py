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
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.catalogue.songs import pack_column, unpack_column
from song2vec.core.arrays import Array, pack_ids, unpack_ids
from song2vec.core.checks import check_type
from song2vec.core.errors import ArgumentError
from song2vec.core.storage import Part, Saved, prefixed, within
from song2vec.listens.schema import reasons
from song2vec.sessions._kernels import gather

OF_PLAYS = ("songs", "dwell")  # columns with an entry a play
OF_SESSIONS = ("listener", "start", "context")  # and a session
_NOBODY = pl.Series("listener", [None], dtype=pl.Int64)
_ARRAYS = ("songs", "offsets", "listener", "start", "dwell")


@dataclass(frozen=True)
class CutReport:
    """What cutting made of the listens: plays in, plays kept, and plays dropped for each reason."""

    plays: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"{self.kept:,} of {self.plays:,} plays kept"
        return f"{text} (dropped: {reasons(self.dropped)})" if self.dropped else text


@dataclass(frozen=True, eq=False)
class Sessions(Saved):
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
        context: what else the log says of each session, as of its first play: a column of text a name. None where nothing was asked for.
        report: what cutting dropped; None for sessions made otherwise.

    Raises ArgumentError for arrays that do not fit each other, the catalogue or the listeners; names the column and its first bad place.
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

    kind = "sessions"

    def __post_init__(self) -> None:
        check_type("catalogue", self.catalogue, Catalogue, "a Catalogue is allowed")
        check_type("listeners", self.listeners, pl.Series, "a polars Series of ids is allowed")
        checked: dict[str, Any] = {
            "songs": _rows("songs", self.songs, len(self.catalogue), "the catalogue"),
            "offsets": _offsets(self.offsets, len(self.songs)),
            "listener": _rows("listener", self.listener, len(self.listeners), "listeners"),
            "start": None if self.start is None else _column("start", self.start, np.int64),
            "dwell": None if self.dwell is None else _column("dwell", self.dwell, np.float32),
        }
        if self.context is not None:
            check_type("context", self.context, pl.DataFrame, "a polars DataFrame with a row a session, or None, is allowed")
            checked["context"] = self.context.cast(pl.String)
        for name, column in checked.items():
            object.__setattr__(self, name, column)
        for names, count, what in ((OF_PLAYS, self.plays, "plays"), (OF_SESSIONS, len(self), "sessions")):
            for name in names:
                if checked.get(name) is not None and len(checked[name]) != count:
                    raise ArgumentError(f"{name} has {len(checked[name]):,} entries for {count:,} {what}; one each is allowed")

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

    def keep(self, sessions: Array | Sequence[int] | None = None, *, plays: Array | Sequence[int] | None = None) -> Sessions:
        """Some of the sessions and of their plays, with all that is known of them; catalogue and listeners stay the same.

        Args:
            sessions: a (sessions,) boolean mask, or numbers in any order, also repeated. All by default.
            plays: a (plays,) boolean mask, or how often each play is to come, one after the other. Once each by default.
                A session that loses all its plays stays, with none.

        Raises ArgumentError for a mask of another length and a number that no session has.
        """
        chosen: Any = slice(None)
        places: Any = slice(None)
        offsets = self.offsets
        if plays is not None:
            copies, allowed = np.asarray(plays), f"a mask, or numbers from 0, of shape ({self.plays},) is allowed"
            if copies.shape != (self.plays,) or copies.dtype.kind not in "biu" or (copies.dtype.kind == "i" and (copies < 0).any()):
                raise ArgumentError(f"plays: {allowed}; this is {copies.dtype}, {copies.shape}")
            places = np.flatnonzero(copies) if copies.dtype == bool else np.repeat(np.arange(self.plays), copies)
            offsets = offsets_of(copies)[offsets]
        if sessions is not None:
            chosen = _numbers("sessions", sessions, len(self))
            begin, lengths = offsets[chosen], np.diff(offsets)[chosen]
            offsets = offsets_of(lengths)
            inside = np.repeat(begin - offsets[:-1], lengths) + np.arange(offsets[-1])
            places = inside if plays is None else places[inside]
        kept: dict[str, Any] = {name: getattr(self, name) for name in OF_PLAYS + OF_SESSIONS if getattr(self, name) is not None}
        kept = {name: column[places if name in OF_PLAYS else chosen] for name, column in kept.items()}
        return replace(self, offsets=offsets, report=None, **kept)

    def over(self, catalogue: Catalogue, row_of: Array) -> Sessions:
        """The same plays over another catalogue, where the song of row r has the row ``row_of[r]``, int32."""
        return replace(self, songs=gather(row_of, self.songs), catalogue=catalogue)

    @classmethod
    def from_lists(cls, sessions: Iterable[Sequence[SongId]]) -> Sessions:
        """Sessions given as lists of song ids, each session a listener of its own.

        Raises ArgumentError when there is none, one is a plain string, or ids mix strings and integers.
        """
        lists = list(sessions)
        if any(isinstance(session, str) for session in lists):
            raise ArgumentError("sessions: each must be a list of song ids, one is a plain string")
        plays = Counter(song for session in lists for song in session).most_common()
        if not plays:
            raise ArgumentError("sessions: no song in any of them")
        catalogue = Catalogue([song for song, _ in plays], [count for _, count in plays])
        numbers = np.arange(len(lists))
        sessions_of_nobody = cls.from_rows(catalogue, [catalogue.rows(session) for session in lists])
        return replace(sessions_of_nobody, listener=numbers, listeners=pl.Series("listener", numbers))

    @classmethod
    def from_rows(cls, catalogue: Catalogue, sessions: Iterable[Array | Sequence[int]], listener: SongId | None = None) -> Sessions:
        """Sessions of one listener, or nobody's, at least one, given as rows of a catalogue."""
        lists = [np.asarray(rows, np.int64) for rows in sessions]
        offsets, owner = offsets_of([len(rows) for rows in lists]), np.zeros(len(lists), np.int32)
        return cls(np.concatenate(lists), offsets, owner, catalogue, _NOBODY if listener is None else pl.Series("listener", [listener]))

    def to_parts(self) -> dict[str, Part]:
        """Everything but the report."""
        arrays = {name: getattr(self, name) for name in _ARRAYS if getattr(self, name) is not None}
        parts = {"sessions": Part({"sessions": len(self)}, arrays), "listeners": Part(arrays=pack_ids(self.listeners))}
        if self.context is not None:
            parts["context"] = Part({"columns": self.context.columns})
            for name in self.context.columns:
                parts["context"].arrays.update(pack_column(f"{name}.", self.context[name]))
        return parts | prefixed("catalogue", self.catalogue.to_parts())

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        catalogue, listeners = Catalogue.from_parts(within("catalogue", parts)), unpack_ids("listener", parts["listeners"].arrays)
        context = None
        if (part := parts.get("context")) is not None:
            context = pl.DataFrame({name: unpack_column(f"{name}.", part.arrays).replace("", None) for name in part.meta["columns"]})
        return cls(catalogue=catalogue, listeners=listeners, context=context, **parts["sessions"].arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, memory_map: bool = True) -> Self:
        """Load what ``save`` wrote; by default the arrays stay on disk and are paged in as they are read.

        Raises SavedFolderError when the folder is corrupt or of another kind, also when its arrays do not fit each other.
        """
        return super().load(path, memory_map=memory_map)


def check_sessions(sessions: object, name: str = "sessions") -> None:
    """Raises ArgumentError, which calls them by this name, for what are no Sessions."""
    check_type(name, sessions, Sessions, "Sessions are allowed, as cut_sessions(listens) makes them")


def offsets_of(lengths: Array | Sequence[int]) -> Array:
    """Where pieces of these lengths begin, one after the other, and where the last ends: (n + 1,) int64."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.add.accumulate(lengths, out=offsets[1:])
    return offsets


def _column(name: str, values: Any, dtype: type[np.generic]) -> Array:
    """Values in this type, as they are where they have it; raises ArgumentError for floats where whole numbers are needed."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.dtype == dtype and array.ndim == 1:
        return array
    if array.ndim != 1 or not (np.can_cast(array.dtype, dtype, "same_kind") or not len(array)):
        raise ArgumentError(f"{name} holds {array.dtype} of shape {array.shape}; {np.dtype(dtype)} in one dimension is allowed")
    return array.astype(dtype, copy=False)


def _rows(name: str, values: Any, count: int, where: str) -> Array:
    """Values as int32; raises ArgumentError for one outside 0..count-1."""
    array = _column(name, values, np.int32) if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu" else values
    unsigned = array.view(array.dtype.str.replace("i", "u"))  # a number below 0 is a large one without its sign, so that one pass will do
    if len(array) and np.maximum.reduce(unsigned) >= count:
        place = int((unsigned >= count).argmax())
        allowed = f"rows 0 to {count - 1:,} of {where} are allowed" if count else f"{where} has none"
        raise ArgumentError(f"{name}: position {place:,} holds {array[place]}; {allowed}")
    return _column(name, array, np.int32)


def _offsets(values: Any, plays: int) -> Array:
    """Values as int64; raises ArgumentError unless they rise from 0 to the number of plays."""
    array = _column("offsets", values, np.int64)
    if not len(array) or array[0] or array[-1] != plays:
        found = f"run from {array[0]} to {array[-1]}" if len(array) else "are empty"
        raise ArgumentError(f"offsets: {found}; numbers that rise from 0 to {plays}, the length of songs, are allowed")
    falls = array[1:] < array[:-1]
    if np.count_nonzero(falls):
        place = int(falls.argmax()) + 1
        raise ArgumentError(f"offsets: position {place:,} holds {array[place]} after {array[place - 1]}; numbers that rise are allowed")
    return array


def _numbers(name: str, which: Any, count: int) -> Array:
    """A (count,) boolean mask, or numbers below ``count``, as int64 numbers; raises ArgumentError for anything else."""
    array = np.asarray(which)
    if array.dtype == bool:
        if array.shape != (count,):
            raise ArgumentError(f"{name}: a mask of shape {array.shape} for {count} {name}; one entry each is allowed")
        return np.flatnonzero(array)
    found = _column(name, array, np.int64)
    if len(found) and not 0 <= found.min() <= found.max() < count:
        raise ArgumentError(f"{name}: numbers from {found.min()} to {found.max()}; 0 to {count - 1} are there")
    return found
