"""Does GRU4Rec train on a million songs in the memory of a small machine, and how fast? 100 units, generated sessions.

Peak memory is that of the whole process, sessions and catalogue in it; it also holds while the model answers and is saved.

    python benchmarks/bench_gru_memory.py             # a few minutes
    python benchmarks/bench_gru_memory.py --quick     # a tenth of the songs and plays, nothing saved
"""

from __future__ import annotations

import argparse
import sys
from tempfile import TemporaryDirectory

from bench_scale import synthetic
from common import peak_memory_mib, save_result, timed

from song2vec.models import make_model

SONGS, PLAYS, HIDDEN = 1_000_000, 2_000_000, 100
LIMIT_GIB = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--input", default="constrained", choices=["constrained", "embedding"])
    options = parser.parse_args()
    shrink = 10 if options.quick else 1
    sessions = synthetic(SONGS // shrink, PLAYS // shrink)
    before = peak_memory_mib()
    settings = {"hidden": HIDDEN, "input": options.input, "epochs": 1, "workers": 1, "progress": False}
    model, seconds = timed(lambda: make_model("gru4rec", settings).fit(sessions))
    trained = peak_memory_mib()
    model.next(sessions[0], 10)
    with TemporaryDirectory() as folder:
        model.save(folder)
    row = {
        "songs": len(sessions.catalogue),
        "plays": sessions.plays,
        "input": options.input,
        "fit_s": round(seconds, 1),
        "events_per_second": round(model.history_[-1].events_per_second),
        "loss": round(model.history_[-1].loss, 3),
        "sessions_mib": round(before),
        "trained_mib": round(trained),
        "peak_mib": round(peak_memory_mib()),
        "model_mib": round(model.nbytes / 2**20),
    }
    print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    peak = row["peak_mib"] / 1024
    if not options.quick:
        save_result("bench_gru_memory", [row], hidden=HIDDEN, limit_gib=LIMIT_GIB, peak_gib=round(peak, 2))
    if peak > LIMIT_GIB:
        sys.exit(f"more than {LIMIT_GIB} GiB: {peak:.2f}")


if __name__ == "__main__":
    main()
