"""How good are the simple models? Four public sets, one table each: all songs ranked, ties against us, 95 % intervals.

Settings are searched on sessions held out of the training part in the way the test was held out of the whole (``--tune``;
kept in ``tuned/SET.json``), the models are fitted again to the whole training part, and the test part is looked at once.

    python benchmarks/bench_baselines.py --tune 15          # search settings; about an hour on 2 cores
    python benchmarks/bench_baselines.py                    # the tables; about 15 minutes
    python benchmarks/bench_baselines.py --sets yes_big     # one set; the others stay as they were measured
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, HERE, RESULTS, real_sessions, save_result

from song2vec.evaluation import Comparison, compare, evaluate, tune
from song2vec.listens import read_listens
from song2vec.models import MODELS, NextSongModel, make_model
from song2vec.sessions import Sessions, cut_sessions
from song2vec.sessions.splits import split_at_random, split_last_session, split_predefined
from song2vec.vectors import LEARNERS

K = 20
QUERIES = 3000  # of the held-out sessions, that settings are scored on
TUNED = HERE / "tuned"
NEURAL = ("gru4rec", "playlist-rnn", "hrnn", "youtube", "autoencoder")  # bench_gru4rec.py and bench_networks.py are theirs
# settings of learners that are tried; of the others, the defaults
VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "doc2vec": ({"algorithm": "dbow"}, {"algorithm": "dm"}),
    "metaprod2vec": ({"artist_weight": 1.0}, {"artist_weight": 0.3}, {"artist_weight": 0.1}),
}
DEAR = ("als", "bpr")  # a third of the trials: each factorises anew
Parts = tuple[Sessions, Sessions]
Found = tuple[dict[str, Any], float, int]  # settings, their score, how many were tried


def given(name: str) -> Parts:
    """The split of SR-GNN and its followers: songs of the test part that training lacks stay, and are misses."""
    train, test = (cut_sessions(read_listens(DATA / name / part), repeats="keep") for part in ("train.txt", "test.txt"))
    return split_predefined(train, test, unseen="keep")


def last_tenth(sessions: Sessions) -> Parts:
    """The last sessions of the file held out: those splits were cut by time, and near sessions are much easier to foresee."""
    first = round(0.9 * len(sessions))
    return split_predefined(sessions.keep(np.arange(first)), sessions.keep(np.arange(first, len(sessions))))


SETS: dict[str, Callable[[], Parts]] = {
    "nowplaying": lambda: given("nowplaying"),
    "yoochoose1_64": lambda: given("yoochoose1_64"),
    "yes_big": lambda: split_at_random(real_sessions("yes_big"), 0.2, seed=0),
    "30music_200ks": lambda: split_last_session(real_sessions("30music_200ks")),
}
HELD_OUT: dict[str, Callable[[Sessions], Parts]] = {
    "nowplaying": last_tenth,
    "yoochoose1_64": last_tenth,
    "yes_big": lambda train: split_at_random(train, 0.1, seed=1),
    "30music_200ks": split_last_session,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    others = [f"nearest {learner}" for learner in LEARNERS if learner != "word2vec"]
    models = [name for name in (*MODELS, *others) if name not in (*NEURAL, "blend")]  # bench_blend.py is about blends
    parser.add_argument("--models", nargs="+", default=models, choices=[*MODELS, *others])
    parser.add_argument("--tune", type=int, default=0, metavar="TRIALS")
    options = parser.parse_args()
    rows = [] if options.tune else _kept(options.sets)
    for name in options.sets:
        train, test = SETS[name]()
        print(f"\n{name}\ntrain {train}\ntest {test}", flush=True)
        if options.tune:
            search(name, options.models, train, options.tune)
            continue
        comparison = table(name, options.models, train, test)
        print(comparison, flush=True)
        rows += [{"set": name, **row} for row in comparison.table.to_dicts()]
    if rows:
        save_result("bench_baselines", rows, k=K)


def search(name: str, models: list[str], train: Sessions, trials: int) -> None:
    """Tune the models that have something to tune on a part of ``train``."""
    file = TUNED / f"{name}.json"
    TUNED.mkdir(exist_ok=True)
    part, held_out = HELD_OUT[name](train)
    for model in models:
        kind, _, learner = model.partition(" ")
        if not MODELS[kind]().space:
            continue
        by_vectors = kind == "nearest"
        settings, score, tries = nearest(learner or "word2vec", part, held_out) if by_vectors else tuned(model, part, held_out, trials)
        found = {model: {"settings": settings, "validation_recall_at_20": round(score, 4), "trials": tries}}
        file.write_text(json.dumps(_read(file) | found, indent=1) + "\n")
        print(f"{model:>20}  {score:.4f}  {settings}", flush=True)


def tuned(model: str, part: Sessions, held_out: Sessions, trials: int) -> Found:
    """The settings that tuning finds."""
    tries = trials // 3 if model in DEAR else trials
    best = tune(model, part, validation=held_out, trials=tries, k=K, max_queries=QUERIES)
    return best.settings, best.score, tries


def nearest(learner: str, part: Sessions, held_out: Sessions) -> Found:
    """How much of the session to average, by a grid over the same vectors, learned once a learner's settings."""
    found: list[tuple[float, dict[str, Any]]] = []
    for own in VARIANTS.get(learner, ({},)):
        vectors = LEARNERS.make(learner, {**own, "progress": False}).fit(part).vectors_
        for decay, repeats in product((0.0, 0.25, 0.5, 0.75, 0.9, 1.0), (True, False)):
            settings = {"decay": decay, "repeats": repeats, "learner": {"name": learner, "settings": own} if own else learner}
            model = make_model("nearest", settings).fit(part, vectors=vectors)
            found.append((evaluate(model, held_out, k=K, max_queries=QUERIES, timed=0).metrics()["recall"], settings))
    score, settings = max(found, key=lambda each: each[0])
    return settings, score, len(found)


def table(name: str, models: list[str], train: Sessions, test: Sessions) -> Comparison:
    """Every model with its tuned settings on the test part."""
    settings = _read(TUNED / f"{name}.json")
    fitted: dict[str, NextSongModel] = {}
    for model in models:
        fitted[model] = make_model(model.partition(" ")[0], settings.get(model, {}).get("settings", {})).fit(train)
        print(f"{fitted[model]!r} fitted in {fitted[model].fit_seconds_:.1f} s", flush=True)
    return compare(fitted, test, k=K, baseline="markov" if "markov" in models else None)


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return content


def _kept(measured: list[str]) -> list[dict[str, Any]]:
    """The rows of sets that are not measured now."""
    return [row for row in _read(RESULTS / "bench_baselines.json").get("rows", []) if row["set"] not in measured]


if __name__ == "__main__":
    main()
