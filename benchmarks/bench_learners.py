"""Which learner for which question? Word2vec, product2vec, metaprod2vec and doc2vec on real playlists.

next: what comes next? Every learner as a next-song model, by the protocol and the settings of ``bench_baselines.py``
    (found by ``bench_baselines.py --tune 1 --models nearest 'nearest product2vec' 'nearest metaprod2vec' 'nearest doc2vec'``).
halves: which half belongs to this one? Held-out playlists of ten songs or more are cut at random into two halves that share no
    song; by the vector of one half, the other halves of all are ranked. What is learned, is learned from the training part.
cold: which of the songs that nobody has heard? A tenth of the songs is taken out of training; wherever a held-out playlist
    plays one, all of that tenth are ranked by their cosine with the mean of what was played before.

    python benchmarks/bench_learners.py                     # about 15 minutes on one core
    python benchmarks/bench_learners.py --parts halves      # one question; the others stay as they were measured
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from bench_baselines import HELD_OUT, RESULTS, SETS, TUNED, K
from common import save_result

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.evaluation import compare
from song2vec.evaluation.metrics import hit
from song2vec.evaluation.results import Ratio, interval, resampled
from song2vec.models import NextSongModel, make_model
from song2vec.sessions import Sessions
from song2vec.vectors import SIF, Doc2Vec, MetaProd2Vec, Product2Vec, SongVectors, Word2Vec
from song2vec.vectors.song_vectors import unit_rows

PARTS = ("next", "halves", "cold")
MODELS = ("nearest", "nearest product2vec", "nearest metaprod2vec", "nearest doc2vec")
LEAST = 10  # songs of a playlist that is cut in halves
HIDDEN = 0.1  # the share of songs that training never sees
SETTINGS: dict[str, Any] = {"workers": 1, "progress": False}
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--sets", nargs="+", default=["yes_big"], choices=list(SETS), help="of the next song")
    options = parser.parse_args()
    file = RESULTS / "bench_learners.json"
    before: list[Row] = json.loads(file.read_text())["rows"] if file.exists() else []
    now = [*map("next {}".format, options.sets)] if "next" in options.parts else []
    now += [part for part in options.parts if part != "next"]
    rows = [row for row in before if row["question"] not in now]
    for question in now:
        print(f"\n{question}", flush=True)
        train, test = SETS[question.removeprefix("next ") if question.startswith("next") else "yes_big"]()
        found = halves(train, test) if question == "halves" else cold(train, test) if question == "cold" else coming(question, train, test)
        for row in found:
            print("  ".join(f"{name} {value:.4f}" if isinstance(value, float) else f"{value}" for name, value in row.items()))
        rows += [{"question": question, **row} for row in found]
        save_result("bench_learners", rows, k=K)


def coming(question: str, train: Sessions, test: Sessions) -> list[Row]:
    """Recall@20 and MRR@20 of every learner that was tuned on this set, and how far that is from word2vec's."""
    settings = json.loads((TUNED / f"{question.removeprefix('next ')}.json").read_text())
    fitted = {name: in_one_thread(settings[name]["settings"]).fit(train) for name in MODELS if name in settings}
    comparison = compare(fitted, test, k=K, baseline="nearest")
    less = {row["model"]: row for row in comparison.differences.to_dicts()}
    rows: list[Row] = []
    for row in comparison.table.to_dicts():
        shown: Row = {"model": row["model"], "fit_seconds": round(row["fit_seconds"], 1)}
        for metric, end in product(("recall", "mrr"), ("", "_low", "_high")):
            shown[f"{metric}{end}"] = round(row[f"{metric}{end}"], 4)
            if row["model"] in less:
                shown[f"{metric}_less_first{end}"] = round(less[row["model"]][f"{metric}{end}"], 4)
        rows.append(shown)
    return rows


def in_one_thread(settings: Mapping[str, Any]) -> NextSongModel:
    """Nearest with these settings, its learner giving the same bytes every time."""
    return make_model("nearest", dict(settings)).replaced({f"learner.{name}": value for name, value in SETTINGS.items()})


def halves(train: Sessions, test: Sessions) -> list[Row]:
    """MRR and hits of the other half, of every way to make a vector of half a playlist."""
    a, components = best_sif(*HELD_OUT["yes_big"](train))
    print(f"SIF on held-out training playlists: a={a} components={components}")
    pair = cut_in_halves(test)
    word2vec, product2vec = (kind(**SETTINGS).fit(train).vectors_ for kind in (Word2Vec, Product2Vec))
    dbow, dm = (Doc2Vec(algorithm=algorithm, **SETTINGS).fit(train) for algorithm in ("dbow", "dm"))
    means = {"word2vec": word2vec, "product2vec": product2vec, "doc2vec": dbow.vectors_}
    ways = {
        f"mean of {name}": [SIF(a=None, components=0).fit(train, vectors).vectors_of(half) for half in pair]
        for name, vectors in means.items()
    }
    ways |= {
        f"SIF of {name}": [SIF(a=a, components=components).fit(train, means[name]).vectors_of(half) for half in pair] for name in means
    }
    ways |= {f"doc2vec inferred, {model.algorithm}": [model.infer_sessions(half) for half in pair] for model in (dbow, dm)}
    ways["chance"] = list(np.random.default_rng(0).standard_normal((2, len(pair[0]), 64), np.float32))
    return figures({way: ranks_of_own(*vectors) for way, vectors in ways.items()}, np.arange(len(pair[0])))


def best_sif(part: Sessions, held_out: Sessions) -> tuple[float, int]:
    """The settings of SIF that find most other halves of playlists held out of training."""
    vectors, pair = Word2Vec(**SETTINGS).fit(part).vectors_, cut_in_halves(held_out)
    score = {}
    for a, components in product((1e-1, 1e-2, 1e-3, 1e-4), (0, 1)):
        sif = SIF(a=a, components=components).fit(part, vectors)
        score[a, components] = (1 / ranks_of_own(*(sif.vectors_of(half) for half in pair))).mean()
    return max(score, key=lambda each: score[each])


def cut_in_halves(sessions: Sessions) -> tuple[Sessions, Sessions]:
    """The songs of each playlist of ``LEAST`` or more dealt at random into two halves that share none."""
    random = np.random.default_rng(0)
    dealt = [random.permutation(songs) for songs in map(np.unique, np.split(sessions.songs, sessions.offsets[1:-1])) if len(songs) >= LEAST]
    return of_rows(sessions, [songs[::2] for songs in dealt]), of_rows(sessions, [songs[1::2] for songs in dealt])


def of_rows(like: Sessions, lists: list[Array]) -> Sessions:
    """Sessions of these rows over the same catalogue."""
    offsets = np.concatenate([[0], np.cumsum([len(songs) for songs in lists])])
    nobody = np.zeros(len(lists), np.int32)
    return replace(like, songs=np.concatenate(lists), offsets=offsets, listener=nobody, start=None, dwell=None, report=None)


def ranks_of_own(one: Array, other: Array) -> Array:
    """The rank of each half's own other half among all of them by cosine; ties count against it."""
    cosines = unit_rows(one) @ unit_rows(other).T
    return (cosines >= cosines.diagonal()[:, None]).sum(axis=1)


def cold(train: Sessions, test: Sessions) -> list[Row]:
    """MRR and hits of songs that training never heard, among all such songs."""
    random, catalogue = np.random.default_rng(0), train.catalogue
    hidden = np.zeros(len(catalogue), bool)
    hidden[random.choice(len(catalogue), round(HIDDEN * len(catalogue)), replace=False)] = True
    heard = of_rows(train, [songs[~hidden[songs]] for songs in np.split(train.songs, train.offsets[1:-1])])
    artist = catalogue.artist_codes
    plays = np.bincount(artist[heard.songs], minlength=artist.max() + 1)
    hidden &= plays[artist] > 0  # of other artists no one can tell anything
    meta, word2vec = MetaProd2Vec(**SETTINGS).fit(heard), Word2Vec(**SETTINGS).fit(heard).vectors_
    means = artist_means(word2vec, catalogue)
    histories, targets, session = queries(test, hidden)
    among = np.flatnonzero(hidden)
    scores = {"metaprod2vec, the artist's vector": cosines(meta.vectors_for(catalogue), catalogue, histories, among)}
    scores["word2vec, the mean of the artist's songs"] = cosines(means, catalogue, histories, among)
    scores["the artist's popularity"] = np.tile(plays[artist[among]].astype(np.float32), (len(targets), 1))
    scores["chance"] = random.random((len(targets), len(among)), np.float32)
    place = np.searchsorted(among, targets)
    ranks = {name: (each >= each[np.arange(len(place)), place][:, None]).sum(axis=1) for name, each in scores.items()}
    print(f"{len(targets):,} queries, {len(among):,} songs never heard")
    return figures(ranks, session)


def artist_means(vectors: SongVectors, catalogue: Catalogue) -> SongVectors:
    """Every song that has no vector gets the mean of the unit vectors of its artist's songs; what word2vec can do unaided."""
    unit, artist = vectors.unit_of(catalogue), catalogue.artist_codes
    sums = np.zeros((artist.max() + 1, vectors.size), np.float32)
    np.add.at(sums, artist, unit)
    known = catalogue.rows_in(vectors.catalogue) >= 0
    return SongVectors(np.where(known[:, None], unit, unit_rows(sums)[artist]), catalogue)


def queries(test: Sessions, hidden: Array) -> tuple[list[Array], Array, Array]:
    """Every play of a hidden song that follows one that is not: the songs before it that are not, the song, its session."""
    found = []
    for session, songs in enumerate(np.split(test.songs, test.offsets[1:-1])):
        before = [(songs[:play][~hidden[songs[:play]]], songs[play], session) for play in np.flatnonzero(hidden[songs])]
        found += [query for query in before if len(query[0])]
    histories, targets, sessions = zip(*found, strict=True)
    return list(histories), np.array(targets), np.array(sessions)


def cosines(vectors: SongVectors, catalogue: Catalogue, histories: list[Array], among: Array) -> Array:
    """(queries, songs) cosines of songs with the mean of each history."""
    unit = vectors.unit_of(catalogue)
    return unit_rows(np.stack([unit[history].mean(axis=0) for history in histories])) @ unit[among].T


def figures(ranks: Mapping[str, Array], session: Array) -> list[Row]:
    """MRR and hit@10 with 95 % intervals, and those of the difference to the first, by the same resamples of playlists."""
    first, *_ = ranks
    rows: list[Row] = []
    for way, own in ranks.items():
        row: Row = {"way": way, "queries": len(own)}
        for name, metric in (("mrr", lambda found: 1 / found), ("hit_at_10", lambda found: hit(found, 10))):
            parts = [Ratio.mean(metric(each)) for each in (own, ranks[first])]
            drawn = resampled(session, parts)
            row |= bounded(name, parts[0].value, drawn[:, 0])
            if way != first:
                row |= bounded(f"{name}_less_first", parts[0].value - parts[1].value, drawn[:, 0] - drawn[:, 1])
        rows.append(row)
    return rows


def bounded(name: str, value: float, drawn: Array) -> Row:
    """A figure and its interval."""
    ends = interval(drawn)
    return {name: round(value, 4), f"{name}_low": round(ends.low, 4), f"{name}_high": round(ends.high, 4)}


if __name__ == "__main__":
    main()
