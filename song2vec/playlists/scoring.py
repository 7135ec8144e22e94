"""The songs that may come next, each with its score: its rank by a model, adjusted to what was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.config import Config, FloatRange, setting
from song2vec.core.errors import ArgumentError
from song2vec.playlists.ranking import RankingModel, catalogue_of, log_ranks, nearest
from song2vec.playlists.rules import Constraints, PlaylistRules, song_rows
from song2vec.playlists.space import Space
from song2vec.vectors.song_vectors import SongVectors


class ScoreAdjustments(Config):
    """What a song's score is, given its rank r by the model:

        -ln(r) + listener_weight * cos(song, listener) - diversity * max cos(song, playlist so far) + popularity * ln(1 + plays)

    Cosines are in units of the standard deviation that the cosine of two songs has, so that weights mean the same in every
    space: at a weight of 1, being closer by one of them is worth as much as a rank 2.7 times better. ``popularity=1`` treats
    a song of twice the plays like one of half the rank, ``popularity=-1`` the other way round. The term with the playlist is
    that of maximal marginal relevance (Carbonell and Goldstein 1998).
    """

    listener_weight: float = setting(FloatRange(), default=1.0, help="how strongly songs near the listener are preferred")
    diversity: float = setting(FloatRange(0), default=0.0, help="prefer songs unlike those of the playlist so far; 0.5 is much")
    popularity: float = setting(FloatRange(), default=0.0, help="prefer popular songs, or below 0 unknown ones")


class Scorer:
    """Scores what may come next, for one model, one set of rules and one set of adjustments.

    Args:
        vectors: None for those of the model, where it is vectors itself.
        listener: a listener's vector, (size,).
        exclude: songs never to play.

    Attributes:
        space: the vectors over the model's songs; None when none are known.
        constraints: the rules over the model's songs.

    Raises ArgumentError for an adjustment that lacks what it needs: vectors, or plays.
    """

    def __init__(
        self,
        model: RankingModel,
        vectors: SongVectors | None,
        rules: PlaylistRules,
        adjustments: ScoreAdjustments,
        *,
        listener: object = None,
        exclude: Iterable[SongId] = (),
    ) -> None:
        self.model, self.catalogue, self.adjustments = model, catalogue_of(model), adjustments
        known = model if vectors is None and isinstance(model, SongVectors) else vectors
        self.space = None if known is None else Space(known, self.catalogue)
        self.constraints = Constraints(self.catalogue, rules, exclude)
        self._listener: Array | None = None
        if listener is not None:
            self._listener = self._need_space("listener").direction("listener", listener)
        if adjustments.diversity:
            self._need_space("diversity")
        if adjustments.popularity and not self.catalogue.plays.any():
            raise ArgumentError(f"popularity={adjustments.popularity!r}: nobody counted the plays of these songs; only 0 is allowed")

    def start(self, seed_songs: SongId | Iterable[SongId], history: Iterable[SongId] = ()) -> tuple[list[int], int]:
        """Rows of all that comes before the first pick, and where among them the playlist begins.

        Raises ArgumentError when there is neither a song nor a listener to go by.
        """
        before, begun = song_rows(self.catalogue, "history", history), song_rows(self.catalogue, "seed_songs", seed_songs, one=True)
        if not before and not begun and self._listener is None:
            raise ArgumentError("seed_songs: is empty; a song in it or in history, or a listener's vector is needed")
        return before + begun, len(before)

    def score(self, histories: Sequence[list[int]], start: int, played: Sequence[list[int]] | None = None) -> list[tuple[Array, Array]]:
        """For each history: rows that may come next and their scores, best first, equals in the model's order.

        An empty history is followed by the songs nearest to the listener.

        Args:
            start: where in each history the playlist begins.
            played: the histories that the rules look at, where these are others.
        """
        allowed = [self.constraints.allowed(rows, start) for rows in (histories if played is None else played)]
        if self._listener is not None and not histories[0]:
            found = [nearest(self._need_space("listener").unit, self._listener, mask) for mask in allowed]
        else:
            found = list(log_ranks(self.model, histories, allowed))
        return [self._adjusted(*one, rows[start:]) for one, rows in zip(found, histories, strict=True)]

    def reason(self, row: int, history: Sequence[int]) -> tuple[SongId | None, float | None]:
        """Of the songs before it the one nearest to a pick, and its cosine; nothing where vectors are not known."""
        found = None if self.space is None else self.space.nearest(row, history)
        return (None, None) if found is None else (self.catalogue.songs([found[0]])[0], found[1])

    def _adjusted(self, rows: Array, scores: Array, playlist: Sequence[int]) -> tuple[Array, Array]:
        weights = self.adjustments
        if self._listener is not None:
            scores = scores + weights.listener_weight * self._need_space("listener").along(rows, self._listener)
        if weights.diversity and playlist:
            scores = scores - weights.diversity * self._need_space("diversity").closeness(rows, playlist)
        if weights.popularity:
            scores = scores + weights.popularity * np.log1p(self.catalogue.plays[rows])
        return best_first(rows, scores)

    def _need_space(self, name: str) -> Space:
        if self.space is None:
            raise ArgumentError(f"{name}: needs vectors=, as the model has none")
        return self.space


def best_first(rows: Array, scores: Array) -> tuple[Array, Array]:
    """Rows and scores in order of the scores; equals stay in the order they had."""
    order = np.argsort(-scores, kind="stable")
    return rows[order], scores[order]
