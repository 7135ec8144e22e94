"""How fast is each index at which recall? Ten neighbours of clustered unit vectors, one query at a time from Python.

Each index is built and measured in a process of its own, so that its memory is its own. Queries go through
``index.similar``; "bare annoy" is that library by itself with its own defaults, asked by row. At a recall between the
settings of a curve the rate is interpolated on a log scale. Only the whole run saves its result.

    python benchmarks/bench_index.py            # 50k, 300k and 1M songs, some fifteen minutes
    python benchmarks/bench_index.py --quick    # 10k and 50k songs, about a minute
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import annoy
import numpy as np
from common import clustered_vectors, save_result, timed

from song2vec.core.arrays import Array
from song2vec.search import AnnoyIndex, ExactIndex, HNSWIndex, SongIndex
from song2vec.vectors.song_vectors import SongVectors

K = 10
QUERIES = 400
BATCH = 2048
RECALLS = (0.95, 0.99)
SEARCH_K = (500, 1000, 2000, 4000, 8000, 16000)
EF = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
COLUMNS = ("songs", "index", "setting", "build_s", "load_s", "disk_mb", "memory_mb", "recall", "queries_s", "batch_queries_s", "own_ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="10k and 50k songs")
    parser.add_argument("--songs", type=int, nargs="+", help="other numbers of songs")
    parser.add_argument("--kinds", nargs="+", choices=MEASURED, default=list(MEASURED))
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("KIND", "SONGS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child[0], int(options.child[1]), options.size, options.seed)
    else:
        _all(options)


def _all(options: argparse.Namespace) -> None:
    rows: list[dict[str, Any]] = []
    print("  ".join(f"{name:>15}" for name in COLUMNS))
    for songs in options.songs or ((10_000, 50_000) if options.quick else (50_000, 300_000, 1_000_000)):
        for kind in options.kinds:
            for row in _in_a_process(kind, songs, options):
                rows.append(row)
                print("  ".join(f"{row.get(name, ''):>15}" for name in COLUMNS), flush=True)
    facts = _facts(rows)
    print(json.dumps(facts, indent=1))
    if not options.quick and not options.songs and options.kinds == list(MEASURED):
        save_result("bench_index", rows, k=K, size=options.size, queries=QUERIES, workers=os.cpu_count(), facts=facts, **_told(rows, facts))


def _in_a_process(kind: str, songs: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    command = [sys.executable, __file__, "--child", kind, str(songs), "--size", str(options.size), "--seed", str(options.seed)]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def _child(kind: str, songs: int, size: int, seed: int) -> None:
    vectors = SongVectors(clustered_vectors(songs, size, seed=seed), list(range(songs)))
    asked = np.random.default_rng(seed + 1).choice(songs, QUERIES, replace=False)
    truth = ExactIndex(storage="float32").fit(vectors).similar_batch(asked, K).cosines[:, -1]
    for row in MEASURED[kind](vectors, asked, truth, seed):
        print(json.dumps({"songs": songs, "index": kind, **row}))


def _exact(storage: str) -> Callable[..., Iterator[dict[str, Any]]]:
    def measure(vectors: SongVectors, asked: Array, truth: Array, seed: int) -> Iterator[dict[str, Any]]:
        index, costs = _built(ExactIndex(storage=storage, seed=seed), vectors)
        yield costs | _asked(index, asked, truth) | _flops(index, seed)

    return measure


def _annoy(trees: int) -> Callable[..., Iterator[dict[str, Any]]]:
    def measure(vectors: SongVectors, asked: Array, truth: Array, seed: int) -> Iterator[dict[str, Any]]:
        index, costs = _built(AnnoyIndex(trees=trees, workers=os.cpu_count() or 1, seed=seed), vectors)
        for search_k in SEARCH_K:
            index._now.searcher.width = search_k
            yield {"setting": search_k} | costs | _asked(index, asked, truth)

    return measure


def _hnsw(vectors: SongVectors, asked: Array, truth: Array, seed: int) -> Iterator[dict[str, Any]]:
    index, costs = _built(HNSWIndex(workers=os.cpu_count() or 1, seed=seed), vectors)
    for ef in EF:
        index._now.searcher.width = ef
        yield {"setting": ef} | costs | _asked(index, asked, truth)


def _auto(vectors: SongVectors, asked: Array, truth: Array, seed: int) -> Iterator[dict[str, Any]]:
    """What auto takes, and what it takes to choose; a graph over a million songs is not waited for."""
    for recall in RECALLS if len(vectors) <= 300_000 else ():
        index, seconds = timed(lambda recall=recall: SongIndex.auto(vectors, recall=recall, seed=seed))
        yield {"setting": f"{index.name} for {recall}", "build_s": round(seconds, 2), "why": index.why_} | _asked(index, asked, truth)


def _bare_annoy(vectors: SongVectors, asked: Array, truth: Array, seed: int, trees: int = 50) -> Iterator[dict[str, Any]]:
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
    rate = _rate(lambda row: forest.get_nns_by_item(row, K + 1), asked.tolist())
    yield {"setting": trees, "build_s": round(seconds, 2), "recall": _recall(vectors, asked, found, truth), "queries_s": rate}


MEASURED: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {
    "exact int8": _exact("int8"),
    "exact float32": _exact("float32"),
    "annoy 10": _annoy(10),
    "annoy 30": _annoy(30),
    "hnsw": _hnsw,
    "auto": _auto,
    "bare annoy": _bare_annoy,
}


def _built(index: Any, vectors: SongVectors) -> tuple[Any, dict[str, Any]]:
    """The index, and what it costs: seconds to build and load, megabytes on disk and in memory besides the vectors."""
    index.fit(SongVectors(vectors.matrix[:1000], list(range(1000))))  # what is compiled once is no cost of the index
    before = _resident_mb()
    _, seconds = timed(lambda: index.fit(vectors))
    memory = _resident_mb() - before
    with tempfile.TemporaryDirectory() as folder:
        path = index.save(Path(folder) / "index")
        disk = sum(file.stat().st_size for file in path.iterdir()) / 1e6
        _, load = timed(lambda: type(index).load(path))
    costs = {"build_s": round(seconds, 2), "load_s": round(load, 2), "disk_mb": round(disk, 1), "memory_mb": round(memory)}
    return index, costs


def _asked(index: SongIndex, asked: Array, truth: Array) -> dict[str, Any]:
    """Recall and rates; ``own_ms`` is what a query takes besides the search itself."""
    vectors = index.vectors_
    songs = asked.tolist()
    batch, seconds = timed(lambda: index.similar_batch(songs, K))
    rate = _rate(lambda song: index.similar(song, K), songs)
    searcher: Any = index._now.searcher
    prefilter = getattr(searcher, "prefilter", None)
    row = {"recall": _recall(vectors, asked, batch.rows, truth), "queries_s": rate, "batch_queries_s": round(len(songs) / seconds)}
    if prefilter is None and index.answers_exactly_:
        return row

    def bare(row: int) -> object:
        unit = vectors.unit[row]
        return list(searcher.nearest(unit[None], K + 1)) if prefilter is None else prefilter.candidates(unit, K + 1, None)

    return row | {"own_ms": round(1e3 * (1 / rate - 1 / _rate(bare, songs)), 3)}


def _flops(index: SongIndex, seed: int) -> dict[str, Any]:
    """The rate of exact batch search in multiplications and additions, beside that of a square matrix product, in turn."""
    songs = np.random.default_rng(seed + 2).choice(len(index.vectors_), BATCH).tolist()
    square = np.random.default_rng(seed).random((2048, 2048), np.float32)
    ours, theirs = [], []
    for _ in range(3):
        theirs.append(2 * 2048**3 / timed(lambda: square @ square)[1] / 1e9)
        ours.append(2 * index.vectors_.matrix.size * BATCH / timed(lambda: index.similar_batch(songs, K))[1] / 1e9)
    share = median(ours) / median(theirs)
    return {"batch_gflops": round(median(ours)), "sgemm_gflops": round(median(theirs)), "share_of_sgemm": round(share, 2)}


def _facts(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Queries a second of every kind at the recalls, and how they compare with Annoy's."""
    facts: dict[str, Any] = {}
    for songs in sorted({row["songs"] for row in rows}):
        mine = [row for row in rows if row["songs"] == songs]
        curves = {kind: [row for row in mine if row["index"] == kind] for kind in MEASURED if kind not in ("auto", "bare annoy")}
        facts[str(songs)] = {}
        for recall in RECALLS:
            at = {kind: rate for kind, curve in curves.items() if (rate := _rate_at(curve, recall))}
            forest = max((rate for kind, rate in at.items() if kind.startswith("annoy")), default=None)
            chosen = [row["queries_s"] for row in mine if row["index"] == "auto" and str(row["setting"]).endswith(str(recall))]
            if forest:
                times = {"hnsw_times_annoy": round(at["hnsw"] / forest, 2)} if "hnsw" in at else {}
                times |= {"auto_times_annoy": round(chosen[0] / forest, 2)} if chosen else {}
            facts[str(songs)][str(recall)] = {"queries_s": at, **(times if forest else {})}
    return facts


def _told(rows: Sequence[dict[str, Any]], facts: dict[str, Any], songs: int = 300_000) -> dict[str, Any]:
    """What the pages quote, of one size."""
    exact = next(row for row in rows if row["songs"] == songs and row["index"] == "exact float32")
    mine = facts[str(songs)]
    times = {
        f"{name}_at_{round(100 * recall)}": mine[str(recall)].get(name)
        for recall in RECALLS
        for name in ("hnsw_times_annoy", "auto_times_annoy")
    }
    return {**times, "share_of_sgemm": exact["share_of_sgemm"]}


def _rate_at(curve: Sequence[dict[str, Any]], recall: float) -> int | None:
    """Queries a second at a recall; of a curve that lies above it all, its fastest."""
    reached = [row for row in curve if row["recall"] >= recall]
    if not reached:
        return None
    above = max(reached, key=lambda row: row["queries_s"])
    below = [row for row in curve if row["recall"] < recall and row["queries_s"] > above["queries_s"]]
    if not below:
        return int(above["queries_s"])
    under = max(below, key=lambda row: row["recall"])
    share = (recall - under["recall"]) / (above["recall"] - under["recall"])
    return round(math.exp((1 - share) * math.log(under["queries_s"]) + share * math.log(above["queries_s"])))


def _recall(vectors: SongVectors, asked: Array, found: Array, truth: Array) -> float:
    """The share of neighbours that are as near as the true tenth."""
    cosines = np.einsum("qkd,qd->qk", vectors.unit[found], vectors.unit[asked])
    return round(float(((cosines >= truth[:, None] - 1e-6) & (found >= 0)).mean()), 4)


def _rate(query: Callable[[Any], Any], arguments: Iterable[Any]) -> int:
    """Queries a second by the median query, so that other work on the machine counts little."""
    seconds = []
    for argument in arguments:
        began = perf_counter()
        query(argument)
        seconds.append(perf_counter() - began)
    return round(1 / median(seconds))


def _resident_mb() -> float:
    """The memory this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
