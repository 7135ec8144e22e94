"""The contract of every index: songs in, songs out; a subclass only says which rows lie near a vector."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from song2vec.arrays import Array
from song2vec.catalogue import SongId
from song2vec.errors import ArgumentError
from song2vec.search.checks import AIM, GOOD_RECALL, Finding, Sample
from song2vec.search.filters import Allowed, Filters, Resolver, check_count
from song2vec.search.neighbours import BatchNeighbours, Neighbours
from song2vec.search.saved import SavedIndex
from song2vec.search.scoring import candidates, ranked
from song2vec.seeding import check_seed
from song2vec.vectors.song_vectors import SongVectors, unit_rows

logger = logging.getLogger("song2vec")

_NOTHING = np.empty(0, np.int64)
_SAMPLE = 200  # songs checked after a build
_BRIEF_SAMPLE = 20  # songs checked after a load


class SongIndex(SavedIndex, ABC):
    """Finds the nearest songs by cosine.

    Every answer holds exactly k songs when so many are allowed and all that are when not, best first and equals by row.
    The cosines are exact whatever the index: candidates are scored again against the unit vectors. The songs asked for
    never come back. A subclass names itself, takes keyword hyperparameters, and supplies ``_build`` and ``_nearest``.

    Attributes:
        vectors_: the SongVectors the index was built over.
        recall_: recall@10 of its candidates against exact search over up to 200 songs, measured after the build.
        answers_exactly_: True when exact search answers: in ExactIndex, and where the index failed its check.
    """

    exact_below: ClassVar[int] = 500  # songs: scoring so few takes less than asking an index
    exact_share: ClassVar[float] = 0.1  # asked for more than this share of the songs, exact scoring is no slower
    answers_exactly_: bool
    _vectors: SongVectors | None = None

    @abstractmethod
    def _build(self, unit: Array) -> None:
        """Build over (m, d) float32 unit vectors. Raises ArgumentError for a bad hyperparameter."""

    @abstractmethod
    def _nearest(self, queries: Array, n: int) -> Iterable[Array]:
        """For each of (b, d) float32 unit queries, about n int64 rows near it, each once, in any order."""

    def _widen(self) -> bool:
        """Search wider from now on, at the price of speed; False when the index cannot or may not."""
        return False

    def build(self, vectors: SongVectors) -> Self:
        """Build over these vectors and check the result; returns self. Raises ArgumentError when there is no song."""
        check_seed(self.seed)
        self._attach(vectors)
        self._build(vectors.unit)
        self._accept(self._check())
        return self

    @property
    def vectors_(self) -> SongVectors:
        """The SongVectors the index was built over; raises ArgumentError before ``build``."""
        if self._vectors is None:
            raise ArgumentError(f"this {type(self).__name__} is empty; call build(vectors) first")
        return self._vectors

    def similar(
        self, songs: SongId | Iterable[SongId], k: int = 10, filters: Filters | None = None, unlike: SongId | Iterable[SongId] = ()
    ) -> Neighbours:
        """The k songs nearest to a song, or to the mean of several less the mean of ``unlike``; none of these come back.

        Raises UnknownSongError for a song not in the catalogue, ArgumentError for a k below 1 or unusable filters.
        """
        like, dislike = _as_songs("songs", songs), _as_songs("unlike", unlike)
        query = self.vectors_.combine(like, dislike)
        return self._search(query[None], k, filters, [self.vectors_.catalogue.rows(like + dislike)])[0]

    def similar_batch(self, songs: Iterable[SongId], k: int = 10, filters: Filters | None = None) -> BatchNeighbours:
        """The k songs nearest to each of these songs, as :meth:`similar` finds them one by one."""
        rows = self.vectors_.catalogue.rows(_as_songs("songs", songs))
        return self._batch(self.vectors_.unit[rows], k, filters, list(rows[:, None]))

    def search(self, vector: Array | Sequence[float], k: int = 10, filters: Filters | None = None) -> Neighbours:
        """The k songs nearest to a vector, (size,) finite numbers of any length; at a zero vector every cosine is 0.

        Raises ArgumentError for a vector of another shape or a number that is not finite.
        """
        query = self._as_vectors("vector", vector, 1)
        return self._search(query[None], k, filters, [_NOTHING])[0]

    def search_batch(self, vectors: Array | Sequence[Sequence[float]], k: int = 10, filters: Filters | None = None) -> BatchNeighbours:
        """The k songs nearest to each of (b, size) vectors, as :meth:`search` finds them one by one."""
        queries = self._as_vectors("vectors", vectors, 2)
        return self._batch(queries, k, filters, [_NOTHING] * len(queries))

    def _batch(self, queries: Array, k: int, filters: Filters | None, hidden: list[Array]) -> BatchNeighbours:
        found = self._search(queries, k, filters, hidden)
        return BatchNeighbours.of(found, min(k, len(self.vectors_)))

    def _search(self, queries: Array, k: int, filters: Filters | None, hidden: list[Array]) -> list[Neighbours]:
        """Answers to (b, d) queries, ``hidden[i]`` rows left out of the i-th; looks wider and wider until k are found."""
        k = check_count("k", k)
        allowed = self._resolver.resolve(filters)
        units = unit_rows(queries)
        found: list[Neighbours] = [Neighbours(_NOTHING, np.empty(0, np.float32))] * len(units)
        pending = np.arange(len(units))
        n = min(allowed.count, allowed.wanted(k) + max(map(len, hidden), default=0))
        while len(pending):
            for i, rows in zip(pending, self._candidates(units[pending], n, allowed), strict=True):
                found[i] = allowed.pick(*ranked(self._unit, units[i], rows), hidden[i], k)
            if n == allowed.count:  # nothing is left to look at
                break
            pending = np.array([i for i in pending if len(found[i]) < k], np.int64)
            n = min(allowed.count, 4 * n)
        return found

    def _candidates(self, units: Array, n: int, allowed: Allowed) -> Iterator[Array]:
        """Allowed rows among which the n best of each query are."""
        songs = len(self._unit)
        fetch = n if allowed.mask is None else round(1.25 * n * songs / max(1, allowed.count))
        if self.answers_exactly_ or n == allowed.count or songs < self.exact_below or fetch > self.exact_share * songs:
            near: Iterable[Array] = candidates(self._unit, units, n, allowed.rows)
        else:
            near = self._nearest(units, fetch)
            near = near if allowed.mask is None else (rows[allowed.mask[rows]] for rows in near)
        for unit, rows in zip(units, near, strict=True):
            yield rows if unit.any() else allowed.first(n)  # every cosine of a zero vector is 0: the lowest rows are best

    def _attach(self, vectors: SongVectors) -> None:
        if not len(vectors) or not vectors.size:
            raise ArgumentError(f"vectors: {vectors!r} has nothing to search; at least one song and one dimension are needed")
        self._vectors, self._unit = vectors, vectors.unit
        self._resolver = Resolver(vectors.catalogue)

    def _check(self) -> Finding:
        sample = Sample(self._unit, self.seed, _SAMPLE)
        for songs in (_SAMPLE // 4, _SAMPLE):  # few songs tell soon enough that a search is much too narrow
            finding = sample.check(self._nearest, songs)
            while finding.recall < AIM and not finding.short and self._widen():
                finding = sample.check(self._nearest, songs)
        self.recall_ = finding.recall
        return finding

    def _check_briefly(self) -> None:
        """After loading: the stored recall stands, but a library that answers wrongly on this machine is found out."""
        finding = Sample(self._unit, self.seed, _BRIEF_SAMPLE).check(self._nearest)
        self._accept(finding if finding.wrong else Finding(self.recall_, finding.short))

    def _accept(self, finding: Finding) -> None:
        """Warn of a weak index, and let exact search answer in place of a wrong one."""
        self.answers_exactly_ = finding.wrong
        what = f"{self.name} index over {len(self._unit):,} songs"
        if finding.short:
            logger.warning("%s: %d sampled songs got fewer neighbours than asked for; exact search answers instead", what, finding.short)
        elif finding.wrong:
            logger.warning("%s: recall@10 is %.2f; exact search answers instead; %s", what, finding.recall, self._advice())
        elif finding.recall < GOOD_RECALL:
            logger.warning("%s: recall@10 is %.2f, below %.2f; %s", what, finding.recall, GOOD_RECALL, self._advice())

    def _advice(self) -> str:
        """What raises the recall."""
        return "kind 'exact' misses nothing"

    def _as_vectors(self, name: str, values: Any, dimensions: int) -> Array:
        size = self.vectors_.size
        try:
            array = np.asarray(values, np.float64)
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"{name} does not hold numbers ({error})") from error
        if array.ndim != dimensions or array.shape[-1] != size:
            allowed = (f"({size},)", f"(queries, {size})")[dimensions - 1]
            raise ArgumentError(f"{name} has shape {array.shape}; {allowed} is allowed")
        if not np.isfinite(array).all():
            raise ArgumentError(f"{name} holds a number that is not finite")
        return array


def _as_songs(name: str, songs: Any) -> list[SongId]:
    """One song or several -> several."""
    if isinstance(songs, str | bytes | int | np.integer):
        return [songs]  # type: ignore[list-item]  # the catalogue refuses what is not an id of its kind
    if not isinstance(songs, Iterable):
        raise ArgumentError(f"{name}={songs!r}: a song id or a list of them is allowed")
    return list(songs)
