"""Documents of songs in training, by gensim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from gensim.models.doc2vec import TaggedDocument

from song2vec.core.arrays import Array
from song2vec.sessions import Sessions
from song2vec.vectors.corpus_file import BATCH
from song2vec.vectors.learner import Word2VecSettings
from song2vec.vectors.training.gensim_trainee import from_gensim, make_gensim, rates
from song2vec.vectors.training.trainee import WeightsTrainee
from song2vec.vectors.training.weights import Weights


@dataclass(frozen=True)
class Documents:
    """Sessions as gensim reads documents, anew in every epoch: words are rows as strings, a tag is the number of a document.

    Attributes:
        rows: (songs of the sessions' catalogue,) int32, the row of each in the weights.
        document: (sessions,) int64, which document each session is a part of.
    """

    sessions: Sessions
    rows: Array
    document: Array

    def __len__(self) -> int:
        return int((-(-self.sessions.lengths // BATCH)).sum())

    def __iter__(self) -> Iterator[Any]:
        words = np.array(list(map(str, self.rows)), object)  # one string a song, however often it is played
        for session, (begin, end) in enumerate(pairwise(self.sessions.offsets.tolist())):
            for first in range(begin, end, BATCH):  # of a longer document gensim reads the beginning only
                heard = words[self.sessions.songs[first : min(first + BATCH, end)]]
                yield TaggedDocument(heard.tolist(), [int(self.document[session])])


class DocumentTrainee(WeightsTrainee):
    """A gensim Doc2Vec whose words are rows and whose tags are the numbers of documents.

    Args:
        document: (sessions,) int64, which document each session is a part of.
        dm: the mean of a document and the songs around predicts a song; else the document alone, and songs each other.
    """

    def __init__(self, sessions: Sessions, rows: Array, document: Array, weights: Weights, settings: Word2VecSettings, *, dm: bool) -> None:
        super().__init__(sessions, rows, settings)
        self._documents, self._before = Documents(sessions, rows, document), weights
        self._model = make_gensim(settings, dm=int(dm), dbow_words=1)
        self._model.dv.index_to_key = list(range(int(document.max()) + 1))
        frequencies = dict(zip(map(str, range(len(weights.plays))), weights.plays.tolist(), strict=True))
        self._model.build_vocab_from_freq(frequencies, corpus_count=len(self._documents))

    @property
    def weights(self) -> Weights:
        return from_gensim(self._model, self._before)

    @property
    def document_vectors(self) -> Array:
        """(documents, size) float32."""
        vectors: Array = self._model.dv.vectors
        return vectors

    def begin(self, epoch: int) -> int:
        self._epoch = epoch
        return 1

    def run(self, block: int) -> tuple[float, int]:
        start, end = rates(self._settings, self._epoch)
        plays = self._documents.sessions.plays
        total = {"total_examples": len(self._documents), "total_words": plays}
        self._model.train(self._documents, **total, epochs=1, start_alpha=start, end_alpha=end)
        return 0.0, plays
