"""How fast is a log read and cut into sessions? Ours against the straightforward pandas way, in turn, on one generated log.

Each run is a process of its own, so that its peak memory is its own; the log is in order of time, as servers write it.
All ways do the same job: order by listener and time, cut at 30 minutes, collapse repeats, drop sessions of one song;
the benchmark fails if they disagree about the number of plays or sessions.

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
import pandas as pd
import polars as pl
from common import peak_memory_mib, save_result, timed

from song2vec.listens import read_listens
from song2vec.sessions import cut_sessions


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
    turns = [{run["way"]: run["seconds"] for run in runs[turn : turn + len(WAYS)]} for turn in range(0, len(runs), len(WAYS))]
    for row in rows:
        row["times_as_slow_as_song2vec"] = round(median(turn[row["way"]] / turn["song2vec"] for turn in turns), 1)
        print("{way:>20}: {seconds:6.2f} s, {plays_per_second:>10,} plays/s, peak {peak_mib:5} MiB".format(**row))
        print(f"{'':>20}  {row['times_as_slow_as_song2vec']:6.1f} times the time of song2vec")
    if len({(run["plays"], run["sessions"]) for run in runs}) != 1:
        sys.exit(f"the ways disagree: {runs}")
    name = "bench_ingest" if options.ids == "integers" else "bench_ingest_strings"
    facts = {"plays": options.plays, "ids": options.ids, "parquet_mib": round(size / 2**20), "runs": runs}
    facts |= {"million_plays_per_second": round(rows[0]["plays_per_second"] / 1e6, 2), "pandas_ratio": rows[1]["times_as_slow_as_song2vec"]}
    save_result(name, rows, **facts)


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
    sessions = cut_sessions(read_listens(log))
    return sessions.plays, len(sessions)


def with_pandas(log: Path) -> tuple[int, int]:
    """What a notebook does: sort, group, diff, and a list of songs a session, which is what gensim wants."""
    frame = _numbered(log)
    sessions = frame.groupby("session")["track_id"].agg(list)
    sessions = sessions[sessions.str.len() >= 2]
    return int(sessions.str.len().sum()), len(sessions)


def with_pandas_without_lists(log: Path) -> tuple[int, int]:
    """The same, but stopping at a session number and a song number in every row."""
    frame = _numbered(log)
    frame = frame[frame.groupby("session")["track_id"].transform("size") >= 2]
    frame = frame.assign(row=pd.factorize(frame["track_id"])[0])
    return len(frame), frame["session"].nunique()


def _numbered(log: Path) -> pd.DataFrame:
    frame = pd.read_parquet(log).sort_values(["user_id", "timestamp"], kind="stable")
    gap = frame.groupby("user_id")["timestamp"].diff()
    frame["session"] = (gap.isna() | (gap > 30 * 60)).cumsum()
    again = (frame["track_id"] == frame["track_id"].shift()) & (frame["session"] == frame["session"].shift())
    return frame[~again]


WAYS = {"song2vec": with_song2vec, "pandas": with_pandas, "pandas-without-lists": with_pandas_without_lists}


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
