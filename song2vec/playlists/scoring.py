"""The songs that may come next, each with its score: its rank by a model, adjusted to what was asked for.

A next-song model promises the order of its scores and nothing about their size: one gives cosines, one sums of weights,
one 1 / rank. So a song's score becomes -ln(rank) among the songs that are allowed, rank 1 the best and equals all at the
last of their ranks: 0 for the best, -.7 for the second, -6.9 for the thousandth. Drawn at temperature T, the song at rank r
comes with a chance in proportion to r**(-1/T), after every model.

    scores    .9  .2  .7  .2  0
    rank       1   4   2   4  5
    -ln rank   0 -1.4 -.7 -1.4 -1.6
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_type
from song2vec.core.config import Config, FloatRange, setting
from song2vec.core.errors import ArgumentError
from song2vec.models.base import NextSongModel
from song2vec.playlists.rules import Constraints, PlaylistRules, song_rows
from song2vec.search.listeners import Listener, check_listener
from song2vec.search.scoring import candidates, ranked
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors, unit_rows

HEAD = 1000  # songs kept at each step, the best by the model: adjustments beyond 7 in -ln(rank) have no more to choose from
HALF_LIFE = 3  # songs: so far back, a song counts half in the mean of the history
_SAMPLE = 500  # songs that show how far cosines spread

RankingModel = NextSongModel | SongVectors


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


class Space:
    """Song vectors over the rows of a catalogue; a song without a vector lies at zero, and every cosine with it is 0.

    Attributes:
        unit: (m, size) float32; without vectors the size is 0.

    Raises ArgumentError when no song of the catalogue has a vector.
    """

    def __init__(self, vectors: SongVectors | None, catalogue: Catalogue) -> None:
        if vectors is None:
            self.unit: Array = np.empty((len(catalogue), 0), np.float32)
            return
        check_type("vectors", vectors, SongVectors, "SongVectors are allowed")
        if vectors.catalogue != catalogue and not (catalogue.rows_in(vectors.catalogue) >= 0).any():
            raise ArgumentError("vectors: know none of the songs of the model; vectors over the same song ids are allowed")
        self.unit = vectors.unit if vectors.catalogue == catalogue else vectors.unit_of(catalogue)

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return int(self.unit.shape[1])

    def direction(self, listener: Listener) -> Array:
        """A listener's vector at length 1, (size,) float32. Raises ArgumentError for one of another size, and a zero vector."""
        if len(listener.vector) != self.size:
            raise ArgumentError(f"listener: has {len(listener.vector)} numbers, songs have {self.size}; make it of these vectors")
        if not listener.vector.any():
            raise ArgumentError("listener: their songs add up to a zero vector, which points nowhere; other songs are needed")
        direction: Array = unit_rows(listener.vector[None])[0]
        return direction

    @cached_property
    def spread(self) -> float:
        """The standard deviation of the cosine of two songs, over all pairs of up to 500 songs; 1 where all cosines are equal."""
        known = self.unit[self.unit.any(axis=1)]
        if not len(known):
            return 1.0
        sample = known[:: -(-len(known) // _SAMPLE)].astype(np.float64)
        mean, second = sample.mean(axis=0), np.einsum("na,nb->ab", sample, sample) / len(sample)
        spread = float(np.sqrt(max(0.0, (second**2).sum() - (mean @ mean) ** 2)))  # of cos, whose square has the mean sum(second**2)
        return spread if spread > 1e-6 else 1.0

    def along(self, rows: Array, direction: Array) -> Array:
        """(n,): the inner product of each row with a vector, in units of ``spread``.

        BLAS would spread so little work over all cores, and wait for them.
        """
        products: Array = np.einsum("ns,s->n", self.unit[rows], direction)
        return products / self.spread


class Scorer:
    """Scores what may come next, for one model, one set of rules and one set of adjustments.

    Args:
        vectors: None for those of the model, where it is vectors itself.
        listener: by what they played, or by the id that the model learned from.
        exclude: songs never to play.

    Attributes:
        space: the vectors over the model's songs.
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
        listener: SongId | Listener | None = None,
        exclude: Iterable[SongId] = (),
    ) -> None:
        check_type("model", model, (NextSongModel, SongVectors), "a next-song model or SongVectors are allowed")
        check_listener(listener, ids=isinstance(model, NextSongModel))
        self.model: RankingModel = model
        self.whose: SongId | None = None
        if isinstance(model, NextSongModel):
            self.model, self.whose = model.personal(listener)
        self.adjustments = adjustments
        self.catalogue: Catalogue = model.catalogue if isinstance(model, SongVectors) else model.catalogue_
        self.space = Space(model if vectors is None and isinstance(model, SongVectors) else vectors, self.catalogue)
        self.constraints = Constraints(self.catalogue, rules, exclude)
        for name, needs in (("listener", isinstance(listener, Listener) and self.model is model), ("diversity", adjustments.diversity)):
            if needs and not self.space.size:
                raise ArgumentError(f"{name}: needs vectors=, as the model has none")
        self._listener: Array | None = None
        if isinstance(listener, Listener) and self.space.size:
            self._listener = self.space.direction(listener)
        if adjustments.popularity and not self.catalogue.plays.any():
            raise ArgumentError(f"popularity={adjustments.popularity!r}: nobody counted the plays of these songs; only 0 is allowed")

    def start(self, seed_songs: SongId | Iterable[SongId], history: Iterable[SongId] = ()) -> tuple[list[int], int]:
        """Rows of all that comes before the first pick, and where among them the playlist begins.

        Raises ArgumentError when there is neither a song nor a listener to go by.
        """
        before, begun = song_rows(self.catalogue, "history", history), song_rows(self.catalogue, "seed_songs", seed_songs, one=True)
        if not before and not begun and self._listener is None:
            raise ArgumentError("seed_songs: is empty; a song in it or in history, or a listener made of plays, with vectors, is needed")
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
            found = [nearest(self.space.unit, self._listener, mask) for mask in allowed]
        else:
            found = list(log_ranks(self.model, histories, allowed, self.whose))
        weights, scored = self.adjustments, []
        for (rows, scores), history in zip(found, histories, strict=True):
            if self._listener is not None:
                scores = scores + weights.listener_weight * self.space.along(rows, self._listener)
            if weights.diversity and history[start:]:
                cosines = np.einsum("ns,os->no", self.space.unit[rows], self.space.unit[np.unique(history[start:])])
                scores = scores - weights.diversity * (cosines.max(axis=1) / self.space.spread)
            if weights.popularity:
                scores = scores + weights.popularity * np.log1p(self.catalogue.plays[rows])
            scored.append(best_first(rows, scores))
        return scored

    def reason(self, row: int, history: Sequence[int]) -> tuple[SongId | None, float | None]:
        """Of the songs before it the one nearest to a pick, the latest of equals, and its cosine; nothing where vectors are not known."""
        unit = self.space.unit
        earlier = np.array([other for other in dict.fromkeys(reversed(history)) if other != row and unit[other].any()], np.int64)
        if not len(earlier) or not unit[row].any():
            return None, None
        cosines = (unit[earlier] * unit[row].astype(np.float64)).sum(axis=1)
        best = int(cosines.argmax())
        return self.catalogue.songs(earlier[[best]])[0], float(np.clip(cosines[best], -1, 1))


def best_first(rows: Array, scores: Array) -> tuple[Array, Array]:
    """Rows and scores in order of the scores; equals stay in the order they had."""
    order = np.argsort(-scores, kind="stable")
    return rows[order], scores[order]


def log_ranks(
    model: RankingModel, histories: Sequence[Sequence[int]], allowed: Sequence[Array], listener: SongId | None = None
) -> Iterator[tuple[Array, Array]]:
    """After each history (rows, at least one), the best allowed rows, best first, equals by row, with their -ln(rank).

    Args:
        allowed: (songs,) bool for each history.
        listener: whose histories they are, for a model that knows listeners.

    Yields:
        (n,) int64 rows and (n,) float64; n is the smaller of ``HEAD`` and the number of allowed songs.
    """
    if isinstance(model, SongVectors):
        for rows, mask in zip(histories, allowed, strict=True):
            yield nearest(model.unit, recent_mean(model.unit, rows), mask)
    else:
        sessions = Sessions.from_rows(model.catalogue_, histories, listener)  # all of them in one call, each as a session of its own
        for scores, mask in zip(model.score(sessions, sessions.offsets[1:] - 1), allowed, strict=True):
            yield _best(scores, mask)


def nearest(unit: Array, query: Array, allowed: Array) -> tuple[Array, Array]:
    """The allowed rows nearest to a vector, as :func:`log_ranks` has them."""
    rows = np.flatnonzero(allowed)
    if not len(rows):
        return rows, np.empty(0)
    found = next(iter(candidates(unit, query[None], HEAD, rows)))
    found, cosines = ranked(unit, query, found)
    return found[:HEAD], _log_ranks(cosines)[:HEAD]


def recent_mean(unit: Array, rows: Sequence[int]) -> Array:
    """The mean of a history, later songs weighing more (see ``HALF_LIFE``), (size,) float32 of length 1."""
    weights = 0.5 ** (np.arange(len(rows))[::-1] / HALF_LIFE)
    mean: Array = unit_rows((weights @ unit[np.array(rows, np.int64)])[None])[0]
    return mean


def _best(scores: Array, allowed: Array) -> tuple[Array, Array]:
    rows = np.flatnonzero(allowed)
    scores = scores[rows]
    if len(rows) <= HEAD:
        order = np.argsort(-scores, kind="stable")
        return rows[order], _log_ranks(scores[order])
    lowest = scores.min()
    above = np.flatnonzero(scores > lowest)  # of a model that knows few transitions, nearly all others are equal
    if len(above) > HEAD:
        worst = np.partition(scores[above], len(above) - HEAD)[len(above) - HEAD]
        above = above[scores[above] >= worst]
    order = above[np.argsort(-scores[above], kind="stable")]
    equals = np.flatnonzero(scores == lowest)[: max(0, HEAD - len(order))]
    ranks = np.concatenate([_log_ranks(scores[order]), np.full(len(equals), -np.log(len(rows)))])
    return rows[np.concatenate([order, equals])][:HEAD], ranks[:HEAD]


def _log_ranks(scores: Array) -> Array:
    """-ln(rank) of descending scores; equals share the last of their ranks."""
    ranks: Array = len(scores) - np.searchsorted(scores[::-1], scores, side="left")
    return 0.0 - np.log(ranks)  # so that the best has 0.0, not -0.0
