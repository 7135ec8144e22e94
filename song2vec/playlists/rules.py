"""Rules that a playlist never breaks, whatever the scores say, and the constraints they make of one catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.config import Config, IntRange, setting
from song2vec.core.errors import ArgumentError


class PlaylistRules(Config):
    """Which song may come next; all rules hold together. A song without an artist counts as an artist of its own."""

    artist_gap: int = setting(IntRange(0), default=0, help="songs by others between two of an artist")
    max_per_artist: int | None = setting(IntRange(1), default=None, help="at most so many songs of an artist; None for any number")
    repeat_gap: int | None = setting(IntRange(1), default=None, help="a song may come again after so many others; None for never")

    def given(self, *names: str) -> str:
        """The rules of these names that were given: ``artist_gap=3, max_per_artist=1``."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items() if value and name in names)


class Constraints:
    """Rules over the rows of one catalogue.

    A history is a list of rows in the order they were played, of which those from ``start`` on are the playlist's own. Gaps
    look back over the whole history, the cap on an artist over the playlist only.

    Attributes:
        usable: (songs,) bool: what is not excluded.
        artists: (songs,) int64: songs of one artist share a number.

    Raises UnknownSongError when an excluded song is not in the catalogue, ArgumentError for a rule about artists where the
    catalogue names none.
    """

    def __init__(self, catalogue: Catalogue, rules: PlaylistRules, exclude: Iterable[SongId] = ()) -> None:
        self.rules, excluded = rules, song_rows(catalogue, "exclude", exclude)
        self.usable = np.ones(len(catalogue), bool)
        self.usable[excluded] = False
        codes = catalogue.artist_codes
        if codes is None and (given := rules.given("artist_gap", "max_per_artist")):
            raise ArgumentError(f"{given}: the catalogue names no artists, so nothing but the default is allowed")
        self.artists: Array = np.arange(len(catalogue)) if codes is None else codes
        self._songs_of: dict[int, Array] = {}

    def __str__(self) -> str:
        excluded = len(self.usable) - np.count_nonzero(self.usable)
        rules = self.rules.given("artist_gap", "max_per_artist", "repeat_gap")
        return ", ".join(filter(None, (f"exclude ({excluded:,} songs)" if excluded else "", rules))) or "no rule"

    def allowed(self, history: Sequence[int], start: int) -> Array:
        """(songs,) bool: what may come next."""
        mask = self.usable.copy()
        for _, rows in self._closed(history, start):
            mask[rows] = False
        return mask

    def allowed_after(self, paths: Array, rows: Array) -> Array:
        """(p, n) bool: whether each of n songs may come next in each of p playlists, (p, i) rows: ``allowed`` of many at once."""
        rules, artists = self.rules, self.artists
        again = 0 if rules.repeat_gap is None else rules.repeat_gap
        closed = _times(paths[:, -again:], rows) > 0
        if rules.artist_gap:
            closed |= _times(artists[paths[:, -rules.artist_gap :]], artists[rows]) > 0
        if rules.max_per_artist is not None:
            closed |= _times(artists[paths], artists[rows]) >= rules.max_per_artist
        return self.usable[rows] & ~closed

    def why_nothing(self, history: Sequence[int], start: int) -> str:
        """How many songs each rule keeps back: ``12 by exclude, 30 by artist_gap=3``."""
        reasons = [("exclude", np.flatnonzero(~self.usable)), *self._closed(history, start)]
        counts = {rule: len(np.unique(rows)) for rule, rows in reasons}
        return ", ".join(f"{count:,} by {rule}" for rule, count in counts.items() if count)

    def songs_of(self, artist: int) -> Array:
        """The rows of an artist's songs."""
        if artist not in self._songs_of:  # looked up for the few that are played, not sorted for all
            self._songs_of[artist] = np.flatnonzero(self.artists == artist)
        return self._songs_of[artist]

    def _closed(self, history: Sequence[int], start: int) -> Iterator[tuple[str, Array]]:
        """Each rule with the rows it keeps back."""
        again = self.rules.repeat_gap
        recent = history if again is None else history[-again:]
        yield "having been played" if again is None else f"repeat_gap={again}", np.array(recent, np.int64)
        if gap := self.rules.artist_gap:
            yield f"artist_gap={gap}", self._songs_of_all(set(self.artists[history[-gap:]].tolist()))
        if cap := self.rules.max_per_artist:
            times = Counter(self.artists[history[start:]].tolist())
            yield f"max_per_artist={cap}", self._songs_of_all(artist for artist, count in times.items() if count >= cap)

    def _songs_of_all(self, artists: Iterable[int]) -> Array:
        return np.concatenate([np.empty(0, np.int64), *map(self.songs_of, artists)])


def song_rows(catalogue: Catalogue, name: str, songs: object, *, one: bool = False) -> list[int]:
    """Rows of a list of songs; with ``one``, of a single song too. Raises UnknownSongError, and ArgumentError for what is no list."""
    if one and isinstance(songs, str | int | np.integer):
        songs = [songs]
    if isinstance(songs, str | bytes) or not isinstance(songs, Iterable):
        raise ArgumentError(f"{name}={songs!r}: {'a song id or ' if one else ''}a list of song ids is allowed")
    return [int(row) for row in catalogue.rows(songs)]


def _times(held: Array, keys: Array) -> Array:
    """(p, i) and (n,) whole numbers from 0 -> (p, n): how often each key is in each row."""
    known, which = np.unique(keys, return_inverse=True)
    place = np.full(max(held.max(initial=0), keys.max(initial=0)) + 1, -1)
    place[known] = np.arange(len(known))
    found = place[held]
    row, _ = np.nonzero(found >= 0)
    counts = np.bincount(row * len(known) + found[found >= 0], minlength=len(held) * len(known))
    times: Array = counts.reshape(len(held), len(known))[:, which]
    return times
