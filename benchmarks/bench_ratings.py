"""Who predicts ratings that move with time? Root mean squared error of later periods, from what was known before them.

Generated listeners whose tastes drift, so that the truth is known, and real plays as log(1 + plays): a station's programmes
by month, 30Music's listeners by day. The last period is the test; the one before it chose l2 and epochs, of the same few for
every model. Intervals: resampled listeners. Last, the next song by the same models, with songs drawn that were not played.

    python benchmarks/bench_ratings.py                # twenty minutes on one core
    python benchmarks/bench_ratings.py --generated    # a minute
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, real_sessions, save_result, timed

from song2vec.core.arrays import Array
from song2vec.evaluation import evaluate
from song2vec.listens import read_listens
from song2vec.models import NextSongModel, RatedSongs, make_model
from song2vec.ratings import RATERS, RRN, BiasedMF, RatingModel, Ratings, TimeSVDpp, count_plays
from song2vec.sessions import Sessions, cut_sessions
from song2vec.sessions.splits import split_last_session

sys.path.insert(0, str(Path(__file__).parents[1]))
from song2vec.testing.raters import drifting

GENERATED = 2  # sets, the first
QUERIES = 2_000  # of the next song
GRID = [{"epochs": epochs, "l2": l2} for epochs in (10, 30) for l2 in (0.02, 0.1, 0.3)]
MODELS: dict[str, Callable[..., RatingModel]] = {
    "biased-mf": BiasedMF,
    "svd++ (time-blind twin)": lambda **settings: TimeSVDpp(temporal=False, **settings),
    "time-svd++": TimeSVDpp,
    "rrn without states (time-blind twin)": lambda **settings: RRN(dynamic=False, **settings),
    "rrn": RRN,
}
SETS: dict[str, Callable[[], Ratings]] = {
    "drifting tastes": lambda: drifting(seed=0),
    "no drift": lambda: drifting(seed=0, drift=0.0),
    "triplej by month": lambda: count_plays(programmes()),
    "30music_200ks by day": lambda: count_plays(real_sessions("30music_200ks"), days=1),
}


def programmes() -> Sessions:
    """A radio station's log, whose listeners are its programmes."""
    return cut_sessions(read_listens(DATA / "triplej" / "playlist_20140929.zip", columns={"listener": "program"}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generated", action="store_true", help="the generated sets alone")
    generated = parser.parse_args().generated
    rows = []
    for name, make in list(SETS.items())[: GENERATED if generated else None]:
        ratings = make()
        last = int(ratings.period.max())
        asked, mean = ratings.during(last), ratings.before(last).value.mean()
        squares = {"mean": (asked.value - mean) ** 2}
        for model, kind in MODELS.items():
            if model.startswith("rrn"):  # of few songs a large batch would make too few steps
                kind = partial(kind, workers=1, batch_size=16 if len(ratings.catalogue) < 1_000 else 256)
            settings, seconds = timed(lambda kind=kind, ratings=ratings, last=last: best(kind, ratings, last))
            squares[model] = (kind(**settings, progress=False).fit(ratings.before(last)).predict(asked) - asked.value) ** 2
            rows.append({"set": name, "model": model, "ratings": len(ratings), "settings": settings, "tuning_seconds": round(seconds, 1)})
        rows.append({"set": name, "model": "mean", "ratings": len(ratings)})
        for row in rows:
            if row["set"] == name:
                row |= told(squares, row["model"], asked.listener)
                print(row, flush=True)
    if generated:
        drifting_rows = {row["model"]: row["rmse"] for row in rows if row["set"] == "drifting tastes"}
        facts = {re.sub(r"\W+", "_", name.partition(" (")[0]): rmse for name, rmse in drifting_rows.items()}
        save_result("bench_ratings_generated", rows, **facts)
    else:
        save_result("bench_ratings", rows + next_songs())


def next_songs() -> list[dict[str, Any]]:
    """The same models where the next song is asked for, beside simple ones: each listener's last session of 30Music."""
    train, test = split_last_session(real_sessions("30music_200ks"))
    asked: dict[str, NextSongModel] = {"popularity": make_model("popularity"), "sr": make_model("sr")}
    for rater in RATERS:
        settings = {"epochs": 10, "progress": False} | ({"batch_size": 256} if rater == "rrn" else {})
        asked[f"ratings: {rater}"] = RatedSongs(rater={"name": rater, "settings": settings}, days=1)
    rows = []
    for name, model in asked.items():
        figures = evaluate(model.fit(train), test, max_queries=QUERIES, timed=0, lists=False).metrics()
        row = {"question": "next song", "set": "30music_200ks", "model": name, "fit_seconds": round(model.fit_seconds_ or 0, 1)}
        rows.append(row | {metric: round(figures[metric], 4) for metric in ("recall", "mrr")})
        print(rows[-1], flush=True)
    return rows


def best(kind: Callable[..., RatingModel], ratings: Ratings, last: int) -> dict[str, Any]:
    """The settings with the least error in the period before the last."""
    part, held_out = ratings.before(last - 1), ratings.during(last - 1)
    return min(GRID, key=lambda settings: kind(**settings, progress=False).fit(part).rmse(held_out))


def told(squares: dict[str, Array], model: str, listener: Array) -> dict[str, Any]:
    """RMSE, and how much of it is less than that of biased factors, with 95 % intervals over resampled listeners."""
    _, which = np.unique(listener, return_inverse=True)
    counts = np.bincount(which)
    sums = {name: np.bincount(which, weights=found) for name, found in squares.items()}
    drawn = np.random.default_rng(0).integers(0, len(counts), (1000, len(counts)))
    rmse = {name: np.sqrt(found[drawn].sum(1) / counts[drawn].sum(1)) for name, found in sums.items()}
    less = np.percentile(rmse["biased-mf"] - rmse[model], [2.5, 97.5])
    row = {"rmse": round(float(np.sqrt(squares[model].mean())), 4)}
    row["rmse_low"], row["rmse_high"] = (round(float(x), 4) for x in np.percentile(rmse[model], [2.5, 97.5]))
    return row | {"less_than_biased_mf": [round(float(x), 4) for x in less]}


if __name__ == "__main__":
    main()
