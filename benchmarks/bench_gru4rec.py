"""How fast and how good is GRU4Rec here, beside its authors' own code? Same data, same settings, ties against both.

The authors' code is fetched by whoever runs this (github.com/hidasib/GRU4Rec_PyTorch_Official) and only measured: none of it
is part of song2vec. Speed is measured on slices of the training sessions, ours and theirs in turns; quality on the whole, with
95 % intervals from resamples of our test sessions (theirs tells no ranks). Recall and MRR alone are evaluated, as theirs does.

    python benchmarks/bench_gru4rec.py --official PATH --quick          # a look at the mechanics, minutes
    python benchmarks/bench_gru4rec.py --official PATH                  # hours: theirs is trained in full
    python benchmarks/bench_gru4rec.py --parts speed --official PATH    # half an hour
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from common import DATA, save_result, timed

from song2vec.evaluation import evaluate
from song2vec.listens import read_listens
from song2vec.models import make_model
from song2vec.sessions import Sessions, cut_sessions
from song2vec.sessions.splits import split_predefined

SETTINGS: dict[str, dict[str, Any]] = {  # of the published runs, as far as they are the same for both
    "cross-entropy": {
        "hidden": 100,
        "batch_size": 64,
        "n_negatives": 2048,
        "negative_exponent": 0.5,
        "learning_rate": 0.05,
        "dropout_input": 0.0,
        "dropout_hidden": 0.2,
        "logq": 0.0,
    },
    "bpr-max": {
        "hidden": 100,
        "batch_size": 64,
        "n_negatives": 2048,
        "negative_exponent": 0.4,
        "learning_rate": 0.05,
        "momentum": 0.4,
        "dropout_input": 0.5,
        "dropout_hidden": 0.05,
        "logq": 0.0,
        "bpreg": 1.95,
        "elu_param": 0.5,
    },
}
THEIR_NAMES = {
    "dropout_input": "dropout_p_embed",
    "dropout_hidden": "dropout_p_hidden",
    "n_negatives": "n_sample",
    "negative_exponent": "sample_alpha",
}
K = 20
RATIOS = ("train_ratio", "evaluate_ratio")
EVALUATED = 5_000  # sessions that evaluation speed is measured on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", type=Path, required=True, help="a checkout of the authors' repository")
    parser.add_argument("--sets", nargs="+", default=["nowplaying", "yoochoose1_64"])
    parser.add_argument("--losses", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5, help="of each in turns, for the speed")
    parser.add_argument("--parts", nargs="*", default=["speed", "quality"], choices=["speed", "quality"])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    slice_size, rounds, epochs = (1_500, 2, 1) if options.quick else (12_000, options.rounds, options.epochs)
    theirs = Official(options.official)
    for part in options.parts:
        rows: list[dict[str, Any]] = []
        for name in options.sets:
            train, test = parts(name, 3_000 if options.quick else None)
            for loss in options.losses:
                settings = {"loss": loss, **SETTINGS[loss]}
                print(f"\n{name}, {loss}\ntrain {train}\ntest {test}", flush=True)
                asked = (theirs, train, test, settings)
                row = {"set": name, "loss": loss, **(speed(*asked, slice_size, rounds) if part == "speed" else quality(*asked, epochs))}
                print(row, flush=True)
                rows.append(row)
                if not options.quick:
                    save(part, rows)


def save(part: str, rows: list[dict[str, Any]]) -> None:
    """What is known so far: a part takes hours, and may be stopped."""
    facts = {"settings": SETTINGS, "torch": torch.__version__, "threads": torch.get_num_threads()}
    ratios = {f"{row['set']}_{row['loss']}_{of}".replace("-", "_"): row[of] for row in rows for of in RATIOS if of in row}
    save_result("bench_gru4rec" if part == "speed" else "bench_gru4rec_quality", rows, **facts, **ratios)


def parts(name: str, limit: int | None) -> tuple[Sessions, Sessions]:
    """The published split; songs that training lacks are left out of the test, as theirs does."""
    train, test = (cut_sessions(read_listens(DATA / name / part), repeats="keep") for part in ("train.txt", "test.txt"))
    if limit:
        train, test = train.keep(np.arange(limit)), test.keep(np.arange(limit // 4))
    return split_predefined(train, test)


def speed(theirs: Official, train: Sessions, test: Sessions, settings: dict[str, Any], size: int, rounds: int) -> dict[str, float]:
    """Events/s of training and queries/s of evaluation, medians over rounds in turns; and their ratios."""
    few = test.keep(np.arange(min(EVALUATED, len(test))))
    queries = few.plays - len(few)
    ours(train.keep(np.arange(200)), settings, 1)  # compiles
    found: dict[str, list[float]] = {"train_ours": [], "train_theirs": [], "evaluate_ours": [], "evaluate_theirs": []}
    for turn in range(rounds):
        part = train.keep((np.arange(size) + turn * size) % len(train))
        events = part.plays - len(part)
        model, seconds = timed(lambda part=part: ours(part, settings, 1))
        found["train_ours"].append(events / seconds)
        other, seconds = timed(lambda part=part: theirs.fit(part, settings, 1))
        found["train_theirs"].append(events / seconds)
        found["evaluate_ours"].append(queries / timed(lambda model=model: evaluate(model, few, timed=0, lists=False))[1])
        whole = theirs.over(other, train)
        found["evaluate_theirs"].append(queries / timed(lambda whole=whole: theirs.evaluate(whole, few))[1])
    row = {name: round(median(values), 1) for name, values in found.items()}
    for what in ("train", "evaluate"):
        ratios = [a / b for a, b in zip(found[f"{what}_ours"], found[f"{what}_theirs"], strict=True)]
        row[f"{what}_ratio"] = round(median(ratios), 2)
    return row


def quality(theirs: Official, train: Sessions, test: Sessions, settings: dict[str, Any], epochs: int) -> dict[str, Any]:
    """Recall@20 and MRR@20 of both after the same number of epochs, in the same order of sessions."""
    found = evaluate(ours(train, settings, epochs), test, timed=0, lists=False)
    bounds = found.intervals()
    row: dict[str, Any] = {"epochs": epochs}
    for metric in ("recall", "mrr"):
        row |= {
            f"{metric}_ours": round(found.metrics()[metric], 5),
            f"{metric}_interval": [round(bounds[metric].low, 5), round(bounds[metric].high, 5)],
        }
    recall, mrr = theirs.evaluate(theirs.fit(train, settings, epochs), test)
    return row | {"recall_theirs": recall, "mrr_theirs": mrr}


def ours(train: Sessions, settings: dict[str, Any], epochs: int) -> Any:
    """GRU4Rec of song2vec, sessions in the order of the log as theirs takes them."""
    return make_model("gru4rec", {**settings, "epochs": epochs, "shuffle": False, "progress": False}).fit(train)


class Official:
    """The authors' code, repaired for today's NumPy: its initial weights must be float32."""

    def __init__(self, path: Path) -> None:
        sys.path.insert(0, str(path))
        import evaluation
        import gru4rec_pytorch

        gru4rec_pytorch.GRU4RecModel._init_numpy_weights = _init_float32
        self.room, self.evaluation = gru4rec_pytorch, evaluation

    def fit(self, train: Sessions, settings: dict[str, Any], epochs: int) -> Any:
        given = {THEIR_NAMES.get(name, name): value for name, value in settings.items() if name != "hidden"}
        model = self.room.GRU4Rec(layers=[settings["hidden"]], n_epochs=epochs, device=torch.device("cpu"), **given)
        with quiet():
            model.fit(frame(train), sample_cache_max_size=10_000_000)
        return model

    def over(self, model: Any, train: Sessions) -> Any:
        """A model of a slice, as if it knew all songs: only the speed of its evaluation is of interest."""
        songs = len(train.catalogue)
        network, hidden = model.model, model.layers[-1]
        with torch.no_grad():
            network.Wy = torch.nn.Embedding(songs, hidden, sparse=True)
            network.By = torch.nn.Embedding(songs, 1, sparse=True)
        model.data_iterator.itemidmap = pd.Series(np.arange(songs, dtype="int32"), index=np.arange(songs), name="ItemIdx")
        return model

    def evaluate(self, model: Any, test: Sessions) -> tuple[float, float]:
        """Recall@20 and MRR@20 by conservative ranks."""
        with quiet():
            recall, mrr = self.evaluation.batch_eval(model, frame(test), cutoff=[K], batch_size=min(512, len(test)), mode="conservative")
        return round(float(recall[K]), 5), round(float(mrr[K]), 5)


def frame(sessions: Sessions) -> pd.DataFrame:
    """Sessions as their code takes them; the position stands for the time."""
    session, songs = np.repeat(np.arange(len(sessions)), sessions.lengths), np.array(sessions.songs, np.int64)
    return pd.DataFrame({"SessionId": session, "ItemId": songs, "Time": np.arange(sessions.plays, dtype=float)})


def _init_float32(model: Any, shape: tuple[int, ...]) -> Any:
    sigma = np.sqrt(6.0 / (shape[0] + shape[1]))
    return (np.random.rand(*shape) * 2 * sigma - sigma).astype("float32")


@contextmanager
def quiet() -> Iterator[None]:
    with redirect_stdout(StringIO()):
        yield


if __name__ == "__main__":
    main()
