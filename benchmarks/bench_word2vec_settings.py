"""Which word2vec settings suit music? Coordinate search over three real logs, on validation sessions only.

From gensim's defaults for skip-gram, one setting at a time is set to what is best on average over the logs: the
geometric mean of HR@10 of the next song relative to gensim's own defaults. The winners are our defaults.

    python benchmarks/bench_word2vec_settings.py            # about 40 minutes
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np
from common import real_sessions, save_result, timed

from song2vec.sessions import Sessions
from song2vec.splits import split_at_random
from song2vec.vectors.held_out import hit_rate, next_song_ranks
from song2vec.vectors.word2vec import Word2Vec

LOGS = ("yes_big", "nowplaying/train.txt", "30music_200ks")
GENSIM = {"algorithm": "cbow", "size": 100, "window": 5, "negative": 5, "negative_exponent": 0.75, "subsample": 1e-3, "epochs": 5}
START = GENSIM | {"algorithm": "skip-gram", "size": 64, "epochs": 20, "learning_rate": 0.025}
COORDINATES: dict[str, list[Any]] = {
    "negative_exponent": [0.75, 0.0, -0.5],
    "learning_rate": [0.025, 0.05, 0.1],
    "window": [3, 5, 10, 20],
    "subsample": [1e-3, 1e-4, 1e-5, 0.0],
    "negative": [5, 10, 20],
    "epochs": [10, 20, 50],
    "size": [32, 64, 128],
    "algorithm": ["skip-gram", "cbow"],
    "loss": ["negative-sampling", "hierarchical-softmax"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plays", type=int, default=250_000, help="at most this many plays of each log")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    splits = {log: split_at_random(_at_most(real_sessions(log), options.plays)) for log in LOGS}
    for log, (train, test) in splits.items():
        print(f"{log}: train {train}, validation {test}")
    rows: list[dict[str, Any]] = []
    base = _measure(GENSIM, splits, rows, options.workers, None)
    best = dict(START)
    best_gain = _gain(_measure(best, splits, rows, options.workers, base), base)
    for name, values in COORDINATES.items():
        for value in values:
            if best.get(name) == value:
                continue
            trial = best | {name: value}
            gain = _gain(_measure(trial, splits, rows, options.workers, base), base)
            if gain > best_gain:
                best, best_gain = trial, gain
        print(f"--> {name} = {best.get(name)!r}, {best_gain:.2f} times gensim's defaults", flush=True)
        save_result("bench_word2vec_settings", rows, winner=best, winner_gain=best_gain)


def _at_most(sessions: Sessions, plays: int) -> Sessions:
    """Sessions at random, as many as hold so many plays."""
    order = np.random.default_rng(0).permutation(len(sessions))
    count = int(np.searchsorted(np.cumsum(sessions.lengths[order]), plays, side="right"))
    return sessions.select(np.sort(order[:count]))


def _measure(
    settings: dict[str, Any], splits: dict[str, tuple[Sessions, Sessions]], rows: list[dict[str, Any]], workers: int, base: dict[str, float] | None
) -> dict[str, float]:
    scores: dict[str, float] = {}
    seconds = 0.0
    for log, (train, test) in splits.items():
        model, took = timed(lambda train=train: Word2Vec(**settings, workers=workers, progress=False).fit(train))
        scores[log] = hit_rate(next_song_ranks(model.vectors_, test))
        seconds += took
    gain = 1.0 if base is None else _gain(scores, base)
    rows.append({"settings": settings, "hr_at_10": scores, "gain": gain, "seconds": round(seconds, 1)})
    print(f"{gain:5.2f}  " + "  ".join(f"{log.split('/')[0]} {score:.4f}" for log, score in scores.items()) + f"  {seconds:5.0f} s  {settings}", flush=True)
    return scores


def _gain(scores: dict[str, float], base: dict[str, float]) -> float:
    """Geometric mean over the logs of the score relative to gensim's defaults."""
    return math.exp(sum(math.log(max(scores[log], 1e-6) / max(base[log], 1e-6)) for log in base) / len(base))


if __name__ == "__main__":
    main()
