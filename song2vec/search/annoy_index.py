"""Annoy: a forest of random projection trees, built fast and memory-mapped by many processes."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import annoy
import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import check_float, check_int
from song2vec.core.errors import SavedFolderError
from song2vec.core.storage import Part
from song2vec.search.base import SongIndex

_ADD_ROWS = 4096  # vectors turned into Python floats at once
_FIRST_SEARCH_K = 500


class AnnoyIndex(SongIndex):
    """Approximate search by Annoy (Bernhardsson, github.com/spotify/annoy), angular metric.

    Annoy only proposes candidates. Its distance d is the length between unit vectors, so that 1 - d^2/2 would be the
    cosine; the base scores candidates exactly, and d is not asked for.

    Args:
        trees: more find more and take more memory and time to build: 261 MB at 30 trees, 300k songs, 64 dimensions.
        search_k: nodes looked at for ten neighbours (for n neighbours sqrt(n / 10) times as many). None doubles it from
            500 on until the recall@10 of the build's check reaches ``recall``.
        recall: what ``search_k=None`` aims at.
        workers: threads that build; with more than one the trees differ from build to build.
        seed: same seed and one worker: the same bytes.

    Attributes:
        search_k_: the search_k in use.
    """

    name = "annoy"

    def __init__(self, *, trees: int = 30, search_k: int | None = None, recall: float = 0.97, workers: int = 1, seed: int = 0) -> None:
        self.trees = trees
        self.search_k = search_k
        self.recall = recall
        self.workers = workers
        self.seed = seed

    def _build(self, unit: Array) -> None:
        trees, workers = check_int("trees", self.trees), check_int("workers", self.workers)
        check_float("recall", self.recall, 0, 1, above=True)
        self.search_k_ = _FIRST_SEARCH_K if self.search_k is None else check_int("search_k", self.search_k)
        self._annoy = annoy.AnnoyIndex(unit.shape[1], "angular")
        self._annoy.set_seed(self.seed)
        for start in range(0, len(unit), _ADD_ROWS):
            for row, vector in enumerate(unit[start : start + _ADD_ROWS].tolist(), start):
                self._annoy.add_item(row, vector)
        self._annoy.build(trees, n_jobs=workers)

    def _nearest(self, queries: Array, n: int) -> Iterator[Array]:
        search_k = max(n, round(self.search_k_ * math.sqrt(max(n, 10) / 10)))
        for query in queries.tolist():
            yield np.array(self._annoy.get_nns_by_vector(query, n, search_k), np.int64)

    def _widen(self) -> bool:
        if self.search_k is not None or self.search_k_ >= len(self._now.unit):
            return False
        self.search_k_ *= 2
        return True

    def _advice(self) -> str:
        return f"more trees (trees={2 * self.trees}) or a larger search_k than {self.search_k_} find more"

    def _save(self) -> Part:
        return Part({"search_k": self.search_k_}, write_file=self._write)

    def _write(self, path: Path) -> None:
        """Annoy goes on from the file it wrote, mapped into memory: no other thread may search meanwhile."""
        self._annoy.save(os.fspath(path))

    def _load(self, part: Part) -> None:
        """Annoy believes any file it is given, so the size is compared with what a node takes before it sees it."""
        songs, size = self._now.unit.shape
        node_bytes = 4 * (3 + size)  # Node of Angular in annoylib.h: n_descendants, two children or the norm, the vector
        if part.file is None or part.file.stat().st_size % node_bytes or part.file.stat().st_size < songs * node_bytes:
            raise SavedFolderError(f"index: {part.file} is not an Annoy file of {songs:,} songs with {size} dimensions")
        self.search_k_ = check_int("search_k", part.meta["search_k"])
        self._annoy = annoy.AnnoyIndex(size, "angular")
        try:
            self._annoy.load(os.fspath(part.file))
        except OSError as error:
            raise SavedFolderError(f"index: Annoy cannot load {part.file} ({error})") from error
        held = self._annoy.get_n_items()
        if held != songs or self._annoy.get_n_trees() < 1:
            raise SavedFolderError(f"index: {part.file} holds {held:,} songs in Annoy's count; {songs:,} are in the catalogue")
