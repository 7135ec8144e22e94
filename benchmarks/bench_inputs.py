"""What does a recurrent network gain from word2vec's vectors, from dwell times, and from knowing the listener?

nowplaying: GRU4Rec whose input table begins as song vectors learned from the same sessions, beside one of the same size that
begins at random, after 1, 3 and 10 epochs; for all targets, and for those among the tenth of songs played least.
30Music, each listener's last session held out: GRU4Rec, with plays sliced by their dwell in the way
best on validation sessions, and HRNN.
All songs ranked, ties against us; differences have paired 95 % intervals from resamples of test sessions.

    python benchmarks/bench_inputs.py             # about an hour on one core
    python benchmarks/bench_inputs.py --parts vectors    # fifteen minutes
    python benchmarks/bench_inputs.py --quick     # a tenth of nowplaying, a look at the mechanics, nothing saved
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from bench_baselines import given
from common import real_sessions, save_result

from song2vec.core.arrays import Array
from song2vec.evaluation import Evaluation, evaluate, metrics
from song2vec.evaluation.results import Ratio, interval, resampled
from song2vec.models import make_model
from song2vec.sessions.splits import split_last_session
from song2vec.vectors import Word2Vec

K = 20
EPOCHS = (1, 3, 10)
RARE = 0.1  # the share of songs, those played least
SHARED: dict[str, Any] = {"hidden": 100, "workers": 1, "progress": False}
SLICES: tuple[dict[str, Any], ...] = (
    {"dwell_slice": 60.0},
    {"dwell_slice": 240.0},
    {"dwell_slice": 1.0, "dwell_unit": "ratio"},
)
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", nargs="*", default=["vectors", "dwell"], choices=["vectors", "dwell"])
    options = parser.parse_args()
    for part in options.parts:
        rows = start_from_vectors(options.quick) if part == "vectors" else dwell_and_listeners(1 if options.quick else 30)
        if not options.quick:
            save_result(f"bench_inputs_{part}", rows, k=K, settings=SHARED)


def start_from_vectors(quick: bool) -> list[Row]:
    """Song vectors and random numbers as the input table, epoch by epoch."""
    train, test = given("nowplaying")
    if quick:
        train, test = train.keep(np.arange(len(train) - 12_000, len(train))), test.keep(np.arange(500))
    vectors = Word2Vec(workers=1, epochs=1 if quick else 10, progress=False).fit(train).vectors_
    played = np.bincount(train.songs, minlength=len(train.catalogue))
    known = np.flatnonzero(played)
    rare = np.zeros(len(played), bool)
    rare[known[np.argsort(played[known], kind="stable")][: round(RARE * len(known))]] = True
    rows = []
    with TemporaryDirectory() as folder:
        for epochs in EPOCHS:
            found = {}
            for name, settings in (("random", {"input": "embedding", "size": vectors.size}), ("word2vec", {"input": "vectors"})):
                model = make_model("gru4rec", {**SHARED, **settings, "epochs": epochs})
                aid = {"vectors": vectors} if name == "word2vec" else {}
                model.fit(train, **aid, checkpoint=Path(folder) / name)  # goes on from the epochs before
                found[name] = evaluate(model, test, k=K, timed=0, lists=False)
            for targets, mask in (("all", np.ones(len(played), bool)), ("rarest tenth", rare)):
                rows += told({"set": "nowplaying", "epochs": epochs, "targets": targets}, found, "random", mask)
    return rows


def dwell_and_listeners(most: int) -> list[Row]:
    """GRU4Rec with and without dwell slices, and HRNN, on the last session of each listener.

    Each is trained for as many epochs as were best on validation sessions: an epoch of sliced plays has more of them.
    """
    train, test = split_last_session(real_sessions("30music_200ks"))
    part, held_out = split_last_session(train)

    def best_epoch(name: str, settings: Mapping[str, Any]) -> tuple[float, int]:
        model = make_model(name, {**SHARED, **settings, "epochs": most, "patience": 3})
        epoch = max(model.fit(part, validation=held_out).history_, key=lambda one: one.scores["recall@20"])
        print(f"{name} {settings}: recall@20 {epoch.scores['recall@20']:.4f} on validation sessions after {epoch.epoch} epochs", flush=True)
        return epoch.scores["recall@20"], epoch.epoch

    slices = max(SLICES, key=lambda one: best_epoch("gru4rec", one)[0])
    models = {"gru4rec": ("gru4rec", {}), "gru4rec with dwell": ("gru4rec", slices), "hrnn": ("hrnn", {})}
    found, rows = {}, {}
    for label, (name, settings) in models.items():
        epochs = best_epoch(name, settings)[1]
        found[label] = evaluate(make_model(name, {**SHARED, **settings, "epochs": epochs}).fit(train), test, k=K, timed=0, lists=False)
        rows[label] = {"settings": settings, "epochs": epochs}
    return [row | rows[row["model"]] for row in told({"set": "30music_200ks", "targets": "all"}, found, "gru4rec")]


def told(about: Row, found: Mapping[str, Evaluation], baseline: str, mask: Array | None = None) -> list[Row]:
    """Recall and MRR of each model over the targets of the mask, a flag for each song, and how much more than the baseline."""
    base = found[baseline]
    asked = np.ones(len(base.ranks)) if mask is None else mask[base.targets].astype(float)
    rows = []
    for label, answers in found.items():
        row = about | {"model": label, "queries": int(asked.sum())}
        for name, metric in (("recall", metrics.hit), ("mrr", metrics.reciprocal_rank)):
            one, other = (Ratio(metric(each.ranks, K) * asked, asked) for each in (answers, base))
            drawn = resampled(base.session, [one, other])
            bounds = interval(drawn[:, 0] - drawn[:, 1])
            row |= {name: round(one.value, 5), f"{name}_more": round(one.value - other.value, 5)}
            row |= {f"{name}_more_low": round(bounds.low, 5), f"{name}_more_high": round(bounds.high, 5)}
        print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
