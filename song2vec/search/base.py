"""The contract of every index: songs in, songs out; a subclass only says which rows lie near a vector."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from typing import ClassVar, Self

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.errors import ArgumentError
from song2vec.core.random import check_seed
from song2vec.search.arguments import as_songs, as_vectors
from song2vec.search.checks import AIM, GOOD_RECALL, Finding, Sample
from song2vec.search.choosing import choose
from song2vec.search.filters import Allowed, Filters
from song2vec.search.held import NO_ROWS, Held
from song2vec.search.neighbours import BatchNeighbours, Neighbours
from song2vec.search.saved import SavedIndex
from song2vec.search.scoring import candidates, ranked
from song2vec.vectors.song_vectors import SongVectors, unit_rows

logger = logging.getLogger("song2vec")

_NOTHING = Neighbours(NO_ROWS, np.empty(0, np.float32))
_SAMPLE = 200  # songs checked after a build
_BRIEF_SAMPLE = 20  # songs checked after a load


class SongIndex(SavedIndex, ABC):
    """Finds the nearest songs by cosine.

    Every answer holds exactly k songs when so many are allowed and all that are when not, best first and equals by row.
    The cosines are exact whatever the index: candidates are scored again against the unit vectors. The songs asked for
    never come back. A subclass names itself, takes keyword hyperparameters, and supplies ``_build`` and ``_nearest``.

    Songs are added and removed without a rebuild. Searches may run in any number of threads, also during one change.

    Attributes:
        vectors_: the SongVectors of all songs.
        why_: what :meth:`auto` chose and why; else empty.
        recall_: recall@10 of its candidates against exact search over up to 200 songs, measured after the build.
        answers_exactly_: True when exact search answers: in ExactIndex, and where the index failed its check.
    """

    exact_below: ClassVar[int] = 500  # songs: scoring so few takes less than asking an index
    exact_share: ClassVar[float] = 0.1  # asked for more than this share of the songs, exact scoring is no slower
    answers_exactly_: bool
    why_: str = ""
    _held: Held | None = None

    @abstractmethod
    def _build(self, unit: Array) -> None:
        """Build over (m, d) float32 unit vectors. Raises ArgumentError for a bad hyperparameter."""

    @abstractmethod
    def _nearest(self, queries: Array, n: int) -> Iterable[Array]:
        """For each of (b, d) float32 unit queries, about n int64 rows near it, each once, in any order."""

    def _widen(self) -> bool:
        """Search wider from now on, at the price of speed; False when the index cannot or may not."""
        return False

    @classmethod
    def installed(cls) -> bool:
        """True when the library the index needs is there."""
        return True

    @staticmethod
    def auto(vectors: SongVectors, recall: float = 0.99, seed: int = 0) -> SongIndex:
        """The index that suits these vectors, built: see :func:`song2vec.search.choosing.choose`; its ``why_`` says why."""
        index: SongIndex = choose(SongIndex.__subclasses__(), vectors, recall, seed)
        return index

    @property
    def _aim(self) -> float:
        """The recall@10 at which the search is wide enough."""
        return float(getattr(self, "recall", AIM))

    def build(self, vectors: SongVectors) -> Self:
        """Build over these vectors and check the result; returns self. Raises ArgumentError when there is no song."""
        check_seed(self.seed)
        self._attach(vectors)
        self._build(vectors.unit)
        self._accept(self._check())
        return self

    def add(self, vectors: SongVectors) -> Self:
        """Search these new songs too, from the next search on; returns self.

        They are scored exactly beside what was built until :meth:`merge` or saving builds anew over all songs. Everything
        is copied once: add many at a time. Searches may go on meanwhile, other changes may not.

        Raises ArgumentError for songs that have a row already, or vectors of another size.
        """
        self._held = self._now.plus(vectors)
        return self

    def remove(self, songs: SongId | Iterable[SongId]) -> Self:
        """Never return these songs again, nor know them; returns self. They keep their rows, and ids are not free again.

        Raises UnknownSongError for a song that is not there.
        """
        self._held = self._now.less(as_songs("songs", songs))
        return self

    def merge(self) -> Self:
        """Build anew over all songs where some were added since the build, as saving does; returns self."""
        held = self._now
        if held.built < len(held.vectors):
            merged = vars(type(self)(**self.hyperparameters).build(held.vectors))
            held = replace(merged.pop("_held"), removed=held.removed)
            vars(self).update(merged)
            self._held = held  # last: a search under way with the older songs leaves out rows they do not have
        return self

    @property
    def vectors_(self) -> SongVectors:
        """The SongVectors of all songs, added and removed ones too; raises ArgumentError before ``build``."""
        return self._now.vectors

    @property
    def removed_(self) -> Array:
        """Sorted rows of the songs removed, int64."""
        return self._now.removed

    @property
    def _now(self) -> Held:
        if self._held is None:
            raise ArgumentError(f"this {type(self).__name__} is empty; call build(vectors) first")
        return self._held

    def similar(
        self, songs: SongId | Iterable[SongId], k: int = 10, filters: Filters | None = None, unlike: SongId | Iterable[SongId] = ()
    ) -> Neighbours:
        """The k songs nearest to a song, or to the mean of several less the mean of ``unlike``; none of these come back.

        Raises UnknownSongError for a song not in the catalogue, ArgumentError for a k below 1 or unusable filters.
        """
        like, dislike = as_songs("songs", songs), as_songs("unlike", unlike)
        held = self._now
        rows = held.rows(like + dislike)
        one = len(like) == 1 and not dislike
        units = held.unit[rows] if one else unit_rows(held.vectors.combine(like, dislike)[None])
        return self._search(held, units, k, filters, [rows])[0]

    def similar_batch(self, songs: Iterable[SongId], k: int = 10, filters: Filters | None = None) -> BatchNeighbours:
        """The k songs nearest to each of these songs, as :meth:`similar` finds them one by one."""
        held = self._now
        rows = held.rows(as_songs("songs", songs))
        return self._batch(held, held.unit[rows], k, filters, list(rows[:, None]))

    def search(self, vector: Array | Sequence[float], k: int = 10, filters: Filters | None = None) -> Neighbours:
        """The k songs nearest to a vector, (size,) finite numbers of any length; at a zero vector every cosine is 0.

        Raises ArgumentError for a vector of another shape or a number that is not finite.
        """
        query = as_vectors("vector", vector, self.vectors_.size, 1)
        return self._search(self._now, unit_rows(query[None]), k, filters, [NO_ROWS])[0]

    def search_batch(self, vectors: Array | Sequence[Sequence[float]], k: int = 10, filters: Filters | None = None) -> BatchNeighbours:
        """The k songs nearest to each of (b, size) vectors, as :meth:`search` finds them one by one."""
        queries = as_vectors("vectors", vectors, self.vectors_.size, 2)
        return self._batch(self._now, unit_rows(queries), k, filters, [NO_ROWS] * len(queries))

    def _batch(self, held: Held, units: Array, k: int, filters: Filters | None, hidden: list[Array]) -> BatchNeighbours:
        found = self._search(held, units, k, filters, hidden)
        return BatchNeighbours.of(found, min(k, len(held.vectors)))

    def _search(self, held: Held, units: Array, k: int, filters: Filters | None, hidden: list[Array]) -> list[Neighbours]:
        """Answers to (b, d) unit queries, ``hidden[i]`` rows left out of the i-th; looks wider and wider until k are found."""
        k = check_int("k", k)
        allowed = held.resolver.resolve(filters)
        found: list[Neighbours] = [_NOTHING] * len(units)
        pending = list(range(len(units)))
        n = min(allowed.count, allowed.wanted(k) + max(map(len, hidden), default=0))
        while len(pending):
            asked = units if len(pending) == len(units) else units[pending]
            for i, rows in zip(pending, self._candidates(held, asked, n, allowed), strict=True):
                found[i] = allowed.pick(*ranked(held.unit, units[i], rows), hidden[i], k)
            if n == allowed.count:  # nothing is left to look at
                break
            pending = [i for i in pending if len(found[i]) < k]
            n = min(allowed.count, 4 * n)
        return found

    def _candidates(self, held: Held, units: Array, n: int, allowed: Allowed) -> Iterator[Array]:
        """Allowed rows among which the n best of each query are."""
        songs = len(held.unit)
        fetch = n if allowed.mask is None else round(1.25 * n * songs / max(1, allowed.count))
        if self.answers_exactly_ or n == allowed.count or songs < self.exact_below or fetch > self.exact_share * songs:
            near = self._exactly(held, units, n, allowed)
        else:
            near = self._near(held, units, n, fetch, allowed)
        for unit, rows in zip(units, near, strict=True):
            yield (
                rows if unit @ unit > 0.5 else allowed.first(n)
            )  # length 0 or 1; every cosine of a zero vector is 0: the lowest rows are best

    def _exactly(self, held: Held, units: Array, n: int, allowed: Allowed) -> Iterable[Array]:
        return candidates(held.unit, units, n, allowed.rows)

    def _near(self, held: Held, units: Array, n: int, fetch: int, allowed: Allowed) -> Iterator[Array]:
        """What the index proposes, and of the songs added since it was built the best."""
        fresh = held.unit[held.built :]
        rows = None if allowed.mask is None else np.flatnonzero(allowed.mask[held.built :])
        beside = candidates(fresh, units, n, rows) if len(fresh) else repeat(NO_ROWS, len(units))
        for found, added in zip(self._nearest(units, min(fetch, held.built)), beside, strict=True):
            known = found[found < held.built]
            some = known if allowed.mask is None else known[allowed.mask[known]]
            yield np.concatenate([some, added + held.built]) if len(added) else some

    def _attach(self, vectors: SongVectors, removed: Array = NO_ROWS) -> None:
        if not len(vectors) or not vectors.size:
            raise ArgumentError(f"vectors: {vectors!r} has nothing to search; at least one song and one dimension are needed")
        self._held = Held(vectors, len(vectors), removed)

    def _check(self) -> Finding:
        sample = Sample(self._now.unit, self.seed, _SAMPLE)
        for songs in (_SAMPLE // 20, _SAMPLE // 4, _SAMPLE):  # few songs tell soon enough that a search is much too narrow
            finding = sample.check(self._nearest, songs)
            while finding.recall < self._aim and not finding.short and self._widen():
                finding = sample.check(self._nearest, songs)
        self.recall_ = finding.recall
        return finding

    def _check_briefly(self) -> None:
        """After loading: the stored recall stands, but a library that answers wrongly on this machine is found out."""
        finding = Sample(self._now.unit, self.seed, _BRIEF_SAMPLE).check(self._nearest)
        self._accept(finding if finding.wrong else Finding(self.recall_, finding.short))

    def _accept(self, finding: Finding) -> None:
        """Warn of a weak index, and let exact search answer in place of a wrong one."""
        self.answers_exactly_ = finding.wrong
        what = f"{self.name} index over {len(self._now.unit):,} songs"
        if finding.short:
            logger.warning("%s: %d sampled songs got fewer neighbours than asked for; exact search answers instead", what, finding.short)
        elif finding.wrong:
            logger.warning("%s: recall@10 is %.2f; exact search answers instead; %s", what, finding.recall, self._advice())
        elif finding.recall < (good := min(GOOD_RECALL, self._aim)):
            logger.warning("%s: recall@10 is %.2f, below %.2f; %s", what, finding.recall, good, self._advice())

    def _advice(self) -> str:
        """What raises the recall."""
        return "kind 'exact' misses nothing"
