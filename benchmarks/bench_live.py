"""What does a play cost in a live session of GRU4Rec at 100,000 songs: a song heard, and the ten next asked for?

One session, and 100 side by side; every song scored, and songs looked up in each index, whose recall@10 stands beside it. The
network is trained for an epoch on generated sessions, so that its rows have the lengths that training gives them.

    python benchmarks/bench_live.py             # about three minutes
    python benchmarks/bench_live.py --quick     # a tenth of the songs, nothing saved
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import quantiles
from time import perf_counter
from typing import Any

import numpy as np
import torch
from bench_scale import synthetic
from common import save_result, timed

from song2vec.models import make_model
from song2vec.models.networks.recurrent.live import CarriedSession, listen_together, next_together
from song2vec.sessions import Sessions

SONGS, PLAYS, HIDDEN, TOGETHER, K = 100_000, 1_000_000, 100, 100, 10
PLAIN = "every song scored"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    shrink = 10 if parser.parse_args().quick else 1
    torch.set_num_threads(1)
    sessions = synthetic(SONGS // shrink, PLAYS // shrink)
    model = make_model("gru4rec", {"hidden": HIDDEN, "epochs": 1, "workers": 1, "progress": False}).fit(sessions)
    rows = [row(PLAIN, model, sessions)]
    for kind in ("exact", "annoy", "hnsw"):
        index, seconds = timed(lambda kind=kind: model.index(kind, sessions=sessions))
        rows.append({**row(kind, index, sessions), "recall": round(index.recall_, 4), "build_s": round(seconds, 1)})
    for one in rows:
        print("  ".join(f"{name} {value}" for name, value in one.items()), flush=True)
    if shrink == 1:
        alone = {f"{found['through'].replace(' ', '_')}_ms": found["next_p50_ms"] for found in rows}
        save_result("bench_live", rows, songs=SONGS, hidden=HIDDEN, together=TOGETHER, k=K, threads=1, **alone)


def row(through: str, source: Any, sessions: Sessions) -> dict[str, Any]:
    """Milliseconds of a step alone, and of one of all sessions together; ``source`` makes live sessions."""
    plays = iter(sessions.catalogue.songs(sessions.songs[: 600 + 30 * TOGETHER]))
    one: CarriedSession = source.session()
    listen = milliseconds(lambda: one.listen(next(plays)), 300)
    ask = milliseconds(lambda: one.next(K), 300)
    many: list[CarriedSession] = [source.session() for _ in range(TOGETHER)]
    listen_many = milliseconds(lambda: listen_together(many, [next(plays) for _ in many]), 20)
    ask_many = milliseconds(lambda: next_together(many, K), 20)
    found: dict[str, Any] = {"through": through}
    for name, taken in (("listen", listen), ("next", ask), ("listen_together", listen_many), ("next_together", ask_many)):
        found |= {f"{name}_p50_ms": round(taken[49], 3), f"{name}_p99_ms": round(taken[98], 3)}
    return found


def milliseconds(step: Callable[[], object], times: int) -> list[float]:
    """Percentiles 1 to 99 of what a step takes; the first, which compiles, left out."""
    step()
    taken = np.empty(times)
    for i in range(times):
        began = perf_counter()
        step()
        taken[i] = 1000 * (perf_counter() - began)
    return quantiles(taken.tolist(), n=100)


if __name__ == "__main__":
    main()
