"""How fast is each index at which recall? Ten neighbours, one query at a time and in batches, of clustered unit vectors.

Annoy is asked itself at every size here; in use, exact search steps in where it is the faster one. "bare annoy" is the
library by itself with its own defaults, asked by row.

    python benchmarks/bench_index.py            # 10k and 50k songs, some 20 seconds
    python benchmarks/bench_index.py --large    # 300k songs too, about a minute more
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import annoy
import numpy as np
from common import clustered_vectors, save_result, timed

from song2vec.arrays import Array
from song2vec.search import AnnoyIndex, ExactIndex, SongIndex
from song2vec.vectors.song_vectors import SongVectors

K = 10
QUERIES = 400
TREES = (10, 30)
SEARCH_K = (500, 1000, 2000, 4000, 8000)
COLUMNS = ("songs", "index", "build_s", "mb", "recall", "queries_s", "times_exact", "batch_queries_s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="300k songs too")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print("  ".join(f"{name:>15}" for name in COLUMNS))
    for songs in (10_000, 50_000, 300_000) if options.large else (10_000, 50_000):
        vectors = SongVectors(clustered_vectors(songs, options.size, seed=options.seed), [f"song {row}" for row in range(songs)])
        for row in _measure_all(vectors, options.seed):
            rows.append(row)
            print("  ".join(f"{row.get(name, ''):>15}" for name in COLUMNS), flush=True)
    save_result("bench_index", rows, k=K, size=options.size, queries=QUERIES)


def _measure_all(vectors: SongVectors, seed: int) -> Iterator[dict[str, Any]]:
    asked = np.random.default_rng(seed + 1).choice(len(vectors), QUERIES, replace=False)
    exact, seconds = timed(lambda: ExactIndex().build(vectors))
    truth = exact.similar_batch(vectors.catalogue.songs(asked), K).cosines[:, -1]
    base = _measure(exact, "exact", seconds, asked, truth)
    yield base | {"times_exact": 1.0}
    for trees in TREES:
        index, seconds = timed(lambda trees=trees: AnnoyIndex(trees=trees, seed=seed).build(vectors))
        index.exact_share = 1.0
        chosen = index.search_k_
        for search_k in sorted({*SEARCH_K, chosen}):
            index.search_k_ = search_k
            name = f"{trees} / {search_k:,}{' auto' if search_k == chosen else ''}"
            yield _against(base, _measure(index, name, seconds, asked, truth))
    yield _against(base, _bare_annoy(vectors, asked, truth, seed))


def _measure(index: SongIndex, name: str, seconds: float, asked: Array, truth: Array) -> dict[str, Any]:
    vectors = index.vectors_
    songs = vectors.catalogue.songs(asked)
    batch, batch_seconds = timed(lambda: index.similar_batch(songs, K))
    row = _row(vectors, name, seconds, _megabytes(index))
    row |= {"recall": _recall(vectors, asked, batch.rows, truth), "queries_s": _rate(lambda song: index.similar(song, K), songs)}
    return row | {"batch_queries_s": round(QUERIES / batch_seconds)}


def _bare_annoy(vectors: SongVectors, asked: Array, truth: Array, seed: int, trees: int = 50) -> dict[str, Any]:
    forest = annoy.AnnoyIndex(vectors.size, "angular")
    forest.set_seed(seed)

    def build() -> None:
        for row, vector in enumerate(vectors.unit.tolist()):
            forest.add_item(row, vector)
        forest.build(trees, n_jobs=1)

    _, seconds = timed(build)
    found = np.full((len(asked), K), -1)
    for query, row in enumerate(asked.tolist()):
        others = [other for other in forest.get_nns_by_item(row, K + 1) if other != row][:K]
        found[query, : len(others)] = others
    with tempfile.TemporaryDirectory() as folder:
        forest.save(f"{folder}/forest")
        size = (Path(folder) / "forest").stat().st_size / 1e6
    rate = _rate(lambda row: forest.get_nns_by_item(row, K + 1), asked.tolist())
    return _row(vectors, f"bare annoy {trees}", seconds, size) | {"recall": _recall(vectors, asked, found, truth), "queries_s": rate}


def _row(vectors: SongVectors, name: str, seconds: float, megabytes: float) -> dict[str, Any]:
    return {"songs": len(vectors), "index": name, "build_s": round(seconds, 2), "mb": round(megabytes, 1)}


def _against(base: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    return row | {"times_exact": round(row["queries_s"] / base["queries_s"], 2)}


def _recall(vectors: SongVectors, asked: Array, found: Array, truth: Array) -> float:
    """The share of neighbours that are as near as the true tenth."""
    cosines = np.einsum("qkd,qd->qk", vectors.unit[found], vectors.unit[asked])
    return round(float(((cosines >= truth[:, None] - 1e-6) & (found >= 0)).mean()), 3)


def _rate(query: Callable[[Any], Any], arguments: Iterable[Any]) -> int:
    """Queries a second by the median query, so that other work on the machine counts little."""
    seconds = []
    for argument in arguments:
        began = perf_counter()
        query(argument)
        seconds.append(perf_counter() - began)
    return round(1 / median(seconds))


def _megabytes(index: SongIndex) -> float:
    """What the index takes on disk besides the vectors."""
    with tempfile.TemporaryDirectory() as folder:
        return sum(path.stat().st_size for path in index.save(Path(folder) / "index").iterdir()) / 1e6


if __name__ == "__main__":
    main()
