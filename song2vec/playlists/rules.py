"""What a playlist may never do: rules that hold whatever the scores say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.errors import ArgumentError


@dataclass(frozen=True)
class Rules:
    """Which song may come next; all that are given hold together, and none is ever broken.

    Attributes:
        exclude: songs never to play.
        artist_gap: between two songs of an artist come at least so many by others; 0 for any.
        max_per_artist: at most so many songs of an artist in the playlist.
        repeat_gap: a song may come again after at least so many others; None for never.

    A song without an artist counts as an artist of its own. Raises ArgumentError for any other value.
    """

    exclude: Iterable[SongId] = ()
    artist_gap: int = 0
    max_per_artist: int | None = None
    repeat_gap: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.exclude, str | bytes) or not isinstance(self.exclude, Iterable):
            raise ArgumentError(f"exclude={self.exclude!r}: a list is allowed, as [{self.exclude!r}]")
        object.__setattr__(self, "exclude", tuple(self.exclude))
        if isinstance(self.artist_gap, bool) or not isinstance(self.artist_gap, int | np.integer) or self.artist_gap < 0:
            raise ArgumentError(f"artist_gap={self.artist_gap!r}: an integer from 0 on is allowed")
        for name in ("max_per_artist", "repeat_gap"):
            if getattr(self, name) is not None:
                check_int(name, getattr(self, name))

    def __str__(self) -> str:
        excluded = f"exclude ({len(tuple(self.exclude)):,} songs)" if self.exclude else ""
        gap = "" if self.repeat_gap is None else f"repeat_gap={self.repeat_gap}"
        return ", ".join(filter(None, (excluded, self.about_artists, gap))) or "no rule"

    @property
    def about_artists(self) -> str:
        """The rules about artists that were given: ``artist_gap=3, max_per_artist=1``; empty when none was."""
        gap = f"artist_gap={self.artist_gap}" if self.artist_gap else ""
        cap = "" if self.max_per_artist is None else f"max_per_artist={self.max_per_artist}"
        return ", ".join(filter(None, (gap, cap)))


class Gate:
    """Rules over the rows of one catalogue.

    What was heard is a list of rows in order, of which those from ``begun`` on are the playlist's. Gaps look back over all
    that was heard, the cap on an artist over the playlist.

    Attributes:
        open: (songs,) bool: what is not excluded.
        artists: (songs,) int64: songs of one artist share a number.

    Raises UnknownSongError when an excluded song is not in the catalogue, ArgumentError for a rule about artists where the
    catalogue names none.
    """

    def __init__(self, rules: Rules, catalogue: Catalogue) -> None:
        self.rules = rules
        self.open = np.ones(len(catalogue), bool)
        self.open[catalogue.rows(rules.exclude)] = False
        codes = catalogue.artist_codes
        if codes is None and (rule := rules.about_artists):
            raise ArgumentError(f"{rule}: the catalogue names no artists, so nothing but the default is allowed")
        self.artists: Array = np.arange(len(catalogue)) if codes is None else codes
        self._songs_of: dict[int, Array] = {}

    def allowed(self, heard: Sequence[int], begun: int) -> Array:
        """(songs,) bool: what may come next."""
        mask = self.open.copy()
        for _, rows in self._closed(heard, begun):
            mask[rows] = False
        return mask

    def together(self, rows: Array, heard: Array) -> Array:
        """(w, n) bool: whether each of n songs may come next after each of w playlists, (w, i) rows: ``allowed`` of many at once."""
        rules, artists = self.rules, self.artists
        again = 0 if rules.repeat_gap is None else rules.repeat_gap
        closed = _times(heard[:, -again:], rows) > 0
        if rules.artist_gap:
            closed |= _times(artists[heard[:, -rules.artist_gap :]], artists[rows]) > 0
        if rules.max_per_artist is not None:
            closed |= _times(artists[heard], artists[rows]) >= rules.max_per_artist
        return self.open[rows] & ~closed

    def why_nothing(self, heard: Sequence[int], begun: int) -> str:
        """How many songs each rule keeps back: ``12 by exclude, 30 by artist_gap=3``."""
        reasons = [("exclude", np.flatnonzero(~self.open)), *self._closed(heard, begun)]
        counts = {rule: len(np.unique(rows)) for rule, rows in reasons}
        return ", ".join(f"{count:,} by {rule}" for rule, count in counts.items() if count)

    def songs_of(self, artist: int) -> Array:
        """The rows of an artist's songs."""
        if artist not in self._songs_of:  # looked up for the few that are played, not sorted for all
            self._songs_of[artist] = np.flatnonzero(self.artists == artist)
        return self._songs_of[artist]

    def artist(self, row: int) -> int:
        """The code of a song's artist."""
        return int(self.artists[row])

    def _closed(self, heard: Sequence[int], begun: int) -> Iterator[tuple[str, Array]]:
        """Each rule with the rows it keeps back."""
        again = self.rules.repeat_gap
        recent = heard if again is None else heard[-again:]
        yield "having been played" if again is None else f"repeat_gap={again}", np.array(recent, np.int64)
        if gap := self.rules.artist_gap:
            yield f"artist_gap={gap}", self._all_of({self.artist(row) for row in heard[-gap:]})
        if cap := self.rules.max_per_artist:
            times = Counter(self.artist(row) for row in heard[begun:])
            yield f"max_per_artist={cap}", self._all_of(artist for artist, count in times.items() if count >= cap)

    def _all_of(self, artists: Iterable[int]) -> Array:
        found = [self.songs_of(artist) for artist in artists]
        return np.concatenate(found) if found else np.empty(0, np.int64)


def _times(held: Array, keys: Array) -> Array:
    """(w, i) and (n,) whole numbers from 0 -> (w, n): how often each key is in each row."""
    known, which = np.unique(keys, return_inverse=True)
    place = np.full(max(held.max(initial=0), keys.max(initial=0)) + 1, -1)
    place[known] = np.arange(len(known))
    found = place[held]
    row, _ = np.nonzero(found >= 0)
    counts = np.bincount(row * len(known) + found[found >= 0], minlength=len(held) * len(known))
    times: Array = counts.reshape(len(held), len(known))[:, which]
    return times
