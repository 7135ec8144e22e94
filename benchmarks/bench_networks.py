"""Do feed-forward networks predict the next song? The candidate network and autoencoders beside simple models and GRU4Rec.

All songs ranked, ties against us, 95 % intervals by the same resamples of sessions. Simple models have the settings of
``tuned/SET.json``, GRU4Rec its defaults, the others what few trials found on sessions held out of the training part. Those, a
tenth of it, also say after which epoch every network stops, and are not given back. Everything runs in one thread;
``peak_mib`` is the most the process held until then.

    python benchmarks/bench_networks.py                     # the table, and steps over 100,000 generated songs; about 10 minutes
    python benchmarks/bench_networks.py --models youtube    # some of the models
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import torch
from bench_baselines import HELD_OUT, SETS, TUNED
from common import peak_memory_mib, save_result, timed

from song2vec.evaluation import compare
from song2vec.models import NextSongModel, make_model
from song2vec.sessions import Sessions

K = 20
SIMPLE = ("popularity", "item-knn", "vsknn")
ONE_THREAD: dict[str, Any] = {"workers": 1, "progress": False, "patience": 2}
SAMPLED: dict[str, Any] = {"n_negatives": 2048, "learning_rate": 0.03, "epochs": 15}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {  # label -> name and settings other than the defaults
    "gru4rec": ("gru4rec", {"epochs": 8}),
    "youtube": ("youtube", {"epochs": 8}),
    "autoencoder plain": ("autoencoder", {**SAMPLED, "variant": "plain"}),
    "autoencoder denoising": ("autoencoder", SAMPLED),
    "autoencoder variational": ("autoencoder", {**SAMPLED, "variant": "variational"}),
}
SONGS, BAGS = 100_000, 12_800  # of the steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="yes_big", choices=list(SETS))
    parser.add_argument("--models", nargs="+", default=[*SIMPLE, *NETWORKS], choices=[*SIMPLE, *NETWORKS])
    options = parser.parse_args()
    torch.set_num_threads(1)
    steps = [sampled_steps(sample) for sample in (4096, 0)]
    print(*steps, sep="\n", flush=True)
    save_result("bench_networks", table(options.set, options.models), k=K, settings=NETWORKS, steps=steps, torch=torch.__version__)


def table(name: str, models: list[str]) -> list[dict[str, Any]]:
    """Every model on the test part; the networks trained until sessions held out of the training part are found no better."""
    train, test = SETS[name]()
    print(f"{name}\ntrain {train}\ntest {test}", flush=True)
    fitted: dict[str, NextSongModel] = {}
    facts: dict[str, dict[str, Any]] = {}
    for label in models:
        model, facts[label] = network(label, name, train) if label in NETWORKS else simple(label, name, train)
        fitted[label] = model
        print(f"{label}: {facts[label]}", flush=True)
    comparison = compare(fitted, test, k=K, baseline="vsknn" if "vsknn" in fitted else None)
    print(comparison, flush=True)
    return [{"set": name, **row, **facts[row["model"]]} for row in comparison.table.to_dicts()]


def simple(label: str, name: str, train: Sessions) -> tuple[NextSongModel, dict[str, Any]]:
    """A simple model with its tuned settings."""
    tuned = json.loads((TUNED / f"{name}.json").read_text())
    model, seconds = timed(lambda: make_model(label, tuned.get(label, {}).get("settings", {})).fit(train))
    return model, {"fit_seconds": round(seconds, 1), "peak_mib": round(peak_memory_mib())}


def network(label: str, name: str, train: Sessions) -> tuple[NextSongModel, dict[str, Any]]:
    """A network after as many epochs as did best on held-out sessions, trained on the others; those are not given back to it."""
    kind, settings = NETWORKS[label]
    part, held_out = HELD_OUT[name](train)
    model, seconds = timed(lambda: make_model(kind, {**ONE_THREAD, **settings}).fit(part, validation=held_out))
    found = [round(epoch.scores["recall@20"], 4) for epoch in model.history_]
    return model, {"fit_seconds": round(seconds, 1), "validation_recall": found, "peak_mib": round(peak_memory_mib())}


def sampled_steps(sample: int) -> dict[str, Any]:
    """An epoch of an autoencoder over 100,000 songs, ten a bag, with this many drawn a step; 0 scores all of them."""
    random = np.random.default_rng(0)
    bags = BAGS if sample else 640
    popular = (SONGS * random.random(10 * bags) ** 3).astype(np.int32)  # few songs are played often
    catalogue = Sessions.from_lists([range(SONGS)]).catalogue
    listeners = Sessions.from_lists([[0]]).listeners
    sessions = Sessions(popular, np.arange(0, 10 * bags + 1, 10), np.zeros(bags, np.int32), catalogue, listeners)
    model = make_model("autoencoder", {"n_negatives": sample, "epochs": 2, "workers": 1, "progress": False}).fit(sessions)
    rate = model.history_[-1].events_per_second / 10 / model.batch_size  # the second epoch: nothing is compiled any more
    row = {"songs": SONGS, "drawn": sample, "batch_size": model.batch_size, "hidden": model.hidden}
    return row | {"steps_per_second": round(rate, 1), "model_mib": round(model.nbytes / 2**20), "peak_mib": round(peak_memory_mib())}


if __name__ == "__main__":
    main()
