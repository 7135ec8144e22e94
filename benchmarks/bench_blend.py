"""How are scores of different models best mixed, and what does a blend gain over its models? nowplaying, yoochoose 1/64.

Ways of making scores comparable, and weights, are tried on the last tenth of the training sessions; then the models are fitted
again to all of them, and each blend is asked the test sessions once, beside its models.

    python benchmarks/bench_blend.py                      # about an hour on one core
    python benchmarks/bench_blend.py --sets nowplaying --share 0.25    # of the test sessions; about 15 minutes
    python benchmarks/bench_blend.py --quick              # a look at the mechanics, nothing saved
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from bench_baselines import TUNED, given, last_tenth
from common import save_result

from song2vec.core.arrays import Array
from song2vec.evaluation import compare, tune_weight
from song2vec.evaluation.protocol import queries
from song2vec.models import Blend, NextSongModel, make_model
from song2vec.sessions import Sessions

K = 20
GROUPS = (("gru4rec", "vsknn"), ("gru4rec", "vstan"), ("gru4rec", "sr"), ("vstan", "sr"), ("gru4rec", "vstan", "sr"))
LEADING = {"net": "gru4rec", "blend": "gru4rec + sr", "three": "gru4rec + vstan + sr"}  # of which the README speaks
WEIGHTS = np.linspace(0, 1, 11)
Models = dict[str, NextSongModel]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["nowplaying", "yoochoose1_64"], choices=["nowplaying", "yoochoose1_64"])
    parser.add_argument("--queries", type=int, default=3000, help="of the validation sessions")
    parser.add_argument("--share", type=float, default=1.0, help="of the test sessions")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.queries, options.share = 300, 0.02
    for name in options.sets:
        rows, facts = blended(name, options)
        if not options.quick:
            save_result(f"bench_blend_{name}", rows, k=K, **facts)


def blended(name: str, options: argparse.Namespace) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The table of models and blends on one set, and what else there is to tell."""
    train, test = given(name)
    if options.quick:
        train = train.keep(np.arange(len(train) - 10_000, len(train)))
    part, held_out = last_tenth(train)
    models = fitted(name, part, options.quick)
    rows = ways_tried(models, held_out, options.queries)
    for row in rows:
        found = f"weight {row['weight']:.1f}  recall@20 {row['recall']:.4f}  MRR@20 {row['mrr']:.4f}"
        print(f"{row['group']:>22}  {row['way']:>16}  {found}", flush=True)
    weights = {group: weight(models, group, held_out, options.queries) for group in GROUPS}
    models = fitted(name, train, options.quick)
    blends = {" + ".join(group): Blend.of([models[model] for model in group], weight=found) for group, found in weights.items()}
    asked = test.keep(np.random.default_rng(0).random(len(test)) < options.share)
    comparison = compare(models | blends, asked, k=K, baseline="gru4rec", timed=0)
    print(comparison)
    table = comparison.table.to_dicts()
    by = {row["model"]: row for row in table}
    lead = {f"{label}_{of}": 100 * by[model][of] for label, model in LEADING.items() for of in ("recall", "mrr")}
    told = {"share_of_test": options.share, "weights": {" + ".join(group): found for group, found in weights.items()}}
    return table, lead | told | {"ways_on_validation": rows, "less_gru4rec": comparison.differences.to_dicts()}


def fitted(name: str, sessions: Sessions, quick: bool) -> Models:
    """The models that are blended, with the settings that tuning found."""
    tuned = json.loads((TUNED / f"{name}.json").read_text())
    settings: dict[str, dict[str, Any]] = {model: tuned[model]["settings"] for model in ("vsknn", "vstan", "sr", "gru4rec")}
    if quick:
        settings["gru4rec"] |= {"epochs": 1}
    return {model: make_model(model, asked).fit(sessions) for model, asked in settings.items()}


def weight(models: Models, group: tuple[str, ...], held_out: Sessions, most: int) -> float:
    """The weight that tuning finds."""
    blend = tune_weight(Blend.of([models[name] for name in group]), held_out, k=K, max_queries=most).model
    found: float = blend.settings["weight"]
    return found


def ways_tried(models: Models, held_out: Sessions, most: int) -> list[dict[str, Any]]:
    """Recall and MRR of each group of models in each way, at the weight that is best by recall."""
    asked = queries(held_out, [models["sr"].catalogue_], most, seed=0)
    ranks: dict[tuple[Any, str], list[Array]] = {(group, way): [] for group in GROUPS for way in WAYS}
    for begin in range(0, len(asked), 60):
        plays, targets = asked.plays[begin : begin + 60], asked.targets[begin : begin + 60]
        scores = {name: model.score(asked.sessions, plays) for name, model in models.items()}
        for way, scaled in WAYS.items():
            some = {name: scaled(name, found) for name, found in scores.items()}
            for group in GROUPS:
                rest = sum(some[name] for name in group[1:]) / np.float32(len(group) - 1)
                ranks[group, way].append(np.stack([rank(w * some[group[0]] + (1 - w) * rest, targets) for w in WEIGHTS]))
    return [best(group, way, np.concatenate(found, axis=1)) for (group, way), found in ranks.items()]


def best(group: tuple[str, ...], way: str, ranks: Array) -> dict[str, Any]:
    """What (weights, queries) ranks come to at the best weight."""
    recall, mrr = (ranks <= K).mean(axis=1), np.where(ranks <= K, 1 / ranks, 0).mean(axis=1)
    place = int(np.argmax(recall))
    return {
        "group": " + ".join(group),
        "way": way,
        "weight": WEIGHTS[place],
        "recall": round(recall[place], 4),
        "mrr": round(mrr[place], 4),
    }


def rank(scores: Array, targets: Array) -> Array:
    """(n,) how many songs score as high as the target or higher."""
    found: Array = (scores >= scores[np.arange(len(targets)), targets][:, None]).sum(axis=1)
    return found


def standardised(name: str, scores: Array) -> Array:
    """Mean 0, deviation 1."""
    from_mean = scores - scores.mean(axis=1, keepdims=True)
    spread: Array = from_mean / np.maximum(scores.std(axis=1, keepdims=True), 1e-12)
    return spread


def between_0_and_1(name: str, scores: Array) -> Array:
    """What Blend does."""
    from_low = scores - scores.min(axis=1, keepdims=True)
    scaled: Array = from_low / np.maximum(from_low.max(axis=1, keepdims=True), 1e-12)
    return scaled


def probabilities(name: str, scores: Array) -> Array:
    """The softmax where scores are logits; elsewhere their share of all scores."""
    if name == "gru4rec":
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    share: Array = scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-12)
    return share


def reciprocal_ranks(name: str, scores: Array) -> Array:
    """1 / (20 + place)."""
    places = np.empty(scores.shape, np.int64)
    np.put_along_axis(places, np.argsort(-scores, axis=1, kind="stable"), np.arange(scores.shape[1])[None], axis=1)
    found: Array = 1 / (20.0 + places)
    return found


WAYS: dict[str, Callable[[str, Array], Array]] = {
    "min-max": between_0_and_1,
    "standardised": standardised,
    "probabilities": probabilities,
    "reciprocal ranks": reciprocal_ranks,
}


if __name__ == "__main__":
    main()
