"""Several word2vec models whose trees differ, end to end as one, leaning to the songs played beside each.

What chance hung side by side in one tree is apart in the others.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from song2vec.core.errors import ArgumentError
from song2vec.core.random import MAX_SEED, check_seed, generator
from song2vec.core.settings import Configured, Real, Space, Whole, check_real, check_whole
from song2vec.sessions import Sessions
from song2vec.vectors.smoothing import smoothed, with_identity
from song2vec.vectors.song_vectors import SongVectors, unit_rows
from song2vec.vectors.whitening import centred, whitened
from song2vec.vectors.word2vec import Word2Vec

_FOREST = ("trees", "whitening", "identity", "smoothing")  # settings that are none of Word2Vec
_ROOM = 3  # trees' worth of numbers for songs' own directions


class Word2VecEnsemble(Configured):
    """Vectors of ``trees`` models of hierarchical softmax, centred and of unit length, end to end, in part whitened, each song's with
    a share of its neighbours' added.

    Hierarchical softmax learns which way each song lies in a Huffman tree, and which songs share its branches is chance (Mnih and
    Hinton 2009 build several trees for this reason). The cosine of two songs is the mean of their cosines in all models, in which
    the chance of one tree is outweighed. Then what the strongest directions have more than the others is taken back in part
    (:func:`song2vec.vectors.whitening.whitened`), and what is played next to each other is drawn nearer
    (:func:`song2vec.vectors.smoothing.smoothed`). How many more next songs that finds than :class:`song2vec.Word2Vec` in the same
    minute of training is measured by ``benchmarks/bench_training.py``. A tree more is as much more time and room.

    Args:
        trees: how many models.
        size: numbers in a vector, a multiple of ``trees``; of ``trees`` + 3 if songs have directions of their own.
        whitening: how much of the difference in variance between directions is taken back: 0 none, 1 all.
        identity: length of a random direction of its own that each song has before neighbours are added, in room for three trees more, so
            that what was played beside it counts by itself too (:func:`song2vec.vectors.smoothing.with_identity`); 0 for none.
        smoothing: share of the mean of the songs played just before and after that is added to each song, less where they are few;
            0 for none.
        window, dynamic_window, context_weight, subsample, learning_rate, epochs, workers, seed, progress: as in :class:`song2vec.Word2Vec`.

    Attributes:
        vectors_: SongVectors of the songs the sessions play, most played first.
    """

    space: ClassVar[Space] = {
        "window": Whole(1, 10),
        "context_weight": Real(0, 1),
        "whitening": Real(0, 1),
        "smoothing": Real(0, 2),
        "learning_rate": Real(0.005, 0.1, log=True),
        "epochs": Whole(5, 60, log=True),
    }
    vectors_: SongVectors

    def __init__(
        self,
        *,
        trees: int = 4,
        size: int = 512,
        whitening: float = 0.2,
        identity: float = 0.0,
        smoothing: float = 1.2,
        window: int | Literal["session"] = 2,
        dynamic_window: bool = False,
        context_weight: float = 0.3,
        subsample: float = 1e-3,
        learning_rate: float = 0.05,
        epochs: int = 20,
        workers: int | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.trees = trees
        self.size = size
        self.whitening = whitening
        self.identity = identity
        self.smoothing = smoothing
        self.window = window
        self.dynamic_window = dynamic_window
        self.context_weight = context_weight
        self.subsample = subsample
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.workers = workers
        self.seed = seed
        self.progress = progress

    def fit(self, sessions: Sessions) -> Word2VecEnsemble:
        """Learn vectors of the songs in ``sessions``; returns self.

        Raises ArgumentError for a hyperparameter outside its range, and where Word2Vec does.
        """
        check_whole(self, "trees", 1)
        check_whole(self, "size", 1)
        check_real(self, "whitening", 0, 1)
        check_real(self, "identity", 0)
        check_real(self, "smoothing", 0)
        check_seed(self.seed)
        parts = self.trees + (_ROOM if self.identity else 0)
        if self.size % parts:
            raise ArgumentError(
                f"size={self.size!r}: a multiple of {parts} is allowed with trees={self.trees!r} and identity={self.identity!r}"
            )
        each = self.size // parts
        seeds = generator(self.seed, "forest").integers(MAX_SEED, size=self.trees).tolist()
        shared = {name: value for name, value in self.settings.items() if name not in _FOREST} | {"size": each}
        found = [Word2Vec(**shared | {"seed": seed}).fit(sessions).vectors_ for seed in seeds]
        catalogue = found[0].catalogue
        unit = unit_rows(np.concatenate([centred(vectors.unit) for vectors in found], 1))
        unit = with_identity(whitened(unit, self.whitening), self.identity, _ROOM * each, generator(self.seed, "own directions"))
        self.vectors_ = SongVectors(smoothed(unit, sessions.catalogue.rows_in(catalogue), sessions, self.smoothing), catalogue)
        return self
