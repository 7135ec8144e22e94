"""Which word2vec settings suit music? A good start against each of its settings changed, on three logs, validation only.

The score is recall@10 of the next song (nearest neighbours of the song before, all songs ranked, songs without a vector
count as misses) on a fifth of the sessions, held out at random. ``gain`` is the geometric mean over the logs of the
score relative to gensim's own defaults. The defaults of ``Word2Vec`` were chosen by it.

    python benchmarks/bench_word2vec_settings.py            # about 25 minutes with one worker
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np
from common import real_sessions, save_result, timed

from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_at_random
from song2vec.vectors.measures import next_song_ranks, recall
from song2vec.vectors.word2vec import Word2Vec

LOGS = ("yes_big", "nowplaying/train.txt", "30music_200ks")
NEGATIVE_SAMPLING = {"loss": "negative-sampling", "size": 64, "window": 5, "dynamic_window": True, "context_weight": 0.0}
GENSIM = NEGATIVE_SAMPLING | {"algorithm": "cbow", "size": 100, "epochs": 5, "learning_rate": 0.025}
START = {"learning_rate": 0.05}  # and else our defaults, for whose learning rate this was run
VARIANTS: dict[str, dict[str, Any]] = {
    "gensim's defaults": GENSIM,
    "start": {},
    "input vectors alone": {"context_weight": 0.0},
    "window 2": {"window": 2},
    "window 5": {"window": 5},
    "dynamic window 5": {"window": 5, "dynamic_window": True},
    "size 64": {"size": 64},
    "15 epochs": {"epochs": 15},
    "learning rate .025": {"learning_rate": 0.025},
    "negative sampling": NEGATIVE_SAMPLING,
    "negative sampling, exponent -.5": NEGATIVE_SAMPLING | {"negative_exponent": -0.5},
    "Deezer (Caselles-Dupre et al. 2018)": NEGATIVE_SAMPLING
    | {"size": 50, "window": 3, "epochs": 110, "subsample": 1e-5, "negative_exponent": -0.5, "learning_rate": 0.025},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plays", type=int, default=150_000, help="at most this many plays of each log, whole sessions at random")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    splits = {log: split_at_random(_at_most(real_sessions(log), options.plays)) for log in LOGS}
    rows: list[dict[str, Any]] = []
    for name, settings in VARIANTS.items():
        scores, seconds = _measure(START | settings, splits, options.workers)
        base = rows[0]["recall_at_10"] if rows else scores
        gain = math.exp(sum(math.log(scores[log] / base[log]) for log in LOGS) / len(LOGS))
        rows.append({"variant": name, "settings": settings, "recall_at_10": scores, "gain": round(gain, 2), "seconds": round(seconds)})
        shown = "  ".join(f"{log.split('/')[0]} {score:.4f}" for log, score in scores.items())
        print(f"{name:>36}  {shown}  gain {gain:5.2f}  {seconds:4.0f} s", flush=True)
        save_result("bench_word2vec_settings", rows, sessions={log: [repr(part) for part in split] for log, split in splits.items()})


def _at_most(sessions: Sessions, plays: int) -> Sessions:
    """Sessions at random, as many as hold so many plays."""
    order = np.random.default_rng(0).permutation(len(sessions))
    count = int(np.searchsorted(np.cumsum(sessions.lengths[order]), plays, side="right"))
    return sessions.keep(np.sort(order[:count]))


def _measure(settings: dict[str, Any], splits: dict[str, tuple[Sessions, Sessions]], workers: int) -> tuple[dict[str, float], float]:
    scores: dict[str, float] = {}
    total = 0.0
    for log, (train, validation) in splits.items():
        model, seconds = timed(lambda train=train: Word2Vec(**settings, workers=workers, progress=False).fit(train))
        scores[log] = recall(next_song_ranks(model.vectors_, validation))
        total += seconds
    return scores, total


if __name__ == "__main__":
    main()
