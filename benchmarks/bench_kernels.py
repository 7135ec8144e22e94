"""How fast are the compiled kernels of this checkout beside those of another? Whole trainings of a real log, in turn, each in a process
of its own; the clock runs over ``fit`` only, once the kernels are compiled.

    python benchmarks/bench_kernels.py --other ../before                      # both checkouts, three rounds of two epochs
    python benchmarks/bench_kernels.py --parts word2vec --rounds 5 --workers 1

Seconds are of the processor, summed over threads, so that a machine shared with others disturbs little; those of the clock stand beside.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

HERE = Path(__file__).resolve().parent
NEGATIVES, SOFTMAX = "negative-sampling", "hierarchical-softmax"
JOBS: dict[str, dict[str, dict[str, Any]]] = {  # settings have the same names in every checkout that is compared
    "word2vec": {
        "skip-gram, hierarchical softmax": {"algorithm": "skip-gram", "loss": SOFTMAX},
        "skip-gram, negative sampling": {"algorithm": "skip-gram", "loss": NEGATIVES},
        "cbow, hierarchical softmax": {"algorithm": "cbow", "loss": SOFTMAX},
        "cbow, negative sampling": {"algorithm": "cbow", "loss": NEGATIVES},
    },
    "gru4rec": {
        "cross-entropy": {"loss": "cross-entropy"},
        "bpr-max": {"loss": "bpr-max"},
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", type=Path, help="another checkout of the project")
    parser.add_argument("--parts", default=",".join(JOBS), help=f"some of {', '.join(JOBS)}")
    parser.add_argument("--log", default="nowplaying/train.txt")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--name", default="bench_kernels", help="of the result")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(_train(**json.loads(options.job))))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Train by turns with each checkout, print seconds and ratios, and save them."""
    from common import DATA, save_result  # of this checkout, which is the one imported here

    checkouts = {"this": HERE.parent} | ({"other": options.other.resolve()} if options.other else {})
    rows = []
    for part in options.parts.split(","):
        for kind, settings in JOBS[part].items():
            job = {
                "part": part,
                "log": str(DATA / options.log),
                "settings": {**settings, "epochs": options.epochs, "workers": options.workers},
            }
            found: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
            for number in range(options.rounds):
                for name in list(checkouts)[:: -1 if number % 2 else 1]:
                    found[name].append(_in_process(checkouts[name], job))
            rows.append({"part": part, "kind": kind, **_medians(found), "rounds": found})
            print(_line(rows[-1]), flush=True)
    facts = {"log": options.log, "epochs": options.epochs, "workers": options.workers}
    print(save_result(options.name, rows, **facts))


def _medians(found: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    """Of each checkout its seconds; how many times as fast this one is; and the least and the most of it over the rounds."""
    row = {f"{name}_{of}": round(median(each[of] for each in rounds), 3) for name, rounds in found.items() for of in ("cpu", "clock")}
    if "other" in found:
        times = sorted(theirs["cpu"] / ours["cpu"] for ours, theirs in zip(found["this"], found["other"], strict=True))
        row |= {"ratio": round(row["other_cpu"] / row["this_cpu"], 3), "least": round(times[0], 3), "most": round(times[-1], 3)}
    return row


def _line(row: dict[str, Any]) -> str:
    seconds = ", ".join(f"{name.removesuffix('_cpu')} {value:.2f} s" for name, value in row.items() if name.endswith("_cpu"))
    ratio = f"  {row['ratio']:.2f} times as fast ({row['least']:.2f} to {row['most']:.2f})" if "ratio" in row else ""
    return f"{row['part']:>10} {row['kind']:>32}  {seconds}{ratio}"


def _in_process(checkout: Path, job: dict[str, Any]) -> dict[str, float]:
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, str(Path(__file__).resolve()), "--job", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{checkout} failed at {job['settings']}:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _train(part: str, log: str, settings: dict[str, Any]) -> dict[str, float]:
    """Seconds of one training, by whichever checkout is imported."""
    import song2vec

    sessions = song2vec.cut_sessions(song2vec.read_listens(log))
    train = TRAINERS[part]
    train(song2vec, song2vec.Sessions.from_lists([[1, 2, 3, 4]] * 50), settings)  # compiles
    began = perf_counter(), process_time()
    train(song2vec, sessions, settings)
    return {"clock": perf_counter() - began[0], "cpu": process_time() - began[1]}


def _word2vec(song2vec: Any, sessions: Any, settings: dict[str, Any]) -> None:
    song2vec.Word2Vec(**settings, progress=False).fit(sessions)


def _gru4rec(song2vec: Any, sessions: Any, settings: dict[str, Any]) -> None:
    song2vec.GRU4Rec(**settings, progress=False).fit(sessions)


TRAINERS: dict[str, Callable[[Any, Any, dict[str, Any]], None]] = {"word2vec": _word2vec, "gru4rec": _gru4rec}


if __name__ == "__main__":
    main()
