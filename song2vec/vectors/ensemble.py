"""Several word2vec models whose trees differ, end to end as one, leaning to the songs played beside each.

What chance hung side by side in one tree is apart in the others.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from song2vec.core.config import FLAG, FloatRange, IntRange, setting
from song2vec.core.errors import ArgumentError
from song2vec.core.random import MAX_SEED, generator
from song2vec.sessions import Sessions
from song2vec.vectors.learner import WHOLE, WINDOW, GradientLearner, Window
from song2vec.vectors.smoothing import smoothed, with_identity
from song2vec.vectors.song_vectors import SongVectors, unit_rows
from song2vec.vectors.whitening import centred, whitened
from song2vec.vectors.word2vec import Word2Vec

_OWN = ("trees", "whitening", "identity", "smoothing")  # settings that are none of Word2Vec
_ROOM = 3  # trees' worth of numbers for songs' own directions


class Word2VecEnsemble(GradientLearner):
    """Vectors of ``trees`` models of hierarchical softmax, centred and of unit length, end to end, in part whitened, each song's with
    a share of its neighbours' added.

    Hierarchical softmax learns which way each song lies in a Huffman tree, and which songs share its branches is chance (Mnih and
    Hinton 2009 build several trees for this reason). The cosine of two songs is the mean of their cosines in all models, in which
    the chance of one tree is outweighed. Then what the strongest directions have more than the others is taken back in part
    (:func:`song2vec.vectors.whitening.whitened`), and what is played next to each other is drawn nearer
    (:func:`song2vec.vectors.smoothing.smoothed`). How many more next songs that finds than :class:`song2vec.Word2Vec` in the same
    minute of training is measured by ``benchmarks/bench_training.py``. A tree more is as much more time and room.
    """

    name = "word2vec-ensemble"
    trees: int = setting(IntRange(1), default=4, help="how many models")
    size: int = setting(
        IntRange(1),
        default=512,
        help="numbers in a vector, a multiple of ``trees``, or of ``trees`` + 3 with ``identity``",
    )
    whitening: float = setting(
        FloatRange(0, 1),
        default=0.2,
        tune=FloatRange(0, 1),
        help="how much of the difference in variance between directions is taken back: 0 none, 1 all",
    )
    identity: float = setting(
        FloatRange(0),
        default=0.0,
        help="length of a random direction of its own that each song has before neighbours are added, in room for three trees more, so "
        "that what was played beside it counts by itself too (``smoothing.with_identity``); 0 for none",
    )
    smoothing: float = setting(
        FloatRange(0),
        default=1.2,
        tune=FloatRange(0, 2),
        help="share of the mean of the songs played just before and after that is added to each song, less where they are few",
    )
    window: Window = setting(WINDOW, default=2, tune=IntRange(1, 10), help=f"songs before and after that count as context; {WHOLE}")
    dynamic_window: bool = setting(FLAG, default=False, help="draw the window anew for each play from 1 to ``window``")
    learning_rate: float = setting(
        FloatRange(0, above=True), default=0.05, tune=FloatRange(0.005, 0.1, log=True), help="at the beginning; it falls linearly"
    )
    epochs: int = setting(IntRange(1), default=20, tune=IntRange(5, 60, log=True), help="passes over the sessions, of each model")

    def _check_together(self) -> None:
        super()._check_together()
        if self.size % self._parts:
            raise ArgumentError(
                f"size={self.size!r}: a multiple of {self._parts} is allowed with trees={self.trees!r} and identity={self.identity!r}"
            )

    @property
    def _parts(self) -> int:
        """How many trees' worth of numbers a vector has."""
        return self.trees + (_ROOM if self.identity else 0)

    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions``; returns self.

        Raises ArgumentError for a hyperparameter outside its range, and where Word2Vec does.
        """
        self.check()
        each = self.size // self._parts
        seeds = generator(self.seed, "forest").integers(MAX_SEED, size=self.trees).tolist()
        shared = {name: value for name, value in self.settings.items() if name not in _OWN} | {"size": each}
        found = [Word2Vec(**shared | {"seed": seed}).fit(sessions) for seed in seeds]
        catalogue, self.history_ = found[0].vectors_.catalogue, [epoch for model in found for epoch in model.history_]
        unit = unit_rows(np.concatenate([centred(model.vectors_.unit) for model in found], 1))
        unit = with_identity(whitened(unit, self.whitening), self.identity, _ROOM * each, generator(self.seed, "own directions"))
        self.vectors_ = SongVectors(smoothed(unit, sessions.catalogue.rows_in(catalogue), sessions, self.smoothing), catalogue)
        return self
