"""HNSW through Voyager: a graph that is slow to build and the fastest to search."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_float, check_int
from song2vec.core.errors import MissingExtraError, SavedFolderError
from song2vec.core.storage import Part
from song2vec.search.base import SongIndex
from song2vec.search.held import NO_ROWS

_FIRST_EF = 16


class HNSWIndex(SongIndex):
    """Approximate search by Voyager (github.com/spotify/voyager): hierarchical navigable small worlds.

    Malkov, Yashunin: Efficient and robust approximate nearest neighbor search using hierarchical navigable small world
    graphs, IEEE TPAMI 42 (2020). The extra ``song2vec[hnsw]`` brings Voyager. Choose it where queries outnumber builds.

    Args:
        links: of a song in the graph, M of the paper; more find more and take more memory.
        ef_construction: songs looked at to link a new one; more make a better graph in more time.
        ef: songs looked at for ten neighbours (for n neighbours n - 10 more). None doubles it from 16 on until the
            recall@10 of the build's check reaches ``recall``.
        recall: what ``ef=None`` aims at.
        workers: threads that build; with more than one the graph differs from build to build.
        seed: same seed and one worker: the same bytes.

    Attributes:
        ef_: the ef in use.

    Raises MissingExtraError when Voyager is not installed.
    """

    name = "hnsw"

    def __init__(
        self,
        *,
        links: int = 16,
        ef_construction: int = 100,
        ef: int | None = None,
        recall: float = 0.97,
        workers: int = 1,
        seed: int = 0,
    ) -> None:
        self.links = links
        self.ef_construction = ef_construction
        self.ef = ef
        self.recall = recall
        self.workers = workers
        self.seed = seed

    @classmethod
    def installed(cls) -> bool:
        return find_spec("voyager") is not None

    def _build(self, unit: Array) -> None:
        voyager = _voyager()
        check_float("recall", self.recall, 0, 1, above=True)
        self.ef_ = _FIRST_EF if self.ef is None else check_int("ef", self.ef)
        links, width = check_int("links", self.links), check_int("ef_construction", self.ef_construction)
        workers = check_int("workers", self.workers)
        self._graph = voyager.Index(
            voyager.Space.Cosine, unit.shape[1], M=links, ef_construction=width, random_seed=self.seed, max_elements=len(unit)
        )
        self._graph.add_items(unit, ids=np.arange(len(unit)), num_threads=workers)

    def _nearest(self, queries: Array, n: int) -> Iterable[Array]:
        ef = max(n, self.ef_ + n - 10)
        try:
            found, _ = self._graph.query(queries, n, num_threads=1 if len(queries) == 1 else -1, query_ef=ef)
            return list(found.view(np.int64))
        except _voyager().RecallError:  # one query reached fewer than n songs of the graph; the others may be answered
            return [NO_ROWS] if len(queries) == 1 else [rows for query in queries for rows in self._nearest(query[None], n)]

    def _widen(self) -> bool:
        if self.ef is not None or self.ef_ >= self._now.built:
            return False
        self.ef_ *= 2
        return True

    def _advice(self) -> str:
        return f"a larger ef than {self.ef_}, more links (links={2 * self.links}) or a larger ef_construction find more"

    def _save(self) -> Part:
        return Part({"ef": self.ef_}, write_file=self._write)

    def _write(self, path: Path) -> None:
        self._graph.save(os.fspath(path))

    def _load(self, part: Part) -> None:
        voyager = _voyager()
        if part.file is None:
            raise SavedFolderError("index: its file is missing")
        self.ef_ = check_int("ef", part.meta["ef"])
        try:
            self._graph = voyager.Index.load(os.fspath(part.file))
        except (RuntimeError, ValueError, MemoryError) as error:
            raise SavedFolderError(f"index: Voyager cannot load {part.file} ({error})") from error
        songs, size = self._now.unit.shape
        kind = (len(self._graph), self._graph.num_dimensions, self._graph.space)
        if kind != (songs, size, voyager.Space.Cosine):
            raise SavedFolderError(f"index: {part.file} is not a Voyager file of {songs:,} songs with {size} dimensions, by cosine")


def _voyager() -> Any:
    try:
        import voyager
    except ImportError as error:
        raise MissingExtraError("voyager", "hnsw", "an HNSW index") from error
    return voyager
