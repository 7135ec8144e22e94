"""An endless playlist that listens to what is thought of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.core.random import generator
from song2vec.core.settings import check_number
from song2vec.playlists.choosing import Sampling
from song2vec.playlists.ranking import Scorer, catalogue_of
from song2vec.playlists.rules import Rules
from song2vec.playlists.weighing import Pulls, Weighing, best_first
from song2vec.vectors.song_vectors import SongVectors

_CONTEXT = 20  # songs that say what comes next; what was skipped is none of them
_FORGET = 0.9  # what is left, at each song, of what likes and skips did
_ARTIST = 3.0  # how much a like or skip raises or lowers its artist, in -ln(rank)
_FAINT = 0.05  # below this, an artist's rise or fall is forgotten


@dataclass(frozen=True)
class Pick:
    """One song of a radio.

    Attributes:
        song, label: its id; ``Artist - Title`` where known.
        score: see :class:`song2vec.playlists.weighing.Pulls`, with what likes and skips did to it.
        because, because_cosine: of the songs before it the nearest, and how near; None where vectors are not known.
    """

    song: SongId
    label: str
    score: float
    because: SongId | None
    because_cosine: float | None


class Radio:
    """Songs without end; make one with :func:`radio`.

    What it remembers is small: the last songs, one direction in the space of the songs, and a number for each artist that
    was liked or skipped of late.
    """

    def __init__(self, weighing: Weighing, sampling: Sampling, start: list[int], window: int, strength: float, random_seed: int) -> None:
        self._weighing, self._sampling, self._strength = weighing, sampling, strength
        self._random = generator(random_seed, "radio", "random_seed")
        self._heard: deque[int] = deque(start, maxlen=window)
        self._context: deque[int] = deque(start, maxlen=_CONTEXT)
        self._mood = None if weighing.space is None else np.zeros(weighing.space.size)
        self._artists: dict[int, float] = {}
        self._playing: int | None = None

    def __iter__(self) -> Iterator[Pick]:
        return self

    def __next__(self) -> Pick:
        return self.next()

    def __repr__(self) -> str:
        playing = "nothing yet" if self._playing is None else repr(self._weighing.catalogue.label(self._playing))
        return f"Radio({len(self._weighing.catalogue):,} songs, playing {playing})"

    def next(self) -> Pick:
        """The next song. Raises NothingLeftError when the rules leave none, which then stays so."""
        heard = list(self._heard)
        rows, scores = self._candidates(heard)
        if not len(rows):
            kept_back = self._weighing.gate.why_nothing(heard, 0)
            raise NothingLeftError(f"radio: none of the {len(self._weighing.catalogue):,} songs may come next; kept back are {kept_back}")
        pick = self._sampling.draw(scores, self._random)
        row, catalogue = int(rows[pick]), self._weighing.catalogue
        because = self._weighing.why(row, list(self._context))
        self._heard.append(row)
        self._context.append(row)
        self._playing = row
        self._fade()
        return Pick(catalogue.songs([row])[0], catalogue.label(row), float(scores[pick]), *because)

    def like(self) -> Self:
        """The song playing is liked: songs near it, and its artist, come sooner for a while. Raises ArgumentError before ``next``."""
        self._react(1.0)
        return self

    def skip(self) -> Self:
        """The song playing is not wanted: songs near it, and its artist, come later for a while, and it no longer says what comes
        next. Raises ArgumentError before ``next``."""
        row = self._react(-1.0)
        if len(self._context) > 1 and self._context[-1] == row:  # something must say what comes next
            self._context.pop()
        return self

    def _candidates(self, heard: list[int]) -> tuple[Array, Array]:
        """What may come next by the rules over all the window, scored by what was heard but not skipped."""
        rows, scores = self._weighing.weigh([list(self._context)], 0, [heard])[0]
        if self._mood is not None and self._weighing.space is not None:
            scores = scores + self._strength * self._weighing.space.along(rows, self._mood)
        for artist, rise in self._artists.items():
            scores = scores + rise * np.isin(rows, self._weighing.gate.songs_of(artist))
        return best_first(rows, scores)

    def _react(self, sign: float) -> int:
        row = self._playing
        if row is None:
            raise ArgumentError("like or skip: nothing is playing yet; call next() first")
        artist = self._weighing.gate.artist(row)
        self._artists[artist] = self._artists.get(artist, 0.0) + sign * _ARTIST
        if self._mood is not None and self._weighing.space is not None:
            self._mood += sign * self._weighing.space.unit[row]
        return row

    def _fade(self) -> None:
        if self._mood is not None:
            self._mood *= _FORGET
        faded = {artist: rise * _FORGET for artist, rise in self._artists.items()}
        self._artists = {artist: rise for artist, rise in faded.items() if abs(rise) > _FAINT}


def radio(
    scorer: Scorer,
    seed: SongId | Iterable[SongId] = (),
    *,
    vectors: SongVectors | None = None,
    listener: Array | None = None,
    listener_weight: float = 1.0,
    window: int | None = None,
    temperature: float = 0.5,
    top_k: int | None = None,
    top_p: float | None = None,
    artist_gap: int = 0,
    exclude: Iterable[SongId] = (),
    diversity: float = 0.0,
    popularity: float = 0.0,
    strength: float = 1.0,
    random_seed: int = 0,
) -> Radio:
    """A radio that starts from a seed and goes on for ever: ``next``, ``like``, ``skip``, or ``for pick in radio(...)``.

    Args:
        window: no song comes again before so many others, fewer than there are songs to play; None is 100, or half of the
            songs where that is fewer.
        strength: how far a like or skip pulls songs near it, a weight like that of the listener; needs vectors. Without them
            only the artist of the song rises or falls.

    The other arguments are those of :func:`song2vec.playlists.playlist`. The same ``random_seed``, likes and skips give the
    same songs.

    Raises ArgumentError for a value that is not allowed, UnknownSongError for a song that the scorer does not know.
    """
    check_number("strength", strength, least=0)
    exclude = Rules(exclude).exclude
    playable = len(catalogue_of(scorer)) - len(set(exclude))
    window = max(1, min(100, playable // 2)) if window is None else check_int("window", window)
    if window >= playable:
        raise ArgumentError(f"window={window}: there are {playable:,} songs to play; a number below that is allowed")
    rules = Rules(exclude, artist_gap, None, window)
    weighing = Weighing(scorer, vectors, rules, Pulls(listener, listener_weight, diversity, popularity))
    start, _ = weighing.start(seed, ())
    return Radio(weighing, Sampling(temperature, top_k, top_p), start, max(window, artist_gap), strength, random_seed)
