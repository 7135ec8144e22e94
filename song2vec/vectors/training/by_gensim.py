"""Training by gensim: word2vec through its corpus file, as the reference the kernel is measured against, and doc2vec."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from gensim.models import Doc2Vec as GensimDoc2Vec
from gensim.models import Word2Vec as GensimWord2Vec
from gensim.models.doc2vec import TaggedDocument

from song2vec.core.arrays import Array
from song2vec.sessions import Sessions
from song2vec.vectors.learner import Word2VecSettings
from song2vec.vectors.training.huffman import Tree
from song2vec.vectors.training.trainee import WeightsTrainee
from song2vec.vectors.training.weights import Weights

BATCH = 10_000  # gensim's MAX_WORDS_IN_BATCH
_FILLER = "\n" + " ".join("-" * BATCH) + "\n"
_BLOCK = 2_000_000  # plays written at once


class GensimTrainee(WeightsTrainee):
    """A gensim model whose words are songs, by their numbers in the sessions' catalogue.

    Args:
        document: (sessions,) int64, which document each session is a part of, for doc2vec.
        dm: the mean of a document and the songs around predicts a song; else the document alone, and songs each other.
    """

    def __init__(
        self, sessions: Sessions, rows: Array, weights: Weights, settings: Word2VecSettings, document: Array | None = None, dm: bool = False
    ) -> None:
        super().__init__(sessions, rows, settings)
        if document is None:
            self._model = _model(settings)
            self._folder = tempfile.TemporaryDirectory(prefix="song2vec-")  # gone with the trainee
            path = Path(self._folder.name) / "sessions.txt"
            lines, words = write_corpus_file(sessions, path)
            self._corpus: dict[str, Any] = {"corpus_file": str(path), "total_examples": lines, "total_words": words}
        else:
            self._model = _model(settings, dm=int(dm), dbow_words=1)
            self._model.dv.index_to_key = list(range(int(document.max()) + 1))
            documents = Documents(sessions, document)
            self._corpus = {"corpus_iterable": documents, "total_examples": len(documents), "total_words": sessions.plays}
        frequencies = dict(zip(map(str, np.flatnonzero(rows >= 0)), weights.plays.tolist(), strict=True))
        self._model.build_vocab_from_freq(frequencies, corpus_count=self._corpus["total_examples"])
        self.weights = from_gensim(self._model, weights)

    @property
    def document_vectors(self) -> Array:
        """(documents, size) float32."""
        return np.asarray(self._model.dv.vectors)

    def begin(self, epoch: int) -> int:
        self._epoch = epoch
        return 1

    def run(self, block: int) -> tuple[float, int]:
        settings = self._settings
        rates = np.linspace(settings.learning_rate, settings.min_learning_rate, settings.epochs + 1).tolist()
        self._model.train(**self._corpus, epochs=1, start_alpha=rates[self._epoch], end_alpha=rates[self._epoch + 1])
        return 0.0, self._corpus["total_words"]


def _model(settings: Word2VecSettings, **documents: int) -> Any:
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


@dataclass(frozen=True)
class Documents:
    """Sessions as gensim reads documents, anew in every epoch: words are songs' numbers, a tag is the session's ``document``."""

    sessions: Sessions
    document: Array

    def __len__(self) -> int:
        return int((-(-self.sessions.lengths // BATCH)).sum())

    def __iter__(self) -> Iterator[Any]:
        words = np.array(list(map(str, range(len(self.sessions.catalogue)))), object)  # one string a song, however often it is played
        for session, (begin, end) in enumerate(pairwise(self.sessions.offsets.tolist())):
            for first in range(begin, end, BATCH):  # of a longer document gensim reads the beginning only
                songs = self.sessions.songs[first : min(first + BATCH, end)]
                yield TaggedDocument(words[songs].tolist(), [int(self.document[session])])


def write_corpus_file(sessions: Sessions, path: Path) -> tuple[int, int]:
    """Write sessions as the text that gensim's fast path reads, one a line; returns how many lines and words, fillers included.

    gensim trains on batches: it reads lines until they hold more than 10,000 words, and drops, silently, what goes beyond
    the first 10,000 that it knows. So a session is split after every 10,000th play of the log, and a line of as many
    unknown words follows: wherever a thread begins to read, a batch ends there and nothing known is dropped.
    """
    ends_line = np.zeros(sessions.plays, bool)
    ends_line[sessions.offsets[1:][sessions.lengths > 0] - 1] = True
    ends_batch = np.zeros(sessions.plays, bool)
    ends_batch[BATCH - 1 :: BATCH] = True
    after = pl.when("ends_batch").then(pl.lit(_FILLER)).when("ends_line").then(pl.lit("\n")).otherwise(pl.lit(" "))
    with path.open("wb") as file:
        for begin in range(0, sessions.plays, _BLOCK):
            block = slice(begin, begin + _BLOCK)
            words = pl.DataFrame({"song": sessions.songs[block], "ends_line": ends_line[block], "ends_batch": ends_batch[block]})
            words = words.select(pl.col("song").cast(pl.String) + after)
            words.write_csv(file, include_header=False, quote_style="never", line_terminator="")
    fillers = int(ends_batch.sum())
    return int((ends_line | ends_batch).sum()) + fillers, sessions.plays + fillers * BATCH
