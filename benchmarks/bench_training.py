"""How fast is training, and does speed cost quality? Our kernel against gensim in all its set-ups, each in a process of its own.

Same size, window, negatives and epochs, both cores, in turn. Quality is HR@10 of the next song on held-out sessions
(nearest neighbours of the song before, all songs ranked, ties against us) and, where clusters are planted, the share of
the ten nearest that are of the same cluster. The clock runs over vocabulary and training; sentences are made before.

    python benchmarks/bench_training.py                  # about an hour: 2 M and 20 M events, nowplaying, 60 s each, 100 M
    python benchmarks/bench_training.py --quick          # under two minutes
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from common import real_sessions, save_result, timed
from planted import LENGTH, planted_sessions
from trainers import TRAINERS

from song2vec.sessions import Sessions
from song2vec.splits import split_at_random

HERE = Path(__file__).resolve().parent
SETTINGS: dict[str, Any] = {
    "algorithm": "skip-gram",
    "loss": "negative-sampling",
    "size": 64,
    "window": 5,
    "dynamic_window": True,
    "negative": 5,
    "context_weight": 0.0,
    "subsample": 1e-3,
    "learning_rate": 0.025,
    "epochs": 5,
    "workers": 2,
    "seed": 0,
}
OURS = SETTINGS | {"loss": "hierarchical-softmax", "size": 128, "window": 3, "dynamic_window": False, "context_weight": 0.3}
LARGE = ("song2vec", "gensim list", "gensim corpus_file")
PATHS = {"loss": "hierarchical-softmax", "size": 128, "window": 3, "dynamic_window": False}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200,000 events and two trainers")
    parser.add_argument("--parts", nargs="*", default=["speed", "clock", "scale"], choices=["speed", "clock", "scale"])
    parser.add_argument("--rounds", type=int, default=2, help="how often every comparison is run, the trainers in turn")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    facts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="song2vec-bench-") as folder:
        if "speed" in options.parts:
            rows += speed(Path(folder), options.quick, 1 if options.quick else options.rounds)
            facts["ratios"] = ratios(rows)
        if "clock" in options.parts and not options.quick:
            rows += clock(Path(folder), ("nowplaying/train.txt", "yes_big"))
        if "scale" in options.parts:
            sizes = (100_000, 400_000) if options.quick else (1_000_000, 10_000_000, 100_000_000)
            rows += scale(Path(folder), sizes, 10_000 if options.quick else 1_000_000)
        facts["roofline"] = roofline(rows)
    print(json.dumps(facts, indent=1))
    told = [{key: value for key, value in row.items() if key != "hits"} for row in rows]
    save_result("bench_training_quick" if options.quick else "bench_training", told, **facts)


def speed(folder: Path, quick: bool, rounds: int) -> list[dict[str, Any]]:
    """Every trainer on the same sessions with the same settings, in turn."""
    kinds: dict[str, dict[str, Any]] = {"skip-gram": {}, "cbow": {"algorithm": "cbow"}, "hierarchical softmax": PATHS}
    logs = (
        {"planted 200 k": (200_000, 5_000, 50)}
        if quick
        else {"planted 2 M": (2_000_000, 50_000, 500), "planted 20 M": (20_000_000, 200_000, 2_000)}
    )
    rows = []
    for log, (events, songs, clusters) in logs.items():
        paths = _planted(folder, events, songs, clusters)
        for kind, changes in kinds.items():
            settings = SETTINGS | changes | {"epochs": 5 if events <= 2_000_000 else 2}
            names = ("song2vec", "gensim corpus_file") if quick else TRAINERS if events <= 2_000_000 else LARGE
            rows += [_row(log, kind, name, paths, settings, (songs, clusters)) for _ in range(rounds) for name in names]
    if not quick:
        paths = _real(folder, "nowplaying/train.txt")
        for kind, changes in kinds.items():
            rows += [_row("nowplaying", kind, name, paths, SETTINGS | changes | {"epochs": 10}) for _ in range(rounds) for name in TRAINERS]
    return rows


def clock(folder: Path, logs: tuple[str, ...], seconds: float = 60.0) -> list[dict[str, Any]]:
    """HR@10 that each reaches in the same time with the best settings we know, as many epochs as fit (100 at most)."""
    rows = []
    for log in logs:
        paths = _real(folder, log)
        for name in ("song2vec", "gensim list", "gensim corpus_file"):
            for settings in (OURS, OURS | {"size": 256}, OURS | {"learning_rate": 0.05}, SETTINGS, SETTINGS | {"algorithm": "cbow"}):
                two = _row(log, "two epochs", name, paths, settings | {"epochs": 2})
                epochs = int(np.clip(2 * seconds / two["seconds"], 1, 100))
                rows.append(_row(log, "60 seconds", name, paths, settings | {"epochs": epochs}))
    return rows


def scale(folder: Path, sizes: tuple[int, ...], songs: int) -> list[dict[str, Any]]:
    """One epoch over more and more events: seconds should grow with them and memory should not."""
    rows = []
    for events in sizes:
        paths = _planted(folder, events, songs, max(1, songs // 100))
        rows.append(
            _row(f"{events:,} events, {songs:,} songs", "scale", "song2vec", paths, SETTINGS | {"epochs": 1}, (songs, songs // 100))
        )
    return rows


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ours against the fastest gensim of each comparison: events a second, and the difference in HR@10 with its 95 % interval."""
    found = []
    for log, kind in dict.fromkeys((row["log"], row["kind"]) for row in rows):
        these = [row for row in rows if (row["log"], row["kind"]) == (log, kind)]
        ours, gensim = (_fastest([row for row in these if row["trainer"].startswith(name)]) for name in ("song2vec", "gensim"))
        difference = ours["hits"].astype(float) - gensim["hits"]
        error = 1.96 * difference.std() / np.sqrt(len(difference))
        found.append(
            {
                "log": log,
                "kind": kind,
                "against": gensim["trainer"],
                "speed_ratio": round(ours["events_per_second"] / gensim["events_per_second"], 2),
                "hr_difference": round(float(difference.mean()), 4),
                "interval_95": [round(float(difference.mean() + side * error), 4) for side in (-1, 1)],
            }
        )
    return found


def roofline(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Arithmetic and memory traffic of our fastest skip-gram with negative sampling beside what the machine can do."""
    ours = [row for row in rows if row["trainer"] == "song2vec" and row["kind"] in ("skip-gram", "scale")]
    rate = max((row["events_per_second"] for row in ours), default=float("nan"))
    window, outputs, size = SETTINGS["window"], 1 + SETTINGS["negative"], SETTINGS["size"]
    pairs = float(np.mean([min(p, r) + min(LENGTH - 1 - p, r) for p in range(LENGTH) for r in range(1, window + 1)]))
    flops = pairs * outputs * 6 * size  # a dot product and two updates
    lines = (pairs / 3 * outputs + 1) * size * 4 * 2  # rows read and written, if outputs are never in cache
    peak, bandwidth = _peak_flops(), _bandwidth()
    return {
        "events_per_second": round(rate),
        "flops_per_event": round(flops),
        "bytes_per_event": round(lines),
        "sgemm_gflops": round(peak / 1e9, 1),
        "copy_gb_per_second": round(bandwidth / 1e9, 1),
        "share_of_sgemm": round(rate * flops / peak, 3),
        "share_of_bandwidth": round(rate * lines / bandwidth, 3),
    }


def _row(
    log: str, kind: str, name: str, paths: tuple[Path, Path], settings: dict[str, Any], planted: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    """One training; ``planted`` are how many songs and clusters, where clusters are planted."""
    songs, clusters = planted
    queries = 20_000 if songs <= 200_000 else 2_000
    job = {"trainer": name, "settings": settings, "train": str(paths[0]), "test": str(paths[1]), "queries": queries}
    command = [sys.executable, str(HERE / "trainers.py"), json.dumps(job | {"songs": songs, "clusters": clusters})]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    row: dict[str, Any] = {"log": log, "kind": kind, "trainer": name, "settings": settings} | json.loads(done.stdout.splitlines()[-1])
    row["hits"] = np.array([int(hit) for hit in row["hits"]])
    row["hr_at_10"] = round(float(np.mean(row["hits"])), 4)
    row["events_per_second"] = round(Sessions.load(paths[0]).plays * settings["epochs"] / row["seconds"])
    line = f"{log:>14} {kind:>20} {name:>18}  {row['events_per_second']:>10,}/s  HR@10 {row['hr_at_10']:.4f}  {row['peak_mib']:6.0f} MiB"
    print(line + (f"  cluster {row['cluster_share']:.3f}" if clusters else ""), flush=True)
    return row


def _fastest(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return max(rows, key=lambda row: float(row["events_per_second"]))


def _planted(folder: Path, events: int, songs: int, clusters: int) -> tuple[Path, Path]:
    """Folders of training and test sessions, by the same rules."""
    train, test = folder / f"planted {events} {songs}", folder / f"planted test {songs}"
    if not train.exists():
        planted_sessions(events, songs, clusters).save(train)
        planted_sessions(min(events, 50_000), songs, clusters, seed=1).save(test)
    return train, test


def _real(folder: Path, log: str) -> tuple[Path, Path]:
    paths = (folder / f"{log.split('/')[0]} train", folder / f"{log.split('/')[0]} test")
    if not paths[0].exists():
        for part, path in zip(split_at_random(real_sessions(log), 0.2), paths, strict=True):
            part.save(path)
    return paths


def _peak_flops(side: int = 2048) -> float:
    """The best of some products of two square matrices, all cores."""
    matrix = np.random.default_rng(0).random((side, side), np.float32)
    return max(2 * side**3 / _seconds(lambda: matrix @ matrix) for _ in range(5))


def _bandwidth(numbers: int = 2**26) -> float:
    """Bytes read and written a second when two threads copy what no cache holds."""
    source, target = np.ones(numbers, np.float32), np.empty(numbers, np.float32)
    halves = [slice(0, numbers // 2), slice(numbers // 2, numbers)]

    def copy() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda half: np.copyto(target[half], source[half]), halves))

    return max(2 * source.nbytes / _seconds(copy) for _ in range(5))


def _seconds(job: Callable[[], Any]) -> float:
    return timed(job)[1]


if __name__ == "__main__":
    main()
