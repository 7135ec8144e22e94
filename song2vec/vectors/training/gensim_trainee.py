"""Training by gensim, through its corpus-file path: the reference the kernel is measured against."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import Doc2Vec as GensimDoc2Vec
from gensim.models import Word2Vec as GensimWord2Vec

from song2vec.core.arrays import Array
from song2vec.sessions import Sessions
from song2vec.vectors.corpus_file import BATCH, write_corpus_file
from song2vec.vectors.learner import Word2VecSettings
from song2vec.vectors.training.huffman import Tree
from song2vec.vectors.training.trainee import WeightsTrainee
from song2vec.vectors.training.weights import Weights


class GensimTrainee(WeightsTrainee):
    """A gensim model whose words are the songs of some rows of the catalogue, in that order."""

    def __init__(self, sessions: Sessions, rows: Array, weights: Weights, settings: Word2VecSettings) -> None:
        played = np.flatnonzero(rows >= 0)
        super().__init__(sessions, rows, settings)
        self._before = weights
        self._model = make_gensim(settings)
        self._model.build_vocab_from_freq(dict(zip(map(str, played), weights.plays.tolist(), strict=True)), corpus_count=len(sessions))
        self._folder = tempfile.TemporaryDirectory(prefix="song2vec-")  # gone with the trainer
        self._path = Path(self._folder.name) / "sessions.txt"
        self._lines, self._words = write_corpus_file(sessions, self._path)

    def begin(self, epoch: int) -> int:
        self._epoch = epoch
        return 1

    def run(self, block: int) -> tuple[float, int]:
        start, end = rates(self._settings, self._epoch)
        self._model.train(
            corpus_file=str(self._path), total_examples=self._lines, total_words=self._words, epochs=1, start_alpha=start, end_alpha=end
        )
        return 0.0, self._words

    @property
    def weights(self) -> Weights:
        return from_gensim(self._model, self._before)


def rates(settings: Word2VecSettings, epoch: int) -> tuple[float, float]:
    """The learning rates at the beginning and the end of an epoch, numbered from 0."""
    falling = np.linspace(settings.learning_rate, settings.min_learning_rate, settings.epochs + 1).tolist()
    return falling[epoch], falling[epoch + 1]


def make_gensim(settings: Word2VecSettings, **documents: int) -> Any:
    """A gensim model with these settings, no words in it yet; of documents too, where settings of Doc2Vec are given."""
    kind = GensimDoc2Vec if documents else partial(GensimWord2Vec, sg=int(settings.algorithm == "skip-gram"))
    return kind(
        **documents,
        vector_size=settings.size,
        window=BATCH if settings.window == "session" else settings.window,
        shrink_windows=settings.dynamic_window,
        hs=int(settings.hierarchical),
        negative=0 if settings.hierarchical else settings.n_negatives,
        ns_exponent=settings.negative_exponent,
        sample=settings.subsample,
        alpha=settings.learning_rate,
        min_alpha=settings.min_learning_rate,
        min_count=1,  # which songs count is settled when sessions are cut
        sorted_vocab=0,
        workers=settings.workers or os.cpu_count() or 1,
        seed=settings.seed,
    )


def from_gensim(model: Any, before: Weights) -> Weights:
    """The matrices of a gensim model, not copied, with the songs of ``before``."""
    outputs = model.syn1 if model.hs else model.syn1neg
    tree = _tree(model) if model.hs else None
    return Weights(model.wv.vectors, outputs, tree, before.catalogue, before.plays, model.vector_size)


def _tree(model: Any) -> Tree:
    """gensim keeps each word's nodes from the root down, and the branch it takes at each."""
    songs = np.empty(len(model.wv), np.int32)
    nodes = np.full(len(model.wv) - 1, -1, np.int32)
    for song in range(len(songs)):
        point, code = (model.wv.get_vecattr(song, name).astype(np.int32) for name in ("point", "code"))
        above = 2 * point + code
        nodes[point[1:]] = above[:-1]
        songs[song] = above[-1]
    return Tree(songs, nodes)
