"""Which t-SNE should draw a map of how many songs? scikit-learn's Barnes-Hut against openTSNE, in turn, on the same generated vectors.

Vectors lie in clusters of about a hundred songs, 64 numbers each; both start from the same PCA with the same perplexity and seed.
One thread each by default, and the ratio is of processor time: t-SNE's threads spin while they wait for one another, so on a
machine that others use too, more of them are slower and the clock says little.
``kept`` is the share of a song's 10 nearest neighbours by cosine that are among its 10 nearest on the map, ``trust`` the
trustworthiness (Venna and Kaski 2001): how far from the song those on the map are that are not; both over 1,000 songs drawn by lot.

    python benchmarks/bench_maps.py                                     # about 10 minutes
    python benchmarks/bench_maps.py --quick                             # a minute
    python benchmarks/bench_maps.py --sizes 2000 5000 --workers 2
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from time import process_time
from typing import Any

import numpy as np
from common import clustered_vectors, save_result, timed

from song2vec.core.arrays import Array
from song2vec.maps.layout import lay_out

NEIGHBOURS = 10
SAMPLE = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 5000, 10_000, 20_000, 50_000])
    parser.add_argument("--sklearn-up-to", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="2,000 songs; nothing is saved")
    options = parser.parse_args()
    if options.quick:
        options.sizes = [2000]
    rows: list[dict[str, Any]] = []
    ratios: dict[int, float] = {}
    for songs in options.sizes:
        unit = clustered_vectors(songs, clusters=songs // 100, seed=options.seed)
        methods = ("sklearn", "opentsne") if songs <= options.sklearn_up_to else ("opentsne",)
        pair = [run(unit, method, options.workers, options.seed) for method in methods]
        rows += pair
        if len(pair) == 2:
            ratios[songs] = round(pair[0]["processor_seconds"] / pair[1]["processor_seconds"], 2)
            print(f"{songs:>7,} songs: scikit-learn takes {ratios[songs]:.1f} times openTSNE's processor time", flush=True)
    if not options.quick:
        facts = {"workers": options.workers, "seed": options.seed, "sklearn_over_opentsne": ratios}
        save_result("bench_maps", rows, opentsne=version("openTSNE"), **facts)


def run(unit: Array, method: Any, workers: int, seed: int) -> dict[str, Any]:
    """One map: seconds by the clock and of the processor, and how true to the vectors it is."""
    began = process_time()
    layout, seconds = timed(lambda: lay_out(unit, method=method, workers=workers, seed=seed))
    processor = process_time() - began
    kept, trust = faithfulness(unit, layout.points)
    took = f"{seconds:6.1f} s by the clock, {processor:6.1f} s of the processor"
    print(f"{len(unit):>7,} songs, {method:>8}: {took}; kept {kept:.3f}, trust {trust:.4f}", flush=True)
    return {
        "songs": len(unit), "method": method, "perplexity": layout.perplexity, "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1), "kept": round(kept, 4), "trustworthiness": round(trust, 4),
    }  # fmt: skip


def faithfulness(unit: Array, points: Array) -> tuple[float, float]:
    """The share of nearest neighbours kept, and the trustworthiness, 1 - 2 / (n k (2 m - 3 k - 1)) * sum of (rank - k) over intruders."""
    songs = np.random.default_rng(0).permutation(len(unit))[:SAMPLE]
    kept, beyond = 0, 0
    for song in songs:
        ranks = np.empty(len(unit), np.int64)
        ranks[_nearest_first(-(unit @ unit[song]), song)] = np.arange(len(unit))  # the song itself has rank 0
        near = _nearest_first(np.linalg.norm(points - points[song], axis=1), song)[1 : NEIGHBOURS + 1]
        kept += int((ranks[near] <= NEIGHBOURS).sum())
        beyond += int(np.maximum(ranks[near] - NEIGHBOURS, 0).sum())
    count = len(songs) * NEIGHBOURS
    return kept / count, 1 - 2 * beyond / (count * (2 * len(unit) - 3 * NEIGHBOURS - 1))


def _nearest_first(distances: Array, song: int) -> Array:
    distances[song] = -np.inf
    return np.argsort(distances, kind="stable")


if __name__ == "__main__":
    main()
