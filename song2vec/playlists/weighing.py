"""The songs that may come next, each with its score: the scorer's word, pulled towards what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.settings import check_number
from song2vec.playlists.ranking import Scorer, catalogue_of, log_ranks, near
from song2vec.playlists.rules import Gate, Rules
from song2vec.playlists.space import Space
from song2vec.vectors.song_vectors import SongVectors


@dataclass(frozen=True)
class Pulls:
    """What a song's score is beside its rank r by the scorer:

        -ln(r) + listener_weight * cos(song, listener) - diversity * max cos(song, playlist so far) + popularity * ln(1 + plays)

    Cosines are in units of the standard deviation that the cosine of two songs has, so that weights mean the same in every
    space: at a weight of 1, being closer by one of them is worth as much as a rank 2.7 times better. ``popularity=1`` weighs
    a song of twice the plays like one of half the rank, ``popularity=-1`` the other way round. The term with the playlist is
    that of maximal marginal relevance (Carbonell and Goldstein 1998).

    Raises ArgumentError for a weight that is no finite number, and for a ``diversity`` below 0.
    """

    listener: Any = None
    listener_weight: float = 1.0
    diversity: float = 0.0
    popularity: float = 0.0

    def __post_init__(self) -> None:
        check_number("listener_weight", self.listener_weight)
        check_number("diversity", self.diversity, least=0)
        check_number("popularity", self.popularity)


class Weighing:
    """Scores what may come next, for one scorer, one set of rules and one set of pulls.

    Attributes:
        space: the vectors over the scorer's songs; None when none are known.
        gate: the rules over the scorer's songs.

    Raises ArgumentError for a pull that lacks what it needs: vectors, or plays.
    """

    def __init__(self, scorer: Scorer, vectors: SongVectors | None, rules: Rules, pulls: Pulls) -> None:
        self.scorer, self.catalogue, self.pulls = scorer, catalogue_of(scorer), pulls
        known = scorer if vectors is None and isinstance(scorer, SongVectors) else vectors
        self.space = None if known is None else Space(known, self.catalogue)
        self.gate = Gate(rules, self.catalogue)
        self._listener: Array | None = None
        if pulls.listener is not None:
            self._listener = self._need_space("listener").direction("listener", pulls.listener)
        if pulls.diversity:
            self._need_space("diversity")
        if pulls.popularity and not self.catalogue.plays.any():
            raise ArgumentError(f"popularity={pulls.popularity!r}: nobody counted the plays of these songs; only 0 is allowed")

    def rows(self, name: str, songs: Any) -> list[int]:
        """Rows of one song or several. Raises UnknownSongError, and ArgumentError for what is no list."""
        several: Any = [songs] if isinstance(songs, str | int | np.integer) else songs
        try:
            return [int(row) for row in self.catalogue.rows(several)]
        except TypeError as error:
            raise ArgumentError(f"{name}={songs!r}: a song id or a list of them is allowed") from error

    def start(self, seed: Any, history: Any) -> tuple[list[int], int]:
        """Rows of what was heard before the first pick, and where among them the playlist begins.

        Raises ArgumentError when there is neither a song nor a listener to go by.
        """
        before, seeds = self.rows("history", history), self.rows("seed", seed)
        if not before and not seeds and self._listener is None:
            raise ArgumentError("seed: is empty; a song in it or in history, or a listener's vector is needed")
        return before + seeds, len(before)

    def weigh(self, heard: Sequence[list[int]], begun: int, ruling: Sequence[list[int]] | None = None) -> list[tuple[Array, Array]]:
        """For each list of rows heard: rows that may come next and their scores, best first, equals in the scorer's order.

        Before anything was heard, the songs nearest to the listener rank first.

        Args:
            begun: where in each list the playlist begins.
            ruling: the lists that the rules look at; those heard by default.
        """
        allowed = [self.gate.allowed(rows, begun) for rows in (heard if ruling is None else ruling)]
        if self._listener is not None and not heard[0]:
            ranked = [near(self._need_space("listener").unit, self._listener, mask) for mask in allowed]
        else:
            ranked = list(log_ranks(self.scorer, heard, allowed))
        return [self._pulled(*found, rows[begun:]) for found, rows in zip(ranked, heard, strict=True)]

    def why(self, row: int, heard: Sequence[int]) -> tuple[SongId | None, float | None]:
        """Of the songs heard the one nearest to a pick, and its cosine; nothing where vectors are not known."""
        found = None if self.space is None else self.space.nearest(row, heard)
        return (None, None) if found is None else (self.catalogue.songs([found[0]])[0], found[1])

    def _pulled(self, rows: Array, scores: Array, playlist: Sequence[int]) -> tuple[Array, Array]:
        pulls = self.pulls
        if self._listener is not None:
            scores = scores + pulls.listener_weight * self._need_space("listener").along(rows, self._listener)
        if pulls.diversity and playlist:
            scores = scores - pulls.diversity * self._need_space("diversity").closeness(rows, playlist)
        if pulls.popularity:
            scores = scores + pulls.popularity * np.log1p(self.catalogue.plays[rows])
        return best_first(rows, scores)

    def _need_space(self, name: str) -> Space:
        if self.space is None:
            raise ArgumentError(f"{name}: needs vectors=, as the scorer has none")
        return self.space


def best_first(rows: Array, scores: Array) -> tuple[Array, Array]:
    """Rows and scores in order of the scores; equals stay in the order they had."""
    order = np.argsort(-scores, kind="stable")
    return rows[order], scores[order]
