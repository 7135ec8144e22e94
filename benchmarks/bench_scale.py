"""What does each simple next-song model cost at a million songs and ten million plays: seconds, memory, queries a second?

Each model runs in a process of its own, whose peak memory is told with and without the sessions it was given. Plays are
Zipf-distributed, and half of them are one of ten followers of the play before, so that lists have something to hold.

    python benchmarks/bench_scale.py                    # every model that fits within minutes
    python benchmarks/bench_scale.py --models ar sr     # these
    python benchmarks/bench_scale.py --quick            # a tenth of the songs and plays
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
from common import RESULTS, peak_memory_mib, save_result, timed

from song2vec.catalogue import Catalogue
from song2vec.models import MODELS, make_model
from song2vec.sessions import Sessions

SONGS, PLAYS, LENGTH = 1_000_000, 10_000_000, 10
LIMIT_GIB = 4
SLOW = ("als", "bpr", "nearest")  # learn by many passes over the log; asked for by name, with these settings
SETTINGS: dict[str, dict[str, Any]] = {
    "als": {"size": 64, "epochs": 2},
    "bpr": {"size": 64, "epochs": 2},
    "nearest": {"learner": {"name": "word2vec", "settings": {"size": 64, "epochs": 1}}},
}
COLUMNS = ("model", "fit_s", "peak_mib", "sessions_mib", "model_mib", "queries_s", "recommend_ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    simple = [name for name, kind in MODELS.items() if name not in SLOW and "rnn" not in kind.__module__]
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=simple)
    parser.add_argument("--quick", action="store_true", help="a tenth of the songs and plays")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    shrink = 10 if options.quick else 1
    if options.one:
        print(json.dumps(measured(options.one, SONGS // shrink, PLAYS // shrink)))
        return
    print("  ".join(f"{name:>18}" for name in COLUMNS))
    rows = []
    for name in options.models:
        row = alone(name, options.quick)
        rows.append(row)
        print("  ".join(f"{row[column]:>18}" for column in COLUMNS), flush=True)
    if not options.quick:
        rows = kept(rows) + rows
        peak = max(row["peak_mib"] for row in rows) / 1024
        save_result("bench_scale", rows, songs=SONGS, plays=PLAYS, limit_gib=LIMIT_GIB, peak_gib=round(peak, 2))
    over = [row["model"] for row in rows if row["peak_mib"] > 1024 * LIMIT_GIB]
    if over:
        sys.exit(f"more than {LIMIT_GIB} GiB: {', '.join(over)}")


def kept(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of models that were measured before and not now."""
    file, names = RESULTS / "bench_scale.json", {row["model"] for row in measured}
    return [row for row in json.loads(file.read_text())["rows"] if row["model"] not in names] if file.exists() else []


def alone(name: str, quick: bool) -> dict[str, Any]:
    """One model in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--one", name, *(["--quick"] if quick else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr}")
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def measured(name: str, songs: int, plays: int) -> dict[str, Any]:
    """Fit on the log, and ask after plays of it; compiled code is compiled before, on a log of no size."""
    settings = SETTINGS.get(name, {})
    small = synthetic(1000, 5000)
    warm = make_model(name, settings).fit(small)
    warm.score(small, np.arange(4))
    sessions = synthetic(songs, plays)
    before = peak_memory_mib()
    model, seconds = timed(lambda: make_model(name, settings).fit(sessions))
    asked = np.random.default_rng(1).permutation(sessions.plays)[:2000]
    answered, began = 0, perf_counter()
    for block, _ in model.score_blocks(sessions, asked):
        answered += len(block)
        if perf_counter() - began > 10:
            break
    rate = answered / (perf_counter() - began)
    history = sessions[0]
    model.next(history, 20)  # the catalogue numbers its songs at the first
    _, ten = timed(lambda: [model.next(history, 20) for _ in range(10)])
    return {
        "model": name,
        "settings": model.settings,
        "fit_s": round(seconds, 1),
        "peak_mib": round(peak_memory_mib()),
        "sessions_mib": round(before),
        "model_mib": round(model.nbytes / 2**20),
        "queries_s": round(rate),
        "recommend_ms": round(100 * ten, 1),
    }


def synthetic(songs: int, plays: int, seed: int = 0) -> Sessions:
    """Sessions of ten plays on average; every other play is a follower of the one before, the others are by popularity."""
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, songs + 1) ** 0.8
    by_popularity = random.permutation(np.repeat(np.arange(songs, dtype=np.int32), random.poisson(shares / shares.sum() * plays)))
    drawn = by_popularity[random.integers(0, len(by_popularity), plays)]
    lengths = random.geometric(1 / LENGTH, 2 * plays // LENGTH)
    ends = np.cumsum(lengths)
    ends = np.append(ends[ends < plays], plays)
    starts = np.zeros(plays, bool)
    starts[np.concatenate([[0], ends[:-1]])] = True
    follows = (random.random(plays) < 0.5) & ~starts & ~np.roll(starts, 1)
    follows[1:] &= ~follows[:-1]  # what is followed is a draw
    which = random.integers(0, 10, plays)
    place = np.flatnonzero(follows)
    drawn[place] = (drawn[place - 1].astype(np.int64) * 7919 + 104_729 * which[place]) % songs
    counts = np.bincount(drawn, minlength=songs)
    order = np.argsort(-counts, kind="stable")
    row = np.empty(songs, np.int32)
    row[order] = np.arange(songs, dtype=np.int32)
    sessions = len(ends)
    return Sessions(
        songs=row[drawn],
        offsets=np.concatenate([[0], ends]).astype(np.int64),
        listener=(np.arange(sessions) // 10).astype(np.int32),
        catalogue=Catalogue(order, counts[order], [f"artist {song % (songs // 10)}" for song in range(songs)]),
        listeners=pl.Series("listener", np.arange((sessions + 9) // 10)),
        start=np.arange(sessions) * 60,
    )


if __name__ == "__main__":
    main()
