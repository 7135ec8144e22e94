"""One training in a process of its own: ``python trainers.py JOB`` prints what it came to as JSON. Started by bench_training.py."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
from gensim.models import FastText
from gensim.models import Word2Vec as GensimWord2Vec
from planted import cluster_share

from song2vec.sessions import Sessions
from song2vec.vectors import SongVectors, Word2Vec, Word2VecEnsemble
from song2vec.vectors.measures import next_song_ranks
from song2vec.vectors.training.by_gensim import write_corpus_file

TRAINERS = ("song2vec", "gensim list", "gensim iterable", "gensim corpus_file", "fastText")


class Memory:
    """The most memory of its own that this process has held since the start of the watch, in MiB; files mapped do not count."""

    def __enter__(self) -> Memory:
        self.before, self.most, self._done = _anonymous_mib(), 0.0, False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done = True
        self._thread.join()

    def _watch(self) -> None:
        while not self._done:
            self.most = max(self.most, _anonymous_mib())
            sleep(0.02)


def main() -> None:
    job = json.loads(sys.argv[1])
    train = Sessions.load(job["train"])
    settings = job["settings"]
    if job["trainer"] == "song2vec":
        Word2Vec(**settings | {"epochs": 1}, progress=False).fit(train.keep(np.arange(50)))  # compiled once and for all
    if job["trainer"] == "song2vec ensemble":
        Word2VecEnsemble(**settings | {"epochs": 1}, progress=False).fit(train.keep(np.arange(50)))
    learn = {"song2vec": _song2vec, "song2vec ensemble": _ensemble}.get(job["trainer"], _gensim)(job["trainer"], train, settings)
    with Memory() as memory:
        began = perf_counter()
        vectors = learn()
        seconds = perf_counter() - began
    row = {"seconds": seconds, "peak_mib": memory.most, "mib_before": memory.before}
    ranks = next_song_ranks(vectors, Sessions.load(job["test"]), max_queries=job["queries"])
    row["hits"] = "".join("01"[int(rank <= 10)] for rank in ranks)
    if job["clusters"]:
        row["cluster_share"] = cluster_share(vectors, job["clusters"], job["songs"])
    print(json.dumps(row))


def _song2vec(name: str, train: Sessions, settings: dict[str, Any]) -> Callable[[], SongVectors]:
    return lambda: Word2Vec(**settings, progress=False).fit(train).vectors_


def _ensemble(name: str, train: Sessions, settings: dict[str, Any]) -> Callable[[], SongVectors]:
    return lambda: Word2VecEnsemble(**settings, progress=False).fit(train).vectors_


def _gensim(name: str, train: Sessions, settings: dict[str, Any]) -> Callable[[], SongVectors]:
    """Sentences are made before the clock starts, which favours gensim."""
    hierarchical = settings["loss"] == "hierarchical-softmax"
    options = {
        "vector_size": settings["size"],
        "window": settings["window"],
        "shrink_windows": settings["dynamic_window"],
        "sg": int(settings["algorithm"] == "skip-gram"),
        "hs": int(hierarchical),
        "negative": 0 if hierarchical else settings["n_negatives"],
        "epochs": settings["epochs"],
        "alpha": settings["learning_rate"],
        "min_alpha": 1e-4,
        "sample": settings["subsample"],
        "min_count": 1,
        "workers": settings["workers"],
        "seed": settings["seed"] + 1,
    }
    if name == "gensim corpus_file":
        path = Path(tempfile.mkdtemp()) / "sessions.txt"
        write_corpus_file(train, path)
        sentences: dict[str, Any] = {"corpus_file": str(path)}
    else:
        sentences = {"sentences": _Lines(train) if name == "gensim iterable" else list(_Lines(train))}
    if name == "fastText":
        return lambda: _vectors(FastText(**sentences, **options, max_n=0, bucket=1), train)
    return lambda: _vectors(GensimWord2Vec(**sentences, **options), train)


def _vectors(model: Any, train: Sessions) -> SongVectors:
    rows = np.array([int(key) if key != "-" else -1 for key in model.wv.index_to_key])
    matrix = model.wv.vectors[: len(rows)][rows >= 0]
    return SongVectors(matrix, train.catalogue.subset(rows[rows >= 0]))


class _Lines:
    """Sessions as lists of strings, made anew for every epoch."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def __iter__(self) -> Iterator[list[str]]:
        songs, offsets = self._sessions.songs, self._sessions.offsets
        return (list(map(str, songs[offsets[s] : offsets[s + 1]].tolist())) for s in range(len(self._sessions)))


def _anonymous_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return float("nan")


if __name__ == "__main__":
    main()
