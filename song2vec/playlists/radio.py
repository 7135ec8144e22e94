"""An endless playlist that reacts to likes and skips."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.checks import check_float, check_int, named_options
from song2vec.core.errors import ArgumentError, NothingLeftError
from song2vec.core.random import generator
from song2vec.playlists.making import Sampling
from song2vec.playlists.rules import PlaylistRules
from song2vec.playlists.scoring import RankingModel, ScoreAdjustments, Scorer, best_first
from song2vec.search.listeners import Listener
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
        score: see :class:`song2vec.playlists.scoring.ScoreAdjustments`, with what likes and skips did to it.
        because, because_cosine: of the songs before it the nearest, and how near; None where vectors are not known.
    """

    song: SongId
    label: str
    score: float
    because: SongId | None
    because_cosine: float | None


class Radio:
    """Songs without end; make one with :func:`radio`.

    Its memory is small: the last songs, one direction in the space of the songs, and a number for each artist that was
    liked or skipped of late.
    """

    def __init__(self, scorer: Scorer, sampling: Sampling, start: list[int], window: int, strength: float, seed: int) -> None:
        self._scorer, self._sampling, self._strength = scorer, sampling, strength
        self._random = generator(seed, "radio")
        self._history: deque[int] = deque(start, maxlen=window)
        self._context: deque[int] = deque(start, maxlen=_CONTEXT)
        self._mood = np.zeros(scorer.space.size)
        self._artists: dict[int, float] = {}
        self._playing: int | None = None

    def __iter__(self) -> Iterator[Pick]:
        return self

    def __repr__(self) -> str:
        playing = "nothing yet" if self._playing is None else repr(self._scorer.catalogue.label(self._playing))
        return f"Radio({len(self._scorer.catalogue):,} songs, playing {playing})"

    def next(self) -> Pick:
        """The next song. Raises NothingLeftError when the rules leave none, which then stays so."""
        catalogue = self._scorer.catalogue
        # what may come next by the rules over all the window, scored by what was played but not skipped
        rows, scores = self._scorer.score([list(self._context)], 0, [list(self._history)])[0]
        scores = scores + self._strength * self._scorer.space.along(rows, self._mood)
        for artist, rise in self._artists.items():
            scores = scores + rise * np.isin(rows, self._scorer.constraints.songs_of(artist))
        rows, scores = best_first(rows, scores)
        if not len(rows):
            kept_back = self._scorer.constraints.why_nothing(list(self._history), 0)
            raise NothingLeftError(f"radio: none of the {len(catalogue):,} songs may come next; kept back are {kept_back}")
        pick = self._sampling.draw(scores, self._random)
        row = self._playing = int(rows[pick])
        because = self._scorer.reason(row, list(self._context))
        self._history.append(row)
        self._context.append(row)
        self._mood *= _FORGET
        faded = {artist: rise * _FORGET for artist, rise in self._artists.items()}
        self._artists = {artist: rise for artist, rise in faded.items() if abs(rise) > _FAINT}
        return Pick(catalogue.songs([row])[0], catalogue.label(row), float(scores[pick]), *because)

    __next__ = next

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

    def _react(self, sign: float) -> int:
        row = self._playing
        if row is None:
            raise ArgumentError("like or skip: nothing is playing yet; call next() first")
        artist = int(self._scorer.constraints.artists[row])
        self._artists[artist] = self._artists.get(artist, 0.0) + sign * _ARTIST
        self._mood += sign * self._scorer.space.unit[row]
        return row


@named_options
def radio(
    model: RankingModel,
    seed_songs: SongId | Iterable[SongId] = (),
    *,
    vectors: SongVectors | None = None,
    listener: SongId | Listener | None = None,
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
    seed: int = 0,
) -> Radio:
    """A radio that starts from some songs and goes on for ever: ``next``, ``like``, ``skip``, or ``for pick in radio(...)``.

    Args:
        window: no song comes again before so many others, fewer than there are songs to play; None is 100, or half of the
            songs where that is fewer.
        strength: how strongly a like or skip moves songs near it, a weight like that of the listener; needs vectors. Without
            them only the artist of the song rises or falls.

    The other arguments are those of :func:`song2vec.playlists.playlist`. The same seed, likes and skips give the same songs.

    Raises ArgumentError for a value that is not allowed, UnknownSongError for a song that the model does not know.
    """
    check_float("strength", strength, 0)
    rules = PlaylistRules(artist_gap=artist_gap)
    adjustments = ScoreAdjustments(listener_weight=listener_weight, diversity=diversity, popularity=popularity)
    scorer = Scorer(model, vectors, rules, adjustments, listener=listener, exclude=exclude)
    playable = int(scorer.constraints.usable.sum())
    rules.repeat_gap = max(1, min(100, playable // 2)) if window is None else check_int("window", window)
    if rules.repeat_gap >= playable:
        raise ArgumentError(f"window={window}: there are {playable:,} songs to play; a number below that is allowed")
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
    return Radio(scorer, sampling, scorer.start(seed_songs)[0], max(rules.repeat_gap, artist_gap), strength, seed)
