"""The whole job, Parquet to an engine on disk: `song2vec train` beside the script that people write today.

Both read the same generated log, cut sessions at 30 minutes, learn skip-gram vectors of 64 numbers in 5 epochs on all cores, and
save vectors and an Annoy index. The usual script is pandas, gensim (window 5 drawn anew, so 3 to a side in the mean; 5
negatives) and Annoy with 50 trees; song2vec runs with its defaults (window 3), before the usual script and after it, and the
mean of the two counts. Each run is a process of its own.

    python benchmarks/bench_job.py                       # 20 million plays; about 15 minutes
    python benchmarks/bench_job.py --plays 500000        # a look; nothing is saved
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from bench_ingest import generate
from common import save_result

PLAYS = 20_000_000
USUAL = """
import os, sys
import pandas as pd
from annoy import AnnoyIndex
from gensim.models import Word2Vec

log, folder = sys.argv[1:]
plays = pd.read_parquet(log).sort_values(["user_id", "timestamp"])
plays["session"] = (plays.groupby("user_id")["timestamp"].diff().isna() | (plays.groupby("user_id")["timestamp"].diff() > 1800)).cumsum()
plays["track_id"] = plays["track_id"].astype(str)
sessions = plays.groupby("session")["track_id"].agg(list)
sessions = sessions[sessions.str.len() >= 2].tolist()
model = Word2Vec(sessions, vector_size=64, window=5, sg=1, negative=5, min_count=1, epochs=5, workers=os.cpu_count(), seed=1)
os.makedirs(folder)
model.save(f"{folder}/word2vec.model")
index = AnnoyIndex(64, "angular")
for row, vector in enumerate(model.wv.vectors):
    index.add_item(row, vector)
index.build(50)
index.save(f"{folder}/index.ann")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plays", type=int, default=PLAYS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, script = folder / "plays.parquet", folder / "usual.py"
        generate(options.plays, strings=False).write_parquet(log)
        script.write_text(USUAL)
        ours = [sys.executable, "-m", "song2vec.cli", "train", str(log), "--out", str(folder / "engine"), "--size", "64", "--epochs", "5"]
        usual = [sys.executable, str(script), str(log), str(folder / "usual")]
        rows = [run("song2vec train", ours), run("pandas, gensim, Annoy", usual), run("song2vec train", ours)]
    seconds = (rows[0]["seconds"] + rows[2]["seconds"]) / 2
    ratio = rows[1]["seconds"] / seconds
    print(f"{ratio:.1f} times as long")
    if options.plays == PLAYS:
        save_result("bench_job", rows, plays=options.plays, seconds=seconds, usual_ratio=round(ratio, 2))


def run(way: str, command: list[str]) -> dict[str, Any]:
    """One whole process: seconds by the wall, and the most memory it or its children held."""
    began = perf_counter()
    _, status, usage = os.wait4(subprocess.Popen(command).pid, 0)
    seconds = perf_counter() - began
    if status:
        sys.exit(f"{way} failed")
    row = {"way": way, "seconds": round(seconds, 1), "peak_mib": round(usage.ru_maxrss / 1024)}
    print("{way:>24}: {seconds:7.1f} s, peak {peak_mib:,} MiB".format(**row), flush=True)
    return row


if __name__ == "__main__":
    main()
