"""What is asked of a model: the songs and plays of test sessions that it can be asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int, check_type
from song2vec.core.errors import NothingLeftError
from song2vec.core.random import generator
from song2vec.sessions import Sessions


@dataclass(frozen=True)
class Dropped:
    """What of a test could not be asked: plays of songs that a model does not know, and the queries that went with them."""

    plays: int
    queries: int


@dataclass(frozen=True, eq=False)
class Queries:
    """Plays of sessions after which the next song is asked for.

    Attributes:
        sessions: the histories; all their songs are known to whoever is asked.
        plays: (n,) int64, positions in ``sessions.songs``, rising, never the last of a session; the right answer is the next.
        session: (n,) int64, the number of the test session each belongs to.
        dropped: what of the test is not asked.
    """

    sessions: Sessions
    plays: Array
    session: Array
    dropped: Dropped

    def __len__(self) -> int:
        return len(self.plays)

    @property
    def targets(self) -> Array:
        """(n,) int32: rows of the right answers."""
        songs: Array = self.sessions.songs[self.plays + 1]
        return songs

    @property
    def repeat(self) -> Array:
        """(n,) bool: was the right answer played before in its session."""
        sessions = self.sessions
        key = np.repeat(np.arange(len(sessions)), sessions.lengths) * len(sessions.catalogue) + sessions.songs
        again = np.ones(sessions.plays, bool)
        again[np.unique(key, return_index=True)[1]] = False
        repeat: Array = again[self.plays + 1]
        return repeat

    def over(self, catalogue: Catalogue) -> Queries:
        """The same queries in the rows of another catalogue, which must have their songs."""
        if self.sessions.catalogue == catalogue:
            return self
        return replace(self, sessions=self.sessions.over(catalogue, self.sessions.catalogue.rows_in(catalogue)))


def queries(test: Sessions, catalogues: Sequence[Catalogue], max_queries: int | None = None, seed: int = 0) -> Queries:
    """Every play of the test but the last of each session, once the songs that some catalogue lacks are gone.

    A session A X B without X asks what follows A, and the answer is B.

    Args:
        max_queries: whole sessions, drawn at random while all their queries are at most so many. All sessions by default.

    Raises ArgumentError for a test that is no Sessions or too small a number, NothingLeftError when no query is left.
    """
    check_type("test", test, Sessions, "Sessions are allowed, as a split makes them")
    known = np.all([test.catalogue.rows_in(catalogue) >= 0 for catalogue in catalogues], axis=0)[test.songs]
    sessions, numbers = test, np.arange(len(test))
    if not (known.all() and test.lengths.all()):
        kept = test.keep(plays=known)
        numbers = np.flatnonzero(kept.lengths)  # sessions left empty are gone
        sessions = kept.keep(numbers)
    asked = int(np.maximum(sessions.lengths - 1, 0).sum())
    dropped = Dropped(int((~known).sum()), int(np.maximum(test.lengths - 1, 0).sum()) - asked)
    if not asked:
        raise NothingLeftError(
            f"test: {test!r} leaves nothing to ask: no session holds two plays of known songs ({dropped.plays:,} unknown)"
        )
    if max_queries is not None and check_int("max_queries", max_queries) < asked:
        chosen = _some(sessions.lengths, max_queries, seed)
        sessions, numbers = sessions.keep(chosen), numbers[chosen]
    owner = np.repeat(np.arange(len(sessions)), sessions.lengths)
    plays = np.flatnonzero(owner[:-1] == owner[1:])
    return Queries(sessions, plays, numbers[owner[plays]], dropped)


def _some(lengths: Array, most: int, seed: int) -> Array:
    """Numbers of sessions with two plays or more, drawn at random until their queries are ``most``, and at least one."""
    order = generator(seed, "queries").permutation(np.flatnonzero(lengths > 1))
    asked = np.cumsum(lengths[order] - 1)
    return np.sort(order[: max(1, np.searchsorted(asked, most, "right"))])
