"""What are playlists like? yes.com radio, 80/20 by playlist: each held-out playlist goes on from its first five songs.

Asked of every way of making them, and of the real continuations: how often is a pick among the songs that the station did
play next (R-precision: of as many picks as songs followed, the share that did follow); how near are neighbours (cosine by
our vectors, which flatters ways that use them, and the share with a Last.fm tag in common, which does not); how many artists
are there, and how popular are the songs (the share of the catalogue that is played less).

    python benchmarks/bench_playlists.py                      # about half an hour
    python benchmarks/bench_playlists.py --playlists 50       # a look
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from bench_baselines import TUNED
from common import DATA, real_sessions, save_result

from song2vec.core.arrays import Array
from song2vec.models import make_model
from song2vec.playlists import playlist
from song2vec.playlists.scoring import Space
from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_at_random
from song2vec.vectors import SongVectors, Word2Vec

SEED, LEAST, MOST = 5, 10, 20  # songs of a seed; fewest and most songs of a continuation
MEASURES = ("r_precision", "cosine", "same_tag", "artists", "popularity")
MODELS_ASKED = ("markov", "sr", "vstan", "gru4rec", "popularity")

Way = Callable[[list[int], int, int], list[int]]  # seed, length, number of the playlist -> picks, all as ids


@dataclass(frozen=True)
class Yardstick:
    """What playlists are measured by, over the rows of one catalogue."""

    train: Sessions
    space: Space
    tags: Array
    share_below: Array

    def measure(self, picks: list[int], real: list[int]) -> list[float]:
        """``MEASURES`` of one playlist."""
        rows = self.train.catalogue.rows(picks)
        a, b = rows[:-1], rows[1:]
        tagged = self.tags[a].any(axis=1) & self.tags[b].any(axis=1)
        common = (self.tags[a] & self.tags[b]).any(axis=1)
        return [
            len(set(picks) & set(real)) / len(real),
            float((self.space.unit[a] * self.space.unit[b]).sum(axis=1).mean()),
            float(common[tagged].mean()) if tagged.any() else np.nan,
            len(set(self.train.catalogue.artist_codes[rows])) / len(rows),  # type: ignore[index]  # yes.com names artists
            float(self.share_below[rows].mean()),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--playlists", type=int, default=500)
    parser.add_argument("--epochs", type=int, help="of the vectors; the default of Word2Vec by default")
    options = parser.parse_args()
    train, test = split_at_random(real_sessions("yes_big"), 0.2, seed=0)
    settings = {} if options.epochs is None else {"epochs": options.epochs}
    vectors = Word2Vec(seed=0, progress=False, **settings).fit(train).vectors_
    cases = list(continuations(test, vectors, options.playlists))
    print(f"train {train}\n{len(cases)} held-out playlists, continuations of {np.mean([len(real) for _, real in cases]):.1f} songs")
    yardstick = measured_by(train, vectors)
    rows = []
    for name, way in ways(train, vectors).items():
        rows.append({"way": name, **row_of(way, cases, yardstick)})
        told = "  ".join(f"{measure} {rows[-1][measure]:.3f}" for measure in MEASURES)
        print(f"{name:>34}  {told}  {rows[-1]['ms_a_song']:6.2f} ms a song", flush=True)
    real = [yardstick.measure(real, real) for _, real in cases]
    rows.append({"way": "the station itself", **summary(np.array(real)), "ms_a_song": None})
    save_result("bench_playlists", rows, train=repr(train), playlists=len(cases), seed_songs=SEED)


def continuations(test: Sessions, vectors: SongVectors, wanted: int) -> Iterator[tuple[list[int], list[int]]]:
    """Seeds and what followed them, each song once: playlists long enough whose seeds all have a vector."""
    order = np.random.default_rng(0).permutation(len(test))
    for session in order:
        songs: list[int] = list(dict.fromkeys(test[session]))  # type: ignore[arg-type]  # yes.com songs are integers
        seed, real = songs[:SEED], [song for song in songs[SEED : SEED + MOST] if song in vectors.catalogue]
        if len(real) >= LEAST and all(song in vectors.catalogue for song in seed):
            yield seed, real
            wanted -= 1
        if not wanted:
            return


def ways(train: Sessions, vectors: SongVectors) -> dict[str, Way]:
    """Every way of making playlists, by name."""
    tuned = json.loads((TUNED / "yes_big.json").read_text())
    settings = {name: tuned.get(name, {}).get("settings", {}) for name in MODELS_ASKED}
    scorers: dict[str, Any] = {name: make_model(name, settings[name]).fit(train) for name in MODELS_ASKED}
    scorers["vectors"] = vectors
    made: dict[str, Way] = {"random": partial(at_random, vectors)}
    for name, scorer in scorers.items():
        made[f"{name}, greedy"] = partial(ours, scorer, {})
    for name in ("markov", "gru4rec", "vectors"):
        for temperature in (0.25, 0.5, 1.0, 2.0):
            sampled = {"method": "sample", "temperature": temperature}
            made[f"{name}, temperature {temperature}"] = partial(ours, scorers[name], sampled)
        spaced = {"artist_gap": 3, "max_per_artist": 2}
        pulled = spaced | {"vectors": vectors, "diversity": 0.5}
        made[f"{name}, greedy, artists spaced"] = partial(ours, scorers[name], spaced)
        made[f"{name}, greedy, spaced and diverse"] = partial(ours, scorers[name], pulled)
        made[f"{name}, beam, spaced and diverse"] = partial(ours, scorers[name], pulled | {"method": "beam"})
        made[f"{name}, greedy, popularity 0.5"] = partial(ours, scorers[name], {"popularity": 0.5})
        made[f"{name}, greedy, popularity -0.5"] = partial(ours, scorers[name], {"popularity": -0.5})
    return made


def ours(scorer: Any, options: dict[str, Any], seed: list[int], length: int, number: int) -> list[int]:
    """A playlist of this library."""
    picks: list[int] = playlist(scorer, seed, length, seed=number, **options).songs  # type: ignore[assignment]
    return picks


def at_random(vectors: SongVectors, seed: list[int], length: int, number: int) -> list[int]:
    """Any songs."""
    return np.random.default_rng(number).choice(vectors.catalogue.ids.to_numpy(), length, replace=False).tolist()


def measured_by(train: Sessions, vectors: SongVectors) -> Yardstick:
    """The measures over the songs of the training sessions."""
    lines = (DATA / "yes_big" / "tags.txt").read_text().splitlines()
    tags = np.zeros((len(train.catalogue), 250), bool)
    for row, song in enumerate(train.catalogue.ids.to_list()):
        tags[row, [int(tag) for tag in lines[song].split() if tag != "#"]] = True
    plays = np.bincount(train.songs, minlength=len(train.catalogue))
    share_below = np.searchsorted(np.sort(plays), plays) / len(plays)
    return Yardstick(train, Space(vectors, train.catalogue), tags, share_below)


def row_of(way: Way, cases: list[tuple[list[int], list[int]]], yardstick: Yardstick) -> dict[str, Any]:
    """All playlists of one way, measured."""
    made, began = [], perf_counter()
    for number, (seed, real) in enumerate(cases):
        made.append(way(seed, len(real), number))
    seconds = perf_counter() - began
    measured = [yardstick.measure(picks, real) for picks, (_, real) in zip(made, cases, strict=True)]
    return {**summary(np.array(measured)), "ms_a_song": round(1000 * seconds / sum(map(len, made)), 3)}


def summary(measured: Array, draws: int = 1000) -> dict[str, Any]:
    """(playlists, measures) -> means, each with its 95 % bootstrap interval over the playlists."""
    random = np.random.default_rng(0)
    samples = random.integers(0, len(measured), (draws, len(measured)))
    found: dict[str, Any] = {}
    for place, measure in enumerate(MEASURES):
        values = measured[:, place]
        low, high = np.quantile(np.nanmean(values[samples], axis=1), [0.025, 0.975])
        found |= {measure: round(float(np.nanmean(values)), 4), f"{measure}_95": [round(float(low), 4), round(float(high), 4)]}
    return found


if __name__ == "__main__":
    main()
