"""Are songs that a network never saw in training found, once it is told their vectors or their artists? 30Music.

A twentieth of the songs played five times or more is taken out of the training sessions before GRU4Rec learns from them. Then
``add_songs`` gives it these songs, by word2vec vectors of the whole training sessions, or by their artists; the last sessions of all
listeners tell whether they are found. Beside it: rows by a least-squares map of vectors to rows; vectors dealt out anew among the
new songs, which tell nothing; and a network that was trained with all songs. All songs ranked, ties against us; 95 % intervals
from resamples of test sessions.

    python benchmarks/bench_new_songs.py          # about five minutes on one core
"""

from __future__ import annotations

from typing import Any

import numpy as np
from common import real_sessions, save_result

from song2vec.core.arrays import Array
from song2vec.evaluation import evaluate, metrics
from song2vec.evaluation.results import Ratio, interval, resampled
from song2vec.models import GRU4Rec
from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_last_session
from song2vec.vectors import SongVectors, Word2Vec

K, SHARE, PLAYED = 20, 0.05, 5
SETTINGS: dict[str, Any] = {"hidden": 100, "epochs": 10, "workers": 1, "progress": False}


def main() -> None:
    train, test = split_last_session(real_sessions("30music_200ks"))
    vectors = Word2Vec(workers=1, progress=False).fit(train).vectors_
    random, plays = np.random.default_rng(0), np.bincount(train.songs, minlength=len(train.catalogue))
    new = (plays >= PLAYED) & (random.random(len(plays)) < SHARE)
    model = GRU4Rec(**SETTINGS).fit(without(train, new))
    models = {
        "trained with them": GRU4Rec(**SETTINGS).fit(train),
        "by vectors": model.add_songs(vectors),
        "by artists": model.add_songs(train.catalogue.subset(with_known_artist(train, new))),
        "by least squares": mapped(model, model.add_songs(vectors), vectors),
        "by vectors of others": model.add_songs(dealt_anew(vectors, train.catalogue.songs(np.flatnonzero(new)), random)),
    }
    ids = set(train.catalogue.songs(np.flatnonzero(new)))
    rows = [row(name, grown, test, ids) for name, grown in models.items()]
    for one in rows:
        print("  ".join(f"{name} {value}" for name, value in one.items()), flush=True)
    save_result("bench_new_songs", rows, k=K, settings=SETTINGS, new_songs=int(new.sum()), songs=len(new))


def without(sessions: Sessions, gone: Array) -> Sessions:
    """The sessions, and their catalogue, without some songs."""
    kept = ~gone[sessions.songs]
    row_of = (np.cumsum(~gone) - 1).astype(np.int32)
    less = sessions.keep(plays=kept).over(sessions.catalogue.subset(np.flatnonzero(~gone)), row_of)
    return less.keep(less.lengths > 0)


def with_known_artist(sessions: Sessions, new: Array) -> Array:
    """Rows of the new songs by whose artist another song is played."""
    artist = sessions.catalogue.artist_codes
    played = np.bincount(sessions.songs, minlength=len(new)) > 0
    known: Array = np.flatnonzero(new & np.isin(artist, artist[~new & played]))
    return known


def dealt_anew(vectors: SongVectors, songs: list[Any], random: np.random.Generator) -> SongVectors:
    """The vectors of these songs given to others of them."""
    matrix, rows = vectors.matrix.copy(), vectors.catalogue.rows(songs, "skip")
    matrix[rows] = matrix[random.permutation(rows)]
    return SongVectors(matrix, vectors.catalogue)


def mapped(model: Any, larger: Any, vectors: SongVectors) -> Any:
    """The larger model with rows for its new songs by ridge regression, each known song counted as often as it is played."""
    known, arrays = model.catalogue_, larger.network_.arrays()
    unit, table = vectors.unit_of(larger.catalogue_).astype(float), arrays["output"][: len(known)].astype(float)
    weight = (known.plays / known.plays.sum())[:, None]
    middle, mean = (weight * unit[: len(known)]).sum(axis=0), (weight * table).sum(axis=0)
    given = unit - middle
    gram = given[: len(known)].T @ (weight * given[: len(known)])
    gram[np.diag_indices_from(gram)] += 0.01 * np.trace(gram) / len(gram)
    matrix = np.linalg.solve(gram, given[: len(known)].T @ (weight * (table - mean)))
    arrays["output"][len(known) :] = given[len(known) :] @ matrix + mean
    larger.network_.load(arrays)
    return larger


def row(name: str, model: Any, test: Sessions, new: set[Any]) -> dict[str, Any]:
    """Recall and MRR where a new song is the right one, and where another is."""
    answers = evaluate(model, test, k=K, timed=0)
    is_new = np.array([song in new for song in answers.catalogue.songs(answers.targets)], float)
    found: dict[str, Any] = {"songs": name, "new": int(is_new.sum())}
    for what, mask in (("new", is_new), ("others", 1 - is_new)):
        for title, metric in (("recall", metrics.hit), ("mrr", metrics.reciprocal_rank)):
            ratio = Ratio(metric(answers.ranks, K) * mask, mask)
            bounds = interval(resampled(answers.session, [ratio])[:, 0])
            found |= {f"{title}_{what}": round(ratio.value, 4), f"{title}_{what}_low": round(bounds.low, 4)}
            found[f"{title}_{what}_high"] = round(bounds.high, 4)
    return found


if __name__ == "__main__":
    main()
