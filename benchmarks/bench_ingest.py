"""How fast is a log read and cut into sessions? Ours against the straightforward pandas way, in turn, on one generated log.

Each run is a process of its own, so that its peak memory is its own; the log is in order of time, as servers write it.
Both ways do the same job: order by listener and time, cut at 30 minutes, collapse repeats, drop sessions of one song,
number the songs; the benchmark fails if they disagree about the number of plays or sessions.

    python benchmarks/bench_ingest.py                       # 20 million plays; about 5 minutes
    python benchmarks/bench_ingest.py --plays 2000000
    python benchmarks/bench_ingest.py --ids strings         # ids as Spotify writes them
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from common import peak_memory_mib, save_result, timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plays", type=int, default=20_000_000)
    parser.add_argument("--ids", choices=["integers", "strings"], default="integers")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--run", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(_run(options.run, options.log)))
        return
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "plays.parquet"
        generate(options.plays, strings=options.ids == "strings").write_parquet(log)
        runs = [_in_a_process(way, log) for _ in range(options.repeats) for way in WAYS]
        size = log.stat().st_size
    rows = [_summary(way, [run for run in runs if run["way"] == way], options.plays) for way in WAYS]
    ratio = median(b["seconds"] / a["seconds"] for a, b in zip(runs[::2], runs[1::2], strict=True))
    for row in rows:
        print(f"{row['way']:>9}: {row['seconds']:6.2f} s, {row['plays_per_second'] / 1e6:5.2f} M plays/s, peak {row['peak_mib']:6.0f} MiB")
    print(f"song2vec is {ratio:.1f} times as fast (median of {options.repeats} pairs)")
    if len({(run["plays"], run["sessions"]) for run in runs}) != 1:
        sys.exit(f"the two ways disagree: {runs}")
    name = "bench_ingest" if options.ids == "integers" else "bench_ingest_strings"
    save_result(name, rows, plays=options.plays, ids=options.ids, parquet_mib=round(size / 2**20), ratio=round(ratio, 1), runs=runs)


def generate(plays: int, *, strings: bool, seed: int = 0) -> pl.DataFrame:
    """Sessions of about ten songs, four minutes apart, over a year; song popularity falls as a power law."""
    random = np.random.default_rng(seed)
    session = np.sort(random.integers(0, plays // 10, plays))
    place = np.arange(plays) - np.searchsorted(session, session)
    listener = random.integers(0, max(plays // 400, 1), plays // 10)[session]
    begin = random.integers(1_700_000_000, 1_731_536_000, plays // 10)[session]
    song = (500_000 * random.random(plays) ** 3).astype(np.int64)
    frame = pl.DataFrame({"user_id": listener, "track_id": song, "timestamp": begin + 240 * place}).sort("timestamp", maintain_order=True)
    if strings:
        frame = frame.with_columns(
            user_id=pl.format("listener-{}", "user_id"), track_id=pl.format("spotify:track:{}", pl.col("track_id") + 10**21)
        )
    return frame


def with_song2vec(log: Path) -> tuple[int, int]:
    """The library's way."""
    from song2vec.listens import read_listens
    from song2vec.sessions import cut_sessions

    sessions = cut_sessions(read_listens(log))
    return sessions.plays, len(sessions)


def with_pandas(log: Path) -> tuple[int, int]:
    """What a notebook does: sort, group, diff."""
    import pandas as pd

    frame = pd.read_parquet(log).drop_duplicates()
    frame = frame.sort_values(["user_id", "timestamp"], kind="stable")
    gap = frame.groupby("user_id")["timestamp"].diff()
    frame["session"] = (gap.isna() | (gap > 30 * 60)).cumsum()
    again = (frame["track_id"] == frame["track_id"].shift()) & (frame["session"] == frame["session"].shift())
    frame = frame[~again]
    frame = frame[frame.groupby("session")["track_id"].transform("size") >= 2]
    frame["row"] = pd.factorize(frame["track_id"])[0]
    return len(frame), frame["session"].nunique()


WAYS = {"song2vec": with_song2vec, "pandas": with_pandas}


def _run(way: str, log: Path) -> dict[str, Any]:
    if way == "song2vec":  # compiled code is cached on disk; loading it is part of the run, compiling it for the first time is not
        small = log.with_name("warm.parquet")
        pl.scan_parquet(log).head(1000).collect().write_parquet(small)
        with_song2vec(small)
    (plays, sessions), seconds = timed(lambda: WAYS[way](log))
    return {"way": way, "seconds": round(seconds, 3), "peak_mib": round(peak_memory_mib()), "plays": plays, "sessions": sessions}


def _in_a_process(way: str, log: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--run", way, "--log", str(log)]
    result: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"  {way}: {result['seconds']:.2f} s", flush=True)
    return result


def _summary(way: str, runs: list[dict[str, Any]], plays: int) -> dict[str, Any]:
    seconds = median(run["seconds"] for run in runs)
    return {"way": way, "seconds": seconds, "plays_per_second": round(plays / seconds), "peak_mib": max(run["peak_mib"] for run in runs)}


if __name__ == "__main__":
    main()
