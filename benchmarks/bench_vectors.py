"""Do our defaults give better song vectors than gensim's own? yes.com radio playlists, 80/20 by playlist, in one run.

Two questions, asked of both in turn over several seeds: how often is the next song among the ten nearest neighbours of
the song before (all songs ranked, ties against us, songs without a vector are misses), and how many of the ten nearest
neighbours share a Last.fm tag with the song, beside what chance would give.

    python benchmarks/bench_vectors.py                      # about 10 minutes
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from common import DATA, real_sessions, save_result, timed
from gensim.models import Word2Vec as GensimWord2Vec

from song2vec.core.arrays import Array
from song2vec.search import ExactIndex
from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_at_random
from song2vec.vectors import SongVectors, Word2Vec
from song2vec.vectors.measures import next_song_ranks

K = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one seed; nothing is saved")
    options = parser.parse_args()
    train, test = split_at_random(real_sessions("yes_big"), 0.2, seed=0)
    print(f"train {train}\ntest {test}")
    tags = _tags(train)
    ways: dict[str, Callable[[Sessions, int], SongVectors]] = {"gensim's defaults": with_gensim, "song2vec": with_song2vec}
    rows: list[dict[str, Any]] = []
    hits: dict[str, list[Array]] = {way: [] for way in ways}
    for seed in range(1 if options.quick else options.seeds):
        for way, learn in ways.items():
            vectors, seconds = timed(lambda learn=learn, seed=seed: learn(train, seed))
            hits[way].append(next_song_ranks(vectors, test) <= K)
            rows.append(
                {
                    "way": way,
                    "seed": seed,
                    "recall_at_10": round(float(hits[way][-1].mean()), 4),
                    "same_tag_at_10": round(same_tag_share(vectors, train, tags), 4),
                    "songs_with_vector": len(vectors),
                    "seconds": round(seconds, 1),
                }
            )
            line = "{way:>18}  seed {seed}  recall@10 {recall_at_10:.4f}  same tag {same_tag_at_10:.3f}  {seconds:5.1f} s"
            print(line.format(**rows[-1]), flush=True)
    ours, theirs = (np.mean(hits[way], axis=0) for way in ("song2vec", "gensim's defaults"))
    ratio, low, high = _ratio(ours, theirs)
    chance = chance_of_same_tag(tags)
    print(f"recall@10: song2vec {ours.mean():.4f}, gensim's defaults {theirs.mean():.4f}")
    print(f"ratio {ratio:.2f}, 95 % interval {low:.2f} to {high:.2f}")
    print(f"same tag by chance: {chance:.3f}")
    means = {"recall_at_10": round(float(ours.mean()), 4), "recall_at_10_gensim": round(float(theirs.mean()), 4)}
    means |= {"same_tag": _mean_of(rows, "song2vec"), "same_tag_gensim": _mean_of(rows, "gensim's defaults")}
    facts = means | {"ratio": round(ratio, 3), "interval_95": [round(low, 3), round(high, 3)], "same_tag_by_chance": round(chance, 4)}
    if not options.quick:
        save_result("bench_vectors", rows, train=repr(train), test=repr(test), queries=len(ours), **facts)


def with_gensim(train: Sessions, seed: int) -> SongVectors:
    """gensim as it comes: nothing but the sentences."""
    sentences = [[str(song) for song in session] for session in train]
    model = GensimWord2Vec(sentences, seed=seed + 1)
    return SongVectors(model.wv.vectors, [int(key) for key in model.wv.index_to_key])


def with_song2vec(train: Sessions, seed: int) -> SongVectors:
    """song2vec as it comes."""
    return Word2Vec(seed=seed, progress=False).fit(train).vectors_


def same_tag_share(vectors: SongVectors, train: Sessions, tags: Array) -> float:
    """The share of tagged neighbours among the ten nearest that have a tag in common with the song, over tagged songs."""
    rows = train.catalogue.rows(vectors.catalogue.ids.to_list())
    tagged = np.flatnonzero(tags[rows].any(axis=1))
    near = ExactIndex().fit(vectors).similar_batch(vectors.catalogue.songs(tagged), K).rows
    common = (tags[rows[tagged]][:, None, :] & tags[rows[near]]).any(axis=2)
    return float(common[tags[rows[near]].any(axis=2)].mean())


def chance_of_same_tag(tags: Array, pairs: int = 200_000) -> float:
    """How often two tagged songs drawn at random have a tag in common."""
    random = np.random.default_rng(0)
    tagged = np.flatnonzero(tags.any(axis=1))
    a, b = random.choice(tagged, (2, pairs))
    return float((tags[a] & tags[b]).any(axis=1)[a != b].mean())


def _mean_of(rows: list[dict[str, Any]], way: str) -> float:
    return round(float(np.mean([row["same_tag_at_10"] for row in rows if row["way"] == way])), 4)


def _tags(train: Sessions) -> Array:
    """(songs, tags) bool over the catalogue of the sessions: line i of tags.txt holds the tags of song id i."""
    lines = (DATA / "yes_big" / "tags.txt").read_text().splitlines()
    table = np.zeros((len(train.catalogue), 250), bool)
    for row, song in enumerate(train.catalogue.ids.to_list()):
        table[row, [int(tag) for tag in lines[song].split() if tag != "#"]] = True
    return table


def _ratio(ours: Array, theirs: Array, draws: int = 2000) -> tuple[float, float, float]:
    """Ratio of the mean recall with its 95 % paired-bootstrap interval over the queries."""
    random = np.random.default_rng(0)
    samples = [random.integers(0, len(ours), len(ours)) for _ in range(draws)]
    ratios = [ours[sample].mean() / theirs[sample].mean() for sample in samples]
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(ours.mean() / theirs.mean()), float(low), float(high)


if __name__ == "__main__":
    main()
