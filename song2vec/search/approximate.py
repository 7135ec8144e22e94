"""Approximate search: Annoy's trees, built fast and memory-mapped by many processes, and Voyager's graph, the fastest to search."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

import annoy
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.config import FloatRange, IntRange, setting
from song2vec.core.errors import MissingExtraError, SavedFolderError
from song2vec.core.storage import Part
from song2vec.search.base import SongIndex
from song2vec.search.filters import NO_ROWS
from song2vec.search.state import Searcher

_ADD_ROWS = 4096  # vectors turned into Python floats at once
_FIRST_SEARCH_K, _FIRST_EF = 500, 16


class AnnoyIndex(SongIndex):
    """Approximate search by Annoy (Bernhardsson, github.com/spotify/annoy), angular metric.

    Annoy only proposes candidates. Its distance d is the length between unit vectors, so that 1 - d^2/2 would be the
    cosine; the base scores candidates exactly, and d is not asked for. 30 trees over 300k songs of 64 dimensions take 261 MB.
    For n neighbours ``search_k`` is sqrt(n / 10) times as large. With several workers the trees differ from build to build.
    """

    name = "annoy"
    trees: int = setting(IntRange(1), default=30, help="more find more and take more memory and time to build")
    search_k: int | None = setting(
        IntRange(1), default=None, help="nodes looked at for ten neighbours; None doubles it from 500 on until the recall is reached"
    )
    recall: float = setting(FloatRange(0, 1, above=True), default=0.97, help="recall@10 that search_k=None aims at")
    workers: int = setting(IntRange(1), default=1, help="threads that build; with one, the same seed gives the same bytes")

    @property
    def search_k_(self) -> int:
        """The search_k in use."""
        return self._now.searcher.width

    def _build(self, unit: Array) -> Searcher:
        forest = annoy.AnnoyIndex(unit.shape[1], "angular")
        forest.set_seed(self.seed)
        for start in range(0, len(unit), _ADD_ROWS):
            for row, vector in enumerate(unit[start : start + _ADD_ROWS].tolist(), start):
                forest.add_item(row, vector)
        forest.build(self.trees, n_jobs=self.workers)
        return _Forest(forest, self.search_k or _FIRST_SEARCH_K, 0 if self.search_k else len(unit))

    def _load(self, part: Part, unit: Array) -> Searcher:
        """Annoy believes any file it is given, so the size is compared with what a node takes before it sees it."""
        songs, size = unit.shape
        node_bytes = 4 * (3 + size)  # Node of Angular in annoylib.h: n_descendants, two children or the norm, the vector
        if part.file is None or part.file.stat().st_size % node_bytes or part.file.stat().st_size < songs * node_bytes:
            raise SavedFolderError(f"index: {part.file} is not an Annoy file of {songs:,} songs with {size} dimensions")
        forest = annoy.AnnoyIndex(size, "angular")
        try:
            forest.load(os.fspath(part.file))
        except OSError as error:
            raise SavedFolderError(f"index: Annoy cannot load {part.file} ({error})") from error
        found = forest.get_n_items()
        if found != songs or forest.get_n_trees() < 1:
            raise SavedFolderError(f"index: {part.file} holds {found:,} songs in Annoy's count; {songs:,} are in the catalogue")
        return _Forest(forest, check_int("search_k", part.meta["search_k"]))

    def _advice(self, searcher: Searcher) -> str:
        return f"more trees (trees={2 * self.trees}) or a larger search_k than {searcher.width} find more"


class _Forest(Searcher):
    def __init__(self, forest: annoy.AnnoyIndex, search_k: int, widest: int = 0) -> None:
        self._forest, self.width, self.widest = forest, search_k, widest

    def nearest(self, queries: Array, n: int) -> Iterator[Array]:
        search_k = max(n, round(self.width * math.sqrt(max(n, 10) / 10)))
        for query in queries.tolist():
            yield np.array(self._forest.get_nns_by_vector(query, n, search_k), np.int64)

    def to_part(self) -> Part:
        """Annoy goes on from the file it wrote, mapped into memory: no other thread may search meanwhile."""
        return Part({"search_k": self.width}, write_file=lambda path: self._forest.save(os.fspath(path)))


class HNSWIndex(SongIndex):
    """Approximate search by Voyager (github.com/spotify/voyager): hierarchical navigable small worlds.

    Malkov, Yashunin: Efficient and robust approximate nearest neighbor search using hierarchical navigable small world
    graphs, IEEE TPAMI 42 (2020). The extra ``song2vec[hnsw]`` brings Voyager; without it MissingExtraError is raised. Choose it where
    queries outnumber builds. For n neighbours ``ef`` is larger by n - 10. With several workers the graph differs from build to build.
    """

    name = "hnsw"
    links: int = setting(IntRange(1), default=16, help="of a song in the graph, M of the paper; more find more and take more memory")
    ef_construction: int = setting(IntRange(1), default=100, help="songs looked at to link one; more make a better graph in more time")
    ef: int | None = setting(
        IntRange(1), default=None, help="songs looked at for ten neighbours; None doubles it from 16 on until the recall is reached"
    )
    recall: float = setting(FloatRange(0, 1, above=True), default=0.97, help="recall@10 that ef=None aims at")
    workers: int = setting(IntRange(1), default=1, help="threads that build; with one, the same seed gives the same bytes")

    @classmethod
    def installed(cls) -> bool:
        """Whether Voyager is there."""
        return find_spec("voyager") is not None

    @property
    def ef_(self) -> int:
        """The ef in use."""
        return self._now.searcher.width

    def _build(self, unit: Array) -> Searcher:
        voyager, (songs, size) = _voyager(), unit.shape
        settings = {"M": self.links, "ef_construction": self.ef_construction, "random_seed": self.seed}
        graph = voyager.Index(voyager.Space.Cosine, size, **settings, max_elements=songs)
        graph.add_items(unit, ids=np.arange(songs), num_threads=self.workers)
        return _Graph(graph, self.ef or _FIRST_EF, 0 if self.ef else songs)

    def _load(self, part: Part, unit: Array) -> Searcher:
        voyager, (songs, size) = _voyager(), unit.shape
        if part.file is None:
            raise SavedFolderError("index: its file is missing")
        try:
            graph = voyager.Index.load(os.fspath(part.file))
        except (RuntimeError, ValueError, MemoryError) as error:
            raise SavedFolderError(f"index: Voyager cannot load {part.file} ({error})") from error
        if (len(graph), graph.num_dimensions, graph.space) != (songs, size, voyager.Space.Cosine):
            raise SavedFolderError(f"index: {part.file} is not a Voyager file of {songs:,} songs with {size} dimensions, by cosine")
        return _Graph(graph, check_int("ef", part.meta["ef"]))

    def _advice(self, searcher: Searcher) -> str:
        return f"a larger ef than {searcher.width}, more links (links={2 * self.links}) or a larger ef_construction find more"


class _Graph(Searcher):
    def __init__(self, graph: Any, ef: int, widest: int = 0) -> None:
        self._graph, self.width, self.widest = graph, ef, widest

    def nearest(self, queries: Array, n: int) -> Iterable[Array]:
        ef = max(n, self.width + n - 10)
        try:
            found, _ = self._graph.query(queries, n, num_threads=1 if len(queries) == 1 else -1, query_ef=ef)
            return list(found.view(np.int64))
        except _voyager().RecallError:  # one query reached fewer than n songs of the graph; the others may be answered
            return [NO_ROWS] if len(queries) == 1 else [rows for query in queries for rows in self.nearest(query[None], n)]

    def to_part(self) -> Part:
        return Part({"ef": self.width}, write_file=lambda path: self._graph.save(os.fspath(path)))


def _voyager() -> Any:
    try:
        import voyager
    except ImportError as error:
        raise MissingExtraError("voyager", "hnsw", "an HNSW index") from error
    return voyager
