"""The contract of every index: songs in, songs out; a subclass only says which rows lie near a vector."""

from __future__ import annotations

import hashlib
import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any, ClassVar, Self

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array, IntArray
from song2vec.core.checks import check_int
from song2vec.core.config import SEED, learned, setting
from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.core.estimator import MAIN, Estimator
from song2vec.core.registry import Registry
from song2vec.core.storage import Part
from song2vec.search.filters import NO_ROWS, Allowed, BatchNeighbours, Filters, Neighbours
from song2vec.search.measuring import AIM, GOOD_RECALL, RecallCheck, Sample, choose
from song2vec.search.scoring import candidates, ranked
from song2vec.search.state import IndexState, Searcher, joined
from song2vec.vectors.song_vectors import SongVectors, unit_rows

logger = logging.getLogger("song2vec")

INDEXES: Registry[SongIndex] = Registry(
    "index",
    {"annoy": "search.approximate:AnnoyIndex", "exact": "search.exact:ExactIndex", "hnsw": "search.approximate:HNSWIndex"},
    plural="indexes",
)
_NOTHING = Neighbours(NO_ROWS, np.empty(0, np.float32))
_SAMPLE = 200  # songs checked after a build
_BRIEF_SAMPLE = 20  # songs checked after a load
_DIGEST_ROWS = 64


class SongIndex(Estimator):
    """Finds the nearest songs by cosine.

    Every answer holds exactly k songs when so many are allowed and all that are when not, best first and equals by row.
    The cosines are exact whatever the index: candidates are scored again against the unit vectors. The songs asked for
    never come back. A subclass names itself, declares its settings, and builds a :class:`~song2vec.search.state.Searcher`.

    Songs are added and removed without a rebuild. Searches may run in any number of threads, also during one change.
    """

    kind = "song index"
    exact_below: ClassVar[int] = 500  # songs: scoring so few takes less than asking an index
    exact_share: ClassVar[float] = 0.1  # asked for more than this share of the songs, exact scoring is no slower

    seed: int = setting(SEED, default=0, help="of the build, and of the songs that its check asks for")
    why_: str = learned(saved=False, default="")
    _state: IndexState | None = learned(saved=False, default=None)

    @classmethod
    def registry(cls) -> Registry[Any]:
        """``INDEXES``."""
        return INDEXES

    @abstractmethod
    def _build(self, unit: Array) -> Searcher:
        """Build over (m, d) float32 unit vectors."""

    def _load(self, part: Part, unit: Array) -> Searcher:
        """The inverse of :meth:`Searcher.to_part`; one that keeps nothing is built anew. Raises SavedFolderError."""
        if part.arrays or part.file is not None:
            raise SavedFolderError(f"index: {self.name!r} keeps no data of its own, this part has some")
        return self._build(unit)

    @classmethod
    def installed(cls) -> bool:
        """Whether the library the index needs is there."""
        return True

    @staticmethod
    def auto(vectors: SongVectors, recall: float = 0.99, seed: int = 0) -> SongIndex:
        """The index that suits these vectors, built: see :func:`song2vec.search.measuring.choose`; its ``why_`` says why."""
        index: SongIndex = choose(INDEXES.values(), vectors, recall, seed)
        return index

    def fit(self, vectors: SongVectors) -> Self:
        """Build over these vectors and check the result; returns self. Raises ArgumentError when there is no song."""
        self.check()
        self._state = self._built(vectors)
        return self

    def add(self, vectors: SongVectors) -> Self:
        """Search these new songs too, from the next search on; returns self.

        They are scored exactly beside what was built until :meth:`merge` or saving builds anew over all songs. Everything
        is copied once: add many at a time. Searches may go on meanwhile, other changes may not.

        Raises ArgumentError for songs that have a row already, or vectors of another size.
        """
        self._state = replace(state := self._now, vectors=joined(state.vectors, vectors))
        return self

    def remove(self, songs: SongId | Iterable[SongId]) -> Self:
        """Never return nor know these songs again; returns self. They keep rows and ids. Raises UnknownSongError for one not there."""
        self._state = replace(state := self._now, removed=np.union1d(state.removed, state.rows(_as_songs("songs", songs))))
        return self

    def merge(self) -> Self:
        """Build anew over all songs where some were added since the build, as saving does; returns self."""
        if self._now.built < len(self._now.vectors):
            self._state = replace(self._built(self._now.vectors), removed=self._now.removed)
        return self

    @property
    def vectors_(self) -> SongVectors:
        """The SongVectors of all songs, added and removed ones too; raises ArgumentError before ``fit``."""
        return self._now.vectors

    @property
    def removed_(self) -> IntArray:
        """Sorted rows of the songs removed, int64."""
        return self._now.removed

    @property
    def recall_(self) -> float:
        """recall@10 of what it proposes against exact search over up to 200 songs, measured after the build."""
        return self._now.recall

    @property
    def answers_exactly_(self) -> bool:
        """Whether exact search answers: in ExactIndex, and where the index failed its check."""
        return self._now.answers_exactly

    @property
    def _now(self) -> IndexState:
        self._check_fitted()
        return self._state  # type: ignore[return-value]

    def _check_fitted(self) -> None:
        if self._state is None:
            raise ArgumentError(f"this {type(self).__name__} is empty; call fit(vectors) first")

    def similar(
        self, songs: SongId | Iterable[SongId], k: int = 10, filters: Filters | None = None, unlike: SongId | Iterable[SongId] = ()
    ) -> Neighbours:
        """The k songs nearest to a song, or to the mean of several less the mean of ``unlike``; none of these come back.

        Raises UnknownSongError for a song not in the catalogue, ArgumentError for a k below 1 or unusable filters.
        """
        like, dislike = _as_songs("songs", songs), _as_songs("unlike", unlike)
        state = self._now
        rows = state.rows(like + dislike)
        one = len(like) == 1 and not dislike
        units = state.vectors.unit[rows] if one else unit_rows(state.vectors.combine(like, dislike)[None])
        return self._search(state, units, k, filters, [rows])[0]

    def similar_batch(self, songs: Iterable[SongId], k: int = 10, filters: Filters | None = None) -> BatchNeighbours:
        """The k songs nearest to each of these songs, as :meth:`similar` finds them one by one."""
        state = self._now
        rows = state.rows(_as_songs("songs", songs))
        return self._batch(state, state.vectors.unit[rows], k, filters, list(rows[:, None]))

    def search(self, vector: Array | Sequence[float], k: int = 10, filters: Filters | None = None) -> Neighbours:
        """The k songs nearest to (size,) finite numbers of any length; raises ArgumentError for any other. At zero every cosine is 0."""
        query = _as_vectors("vector", vector, self.vectors_.size, 1)
        return self._search(self._now, unit_rows(query[None]), k, filters, [NO_ROWS])[0]

    def search_batch(self, vectors: Array | Sequence[Sequence[float]], k: int = 10, filters: Filters | None = None) -> BatchNeighbours:
        """The k songs nearest to each of (b, size) vectors, as :meth:`search` finds them one by one."""
        queries = _as_vectors("vectors", vectors, self.vectors_.size, 2)
        return self._batch(self._now, unit_rows(queries), k, filters, [NO_ROWS] * len(queries))

    def _batch(self, state: IndexState, units: Array, k: int, filters: Filters | None, hidden: list[Array]) -> BatchNeighbours:
        found = self._search(state, units, k, filters, hidden)
        return BatchNeighbours.of(found, min(k, len(state.vectors)))

    def _search(self, state: IndexState, units: Array, k: int, filters: Filters | None, hidden: list[Array]) -> list[Neighbours]:
        """Answers to (b, d) unit queries, ``hidden[i]`` rows left out of the i-th; looks wider and wider until k are found."""
        k = check_int("k", k)
        allowed = state.resolver.resolve(filters)
        found: list[Neighbours] = [_NOTHING] * len(units)
        pending = list(range(len(units)))
        n = min(allowed.count, allowed.wanted(k) + max(map(len, hidden), default=0))
        while len(pending):
            asked = units if len(pending) == len(units) else units[pending]
            for i, rows in zip(pending, self._candidates(state, asked, n, allowed), strict=True):
                found[i] = allowed.pick(*ranked(state.vectors.unit, units[i], rows), hidden[i], k)
            if n == allowed.count:  # nothing is left to look at
                break
            pending = [i for i in pending if len(found[i]) < k]
            n = min(allowed.count, 4 * n)
        return found

    def _candidates(self, state: IndexState, units: Array, n: int, allowed: Allowed) -> Iterator[Array]:
        """Allowed rows among which the n best of each query are."""
        songs = len(state.vectors.unit)
        fetch = n if allowed.mask is None else round(1.25 * n * songs / max(1, allowed.count))
        if state.answers_exactly or n == allowed.count or songs < self.exact_below or fetch > self.exact_share * songs:
            near = self._exactly(state, units, n, allowed)
        else:
            near = self._near(state, units, n, fetch, allowed)
        for unit, rows in zip(units, near, strict=True):  # of length 0 or 1; every cosine of a zero vector is 0: the lowest rows are best
            yield rows if unit @ unit > 0.5 else allowed.first(n)

    def _exactly(self, state: IndexState, units: Array, n: int, allowed: Allowed) -> Iterable[Array]:
        """The same, by scoring every song."""
        return candidates(state.vectors.unit, units, n, allowed.rows)

    def _near(self, state: IndexState, units: Array, n: int, fetch: int, allowed: Allowed) -> Iterator[Array]:
        """What the index proposes, and of the songs added since it was built the best."""
        fresh = state.vectors.unit[state.built :]
        rows = None if allowed.mask is None else np.flatnonzero(allowed.mask[state.built :])
        beside = candidates(fresh, units, n, rows) if len(fresh) else repeat(NO_ROWS, len(units))
        for found, added in zip(state.searcher.nearest(units, min(fetch, state.built)), beside, strict=True):
            known = found[found < state.built]
            some = known if allowed.mask is None else known[allowed.mask[known]]
            yield np.concatenate([some, added + state.built]) if len(added) else some

    def _built(self, vectors: SongVectors) -> IndexState:
        """Built, and looking so wide that its recall@10 is what is aimed at, where it can."""
        if not len(vectors) or not vectors.size:
            raise ArgumentError(f"vectors: {vectors!r} has nothing to search; at least one song and one dimension are needed")
        searcher, check = self._build(vectors.unit), RecallCheck(1.0, 0)
        if not searcher.exact:
            sample = Sample(vectors.unit, self.seed, _SAMPLE)
            for songs in (_SAMPLE // 20, _SAMPLE // 4, _SAMPLE):  # few songs show soon enough that a search is much too narrow
                check = sample.check(searcher.nearest, songs)
                while check.recall < self._aim and not check.short and searcher.widen():
                    check = sample.check(searcher.nearest, songs)
            self._warn(check, searcher, len(vectors))
        return IndexState(vectors, searcher, check.recall, searcher.exact or check.wrong, len(vectors))

    @property
    def _aim(self) -> float:
        """The recall@10 at which the search is wide enough."""
        return float(getattr(self, "recall", AIM))

    def _warn(self, check: RecallCheck, searcher: Searcher, songs: int) -> None:
        """Warn of a weak index, and of a wrong one, in whose place exact search answers."""
        what = f"{self.name} index over {songs:,} songs"
        if check.short:
            logger.warning("%s: %d sampled songs got fewer neighbours than asked for; exact search answers instead", what, check.short)
        elif check.wrong:
            logger.warning("%s: recall@10 is %.2f; exact search answers instead; %s", what, check.recall, self._advice(searcher))
        elif check.recall < (good := min(GOOD_RECALL, self._aim)):
            logger.warning("%s: recall@10 is %.2f, below %.2f; %s", what, check.recall, good, self._advice(searcher))

    def _advice(self, searcher: Searcher) -> str:
        """What raises the recall."""
        return "kind 'exact' misses nothing"

    def _learned_parts(self) -> dict[str, Part]:
        """The index with its vectors; songs added since it was built are merged first."""
        state = self.merge()._now
        removed = {"removed": state.removed} if len(state.removed) else {}
        main = Part({"recall": state.recall, "built_over": _identity(state.vectors)}, removed)
        return {MAIN: main, "searcher": state.searcher.to_part(), **state.vectors.to_parts()}

    def _restore(self, parts: Mapping[str, Part]) -> None:
        """The recall is that of the build, but a library that answers wrongly on this machine is found out."""
        vectors = SongVectors.from_parts(dict(parts))
        for name, here in _identity(vectors).items():
            if (there := parts[MAIN].meta["built_over"][name]) != here:
                raise SavedFolderError(f"index: was built over other vectors ({name} {there}, these have {here}); build it again")
        searcher, recall = self._load(parts["searcher"], vectors.unit), float(parts[MAIN].meta["recall"])
        removed = parts[MAIN].arrays.get("removed", NO_ROWS)
        if removed.dtype != np.int64 or removed.ndim != 1 or (np.diff(removed, prepend=-1, append=len(vectors)) <= 0).any():
            raise SavedFolderError(f"index: its removed rows are not sorted rows of {len(vectors):,} songs")
        exactly = searcher.exact
        if not exactly:
            check = Sample(vectors.unit, self.seed, _BRIEF_SAMPLE).check(searcher.nearest)
            exactly = check.wrong
            self._warn(check if exactly else RecallCheck(recall, 0), searcher, len(vectors))
        self._state = IndexState(vectors, searcher, recall, exactly, len(vectors), removed)

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors and of the songs removed; what a library builds in memory of its own is not counted."""
        return int(self.vectors_.matrix.nbytes + self.removed_.nbytes)


def _identity(vectors: SongVectors) -> dict[str, Any]:
    """What distinguishes these vectors from others: a digest of evenly spread rows notices a retrained matrix at no cost."""
    rows = np.linspace(0, len(vectors) - 1, min(_DIGEST_ROWS, len(vectors))).astype(np.int64)
    digest = hashlib.sha256(np.ascontiguousarray(vectors.matrix[rows]).tobytes()).hexdigest()[:16]
    return {"songs": len(vectors), "size": vectors.size, "catalogue": vectors.catalogue.fingerprint, "vectors": digest}


def _as_songs(name: str, songs: Any) -> list[SongId]:
    """One song or several -> several."""
    if isinstance(songs, str | bytes | int | np.integer):
        return [songs]  # type: ignore[list-item]  # the catalogue refuses what is not an id of its kind
    if not isinstance(songs, Iterable):
        raise ArgumentError(f"{name}={songs!r}: a song id or a list of them is allowed")
    return list(songs)


def _as_vectors(name: str, values: Any, size: int, dimensions: int) -> Array:
    """Vectors as float64, (size,) or (queries, size); raises ArgumentError for another shape or a number that is not finite."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name} does not hold numbers ({error})") from error
    if array.ndim != dimensions or array.shape[-1] != size:
        raise ArgumentError(f"{name} has shape {array.shape}; ({f'{size},' if dimensions == 1 else f'queries, {size}'}) is allowed")
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name} holds a number that is not finite")
    return array
