"""How fast is training, and does speed cost quality? Our kernel against gensim in all its set-ups, each in a process of its own.

Same size, window, negatives and epochs, both cores, in turn. Quality is recall@10 of the next song on held-out sessions
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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from common import real_sessions, save_result, timed
from planted import LENGTH, planted_sessions
from trainers import TRAINERS

from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_at_random

HERE = Path(__file__).resolve().parent
SETTINGS: dict[str, Any] = {
    "algorithm": "skip-gram",
    "loss": "negative-sampling",
    "size": 64,
    "window": 5,
    "dynamic_window": True,
    "n_negatives": 5,
    "context_weight": 0.0,
    "subsample": 1e-3,
    "learning_rate": 0.025,
    "epochs": 5,
    "workers": 2,
    "seed": 0,
}
# Those by which either finds most next songs in a minute on validation sessions taken from each log's training sessions.
HIERARCHICAL = SETTINGS | {"loss": "hierarchical-softmax", "size": 128}
ENSEMBLE: dict[str, Any] = {"trees": 5, "size": 1024, "identity": 0.7, "window": 2, "workers": 2, "seed": 0}
TUNED: dict[str, dict[str, dict[str, Any]]] = {
    "nowplaying/train.txt": {
        "song2vec ensemble": ENSEMBLE | {"context_weight": 0.5, "whitening": 0.4, "learning_rate": 0.06},
        "gensim list": HIERARCHICAL | {"learning_rate": 0.05},
    },
    "yes_big": {
        "song2vec ensemble": ENSEMBLE | {"context_weight": 0.3, "whitening": 0.0, "learning_rate": 0.025},
        "gensim list": HIERARCHICAL,
    },
}
UNTUNED: dict[str, tuple[str, dict[str, Any]]] = {
    "one tree": ("song2vec", HIERARCHICAL | {"window": 3, "dynamic_window": False, "context_weight": 0.3}),
    "gensim's skip-gram": ("gensim list", SETTINGS),
    "gensim's cbow": ("gensim list", SETTINGS | {"algorithm": "cbow"}),
}
Result = Iterator[tuple[str, list[dict[str, Any]]]]  # names and their rows
MINUTE = 60.0
LONG = 10_000_000  # events
KINDS: dict[str, dict[str, Any]] = {
    "skip-gram": {},
    "cbow": {"algorithm": "cbow"},
    "hierarchical softmax": {"loss": "hierarchical-softmax", "size": 128, "window": 3, "dynamic_window": False},
}
# events, songs and clusters of planted logs, none of a real one, and epochs
LOGS = {
    "planted 200 k": (200_000, 5_000, 50, 5),
    "planted 2 M": (2_000_000, 50_000, 500, 5),
    "planted 20 M": (20_000_000, 200_000, 2_000, 2),
    "nowplaying": (0, 0, 0, 10),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200,000 events and two trainers")
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--logs", nargs="*", default=list(LOGS), choices=list(LOGS))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--trainers", nargs="*", default=list(TRAINERS), choices=list(TRAINERS))
    parser.add_argument("--rounds", type=int, default=2, help="how often every comparison is run, the trainers in turn")
    options = parser.parse_args()
    if options.quick:
        options.parts = ["speed", "scale"]
        options.logs, options.trainers, options.rounds = ["planted 200 k"], ["song2vec", "gensim corpus_file"], 1
    with tempfile.TemporaryDirectory(prefix="song2vec-bench-") as folder:
        for part in options.parts:
            for name, rows in PARTS[part](Path(folder), options):
                facts = {"speed": ratios, "clock": best_in_time, "scale": linear}[part](rows)
                print(json.dumps(facts, indent=1), flush=True)
                if not options.quick:
                    told = [{key: value for key, value in row.items() if key != "hits"} for row in rows]
                    save_result(f"bench_training_{name}", told, **facts)


def speed(folder: Path, options: argparse.Namespace) -> Result:
    """Every trainer on the same sessions with the same settings, in turn; once where one training takes minutes. A result a log."""
    for log in options.logs:
        events, songs, clusters, epochs = LOGS[log]
        paths = _planted(folder, events, songs, clusters) if events else _real(folder, "nowplaying/train.txt")
        rows = []
        for kind in options.kinds:
            settings, rounds = SETTINGS | KINDS[kind] | {"epochs": epochs}, options.rounds if events <= LONG else 1
            rows += [_row(log, kind, name, paths, settings, (songs, clusters)) for _ in range(rounds) for name in options.trainers]
        yield f"speed_{log.replace(' ', '_')}", rows


def clock(folder: Path, options: argparse.Namespace) -> Result:
    """recall@10 that each reaches in a minute, as many epochs as fit (100 at most): ours and gensim with the best settings, in rounds, and
    once each one tree of ours, and gensim with its usual settings."""
    rows = []
    for log, tuned in TUNED.items():
        paths = _real(folder, log)
        found = {name: _in_time("60 seconds, tuned", log, name, paths, settings) for name, settings in tuned.items()}
        for seed in range(1, options.rounds):
            for name, row in found.items():
                row["of_rounds"].append(_row(log, row["kind"], name, paths, row["settings"] | {"seed": seed})["recall_at_10"])
        others = [_in_time(f"60 seconds, {kind}", log, name, paths, settings) for kind, (name, settings) in UNTUNED.items()]
        rows += [row | {"recall_at_10": round(float(np.median(row["of_rounds"])), 4)} for row in (*found.values(), *others)]
    yield "clock", rows


def _in_time(kind: str, log: str, name: str, paths: tuple[Path, Path], settings: dict[str, Any]) -> dict[str, Any]:
    """The training of most epochs that stayed within the time; how many fit is found by trying, for a machine has its moods."""
    epochs, fitting = 2, []
    for _ in range(4):
        row = _row(log, kind, name, paths, settings | {"epochs": epochs})
        if row["seconds"] <= 1.02 * MINUTE:
            fitting.append(row)
        more = int(np.clip(epochs * MINUTE / row["seconds"], 1, 100))
        if 0.93 * MINUTE <= row["seconds"] <= 1.02 * MINUTE or more == epochs:
            break
        epochs = more
    if not fitting:
        raise SystemExit(f"{name} on {log}: no epoch fits {MINUTE:g} seconds")
    best = max(fitting, key=lambda row: int(row["settings"]["epochs"]))
    return best | {"of_rounds": [best["recall_at_10"]]}


def scale(folder: Path, options: argparse.Namespace) -> Result:
    """One epoch over more and more events: seconds should grow with them and memory should not."""
    songs, sizes = (10_000, (100_000, 400_000)) if options.quick else (1_000_000, (1_000_000, 10_000_000, 100_000_000))
    rows = []
    for events in sizes:
        paths, log = _planted(folder, events, songs, songs // 100), f"{events:,} events, {songs:,} songs"
        rows.append(_row(log, "scale", "song2vec", paths, SETTINGS | {"epochs": 1}, (songs, songs // 100)))
    yield "scale", rows


PARTS: dict[str, Callable[[Path, argparse.Namespace], Result]] = {"speed": speed, "clock": clock, "scale": scale}


def ratios(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Ours against the fastest gensim of each kind: events a second, and the difference in recall@10 with its 95 % interval."""
    found: list[dict[str, Any]] = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        these = [row for row in rows if row["kind"] == kind]
        ours, gensim = (_fastest([row for row in these if row["trainer"].startswith(name)]) for name in ("song2vec", "gensim"))
        difference = ours["hits"].astype(float) - gensim["hits"]
        error = 1.96 * difference.std() / np.sqrt(len(difference))
        found.append(
            {
                "kind": kind,
                "against": gensim["trainer"],
                "speed_ratio": round(ours["events_per_second"] / gensim["events_per_second"], 2),
                "recall_difference": round(float(difference.mean()), 4),
                "interval_95": [round(float(difference.mean() + side * error), 4) for side in (-1, 1)],
            }
        )
    facts = {f"{row['kind']} ratio".replace(" ", "_").replace("-", "_"): row["speed_ratio"] for row in found}
    return {**facts, "ratios": found, "roofline": roofline(rows)}


def best_in_time(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What ours reaches on each log over what gensim does with the settings found best for it, and with the better of its usual ones,
    and over one tree of ours; rows in the order of TUNED and UNTUNED."""
    facts: dict[str, Any] = {}
    for log in dict.fromkeys(row["log"] for row in rows):
        ours, theirs, tree, *usual = (row["recall_at_10"] for row in rows if row["log"] == log)
        beside = {"ratio": theirs, "ratio_to_its_own_settings": max(usual), "ratio_to_one_tree": tree}
        facts |= {f"{log.partition('/')[0]}_{name}": round(ours / other, 3) for name, other in beside.items()}
    return facts


def linear(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds a million events at each size, the line through them, the most memory, and how near this is to what the machine can do."""
    each = [row["seconds"] / row["events"] * 1e6 for row in rows]
    events, seconds = (np.array([float(row[name]) for row in rows]) for name in ("events", "seconds"))
    slope, start = np.polyfit(events, seconds, 1)
    return {
        "fit": f"{start:.2f} s + {1e6 * slope:.3f} s a million events",
        "fit_off_by_at_most": round(float(np.abs(start + slope * events - seconds).max() / seconds.max()), 3),
        "seconds_per_million": [round(seconds, 3) for seconds in each],
        "peak_mib": round(max(row["peak_mib"] for row in rows)),
        "roofline": roofline(rows),
    }


def roofline(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Arithmetic and memory traffic of our fastest skip-gram with negative sampling beside what the machine can do."""
    ours = [row for row in rows if row["trainer"] == "song2vec" and row["kind"] in ("skip-gram", "scale")]
    rate = max((row["events_per_second"] for row in ours), default=float("nan"))
    window, outputs, size = SETTINGS["window"], 1 + SETTINGS["n_negatives"], SETTINGS["size"]
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
    row["recall_at_10"] = round(float(np.mean(row["hits"])), 4)
    row["events"] = Sessions.load(paths[0]).plays
    row["events_per_second"] = round(row["events"] * settings["epochs"] / row["seconds"])
    figures = f"{row['events_per_second']:>10,}/s  recall@10 {row['recall_at_10']:.4f}  {row['peak_mib']:6.0f} MiB"
    line = f"{log:>14} {kind:>20} {name:>18}  {figures}"
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
