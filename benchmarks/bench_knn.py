"""How fast are vsknn and vstan beside the authors' own dictionaries, and do both rank the songs alike? On #nowplaying.

The authors' code is asked for at run time, at the folder of a checkout (github.com/rn5l/session-rec); without one only ours is
measured. Both learn the same sessions, one a second in the order of the log, and answer the same queries with the same
settings: theirs one by one, as their evaluation does, ours in blocks of one `score` call. Rounds alternate; medians count.

A rank is the number of songs that score as high as the true next song or higher. Theirs is taken three times: as their code
stands (`same`), with the documented rule for sessions of equal similarity at the k-th place, the more recent (`same_ties`; theirs
takes whatever a hash set yields first), and that with scores rounded to float32 as ours are (`same_rounded`); `scores_near` is the
share of queries with every score within a millionth of theirs.

    python benchmarks/bench_knn.py --session-rec PATH           # a minute
    python benchmarks/bench_knn.py --session-rec PATH --quick   # one round of 200 queries; nothing is saved
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from common import DATA, save_result, timed

from song2vec.core.arrays import Array
from song2vec.models.base import NextSongModel
from song2vec.models.neighbours import VSKNN, VSTAN
from song2vec.sessions import Sessions

GAP = 600  # seconds from the beginning of one session to that of the next
SETTINGS: dict[str, dict[str, Any]] = {
    "vsknn": {
        "k": 100,
        "sample_size": 2500,
        "similarity": "vec",
        "weighting": "quadratic",
        "weighting_score": "quadratic",
        "idf_weighting": 1,
    },
    "vstan": {
        "k": 500,
        "sample_size": 2500,
        "similarity": "cosine",  # theirs has a setting for it and takes the cosine all the same
        "lambda_spw": 10.2,
        "lambda_snh": 100.0,
        "lambda_inh": 10.2,
        "lambda_ipw": 1.02,
        "lambda_idf": 5.0,
    },
}
MODELS: dict[str, Any] = {"vsknn": VSKNN, "vstan": VSTAN}
THEIRS = {"vsknn": "VMContextKNN", "vstan": "VSKNN_STAN"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--session-rec", type=Path, help="a checkout of the authors' implementation")
    parser.add_argument("--quick", action="store_true", help="200 queries and one round")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.session_rec is None:
        print("no --session-rec PATH: ours alone")
    train, test = given_split()
    queries, rounds = (200, 1) if options.quick else (1000, 3)
    rows = []
    for name in MODELS:
        rows.append(compare(name, train, test, whole_sessions(test, queries, options.seed), rounds, options.session_rec))
        print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    if options.quick:
        return
    facts = {f"{row['model']}_ratio": row.get("times_theirs") for row in rows}
    sys.argv = ["PATH" if argument == str(options.session_rec) else argument for argument in sys.argv]
    save_result("bench_knn", rows, settings=SETTINGS, queries=queries, seed=options.seed, **facts)


def compare(name: str, train: Sessions, test: Sessions, plays: Array, rounds: int, checkout: Path | None) -> dict[str, Any]:
    """Queries a second of both, their ratio, and how many ranks are equal."""
    ours: NextSongModel = MODELS[name](**SETTINGS[name])
    _, fit = timed(lambda: ours.fit(train))
    many = whole_sessions(test, 20 * len(plays), 1)
    ours.score(test, many[:2])
    jobs: dict[str, Callable[[], Any]] = {"ours": lambda: [None for _ in ours.score_blocks(test, many)]}
    row: dict[str, Any] = {"model": name, "fit_s": round(fit, 2), "mb": round(ours.nbytes / 1e6, 1)}
    if checkout is not None:
        theirs = Theirs(name, checkout, train)
        jobs |= {"theirs": lambda: theirs.scores(test, plays), "theirs_bare": lambda: theirs.scores(test, plays, bare=True)}
        row |= agreement(ours, theirs, test, plays)
    seconds: dict[str, list[float]] = {job: [] for job in jobs}
    for _ in range(rounds):
        for job, run in jobs.items():
            seconds[job].append(timed(run)[1] / len(many if job == "ours" else plays))
    middle = {job: median(times) for job, times in seconds.items()}
    row |= {f"{job}_queries_s": round(1 / middle[job]) for job in jobs}
    return row | {f"times_{job}": round(middle[job] / middle["ours"], 1) for job in jobs if job != "ours"}


def agreement(ours: NextSongModel, theirs: Theirs, test: Sessions, plays: Array) -> dict[str, Any]:
    """Shares of queries whose true next song has the same rank in both; see the top of the file."""
    targets = test.songs[plays + 1]
    our_scores = ours.score(test, plays)
    tied = theirs.scores(test, plays, recent_first=True)
    ranks = ranks_of(our_scores, targets)
    ours_scaled = our_scores / our_scores.max(1, keepdims=True)
    near = np.isclose(ours_scaled, tied / tied.max(1, keepdims=True), rtol=1e-6, atol=1e-12).all(1)
    return {
        "same": share(ranks == ranks_of(theirs.scores(test, plays), targets)),
        "same_ties": share(ranks == ranks_of(tied, targets)),
        "same_rounded": share(ranks == ranks_of(tied.astype(np.float32), targets)),
        "scores_near": share(near),
    }


class Theirs:
    """The authors' model, with what its imports and old NumPy names need to run today; their code is not changed."""

    def __init__(self, name: str, checkout: Path, train: Sessions) -> None:
        self.model = getattr(load_module(checkout / "algorithms" / "knn" / f"{name}.py"), THEIRS[name])(**SETTINGS[name])
        self.model.fit(events(train))
        self.songs = np.arange(len(train.catalogue))
        self.now = int(train.start.max()) if train.start is not None else 0

    def scores(self, test: Sessions, plays: Array, *, recent_first: bool = False, bare: bool = False) -> Array:
        """(n, songs) float64 scores at plays of whole sessions, asked in order; ``bare`` finds and scores neighbours, and no more."""
        model = self.model
        model.find_neighbors = types.MethodType(nearest_and_recent if recent_first else type(model).find_neighbors, model)
        session_of = np.searchsorted(test.offsets, plays, side="right") - 1
        scores = np.zeros((1 if bare else len(plays), len(self.songs)))
        for i, (play, session) in enumerate(zip(plays.tolist(), session_of.tolist(), strict=True)):
            song = int(test.songs[play])
            if bare:
                self._bare(song, session)
            else:
                scores[i] = model.predict_next(session, song, self.songs, timestamp=self.now).to_numpy()
        model.session = -1
        return scores

    def _bare(self, song: int, session: int) -> None:
        model = self.model
        if model.session != session:
            model.session, model.session_items, model.relevant_sessions = session, [], set()
        model.session_items.append(song)
        dwelling = ([],) if hasattr(model, "dwelling_time") else ()
        neighbours = model.find_neighbors(model.session_items, song, session, *dwelling, self.now)
        model.score_items(neighbours, model.session_items, self.now)


def nearest_and_recent(model: Any, songs: Any, song: Any, session: Any, *more: Any) -> list[tuple[Any, float]]:
    """Their ``find_neighbors`` with our rule for ties."""
    similar = model.calc_similarity(songs, model.possible_neighbor_sessions(songs, song, session), *more)
    return sorted(similar, key=lambda pair: (-pair[1], -model.session_time[pair[0]]))[: model.k]


def load_module(path: Path) -> Any:
    """A module of theirs, without the packages that only its memory reports need."""
    sys.modules.setdefault("pympler", types.SimpleNamespace(asizeof=None))  # type: ignore[arg-type]
    if not hasattr(np, "in1d"):
        np.in1d = np.isin  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location(f"session_rec_{path.stem}", path)
    if spec is None or spec.loader is None or not path.exists():
        raise SystemExit(f"{path}: not there; --session-rec wants a checkout of github.com/rn5l/session-rec")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def events(sessions: Sessions) -> Any:
    """Sessions as the data frame their ``fit`` wants: every play of a session at the time the session began."""
    import pandas as pd

    session = np.repeat(np.arange(len(sessions)), sessions.lengths)
    time = sessions.start[session] if sessions.start is not None else session
    return pd.DataFrame({"SessionId": session, "ItemId": sessions.songs.astype(np.int64), "Time": time})


def given_split() -> tuple[Sessions, Sessions]:
    """The train and test files over one catalogue, train sessions begun ``GAP`` seconds apart."""
    parts = [[[int(song) for song in line.split()] for line in (DATA / "nowplaying" / f"{part}.txt").open()] for part in ("train", "test")]
    both = Sessions.from_lists(parts[0] + parts[1])
    start = GAP * np.arange(len(both))
    timed_sessions = Sessions(both.songs, both.offsets, both.listener, both.catalogue, both.listeners, start)
    size = len(parts[0])
    return timed_sessions.keep(np.arange(size)), timed_sessions.keep(np.arange(size, len(both)))


def whole_sessions(test: Sessions, queries: int, seed: int) -> Array:
    """All plays but the last of sessions drawn by lot, up to so many queries."""
    drawn = np.random.default_rng(seed).permutation(len(test))
    plays = [np.arange(test.offsets[session], test.offsets[session + 1] - 1) for session in drawn]
    return np.concatenate(plays)[:queries]


def ranks_of(scores: Array, targets: Array) -> Array:
    return (scores >= scores[np.arange(len(targets)), targets][:, None]).sum(1)


def share(flags: Array) -> float:
    return round(float(flags.mean()), 4)


if __name__ == "__main__":
    main()
