"""Several word2vec models whose trees differ, end to end as one: what chance hung side by side in one is apart in the others."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.checks import MAX_SEED
from song2vec.core.config import FLAG, FloatRange, IntRange, setting
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator
from song2vec.sessions import Sessions
from song2vec.vectors.learner import WHOLE, WINDOW, GradientLearner, Window
from song2vec.vectors.song_vectors import SongVectors, unit_rows
from song2vec.vectors.word2vec import Word2Vec

_OWN = ("trees", "whitening", "identity", "smoothing")  # settings that are none of Word2Vec
_IDENTITY = 3  # times as many numbers as a tree has: a song's own direction
_LEAST = 1e-4  # of the most variance: a direction with less than that is taken to have that, for the rest may be rounding
_FEW = 10  # neighbours: what the mean of so many adds is half of what that of very many does


class Word2VecEnsemble(GradientLearner):
    """Vectors of ``trees`` models of hierarchical softmax, centred and of unit length, end to end, in part whitened, each song's with
    a share of its neighbours' added.

    Hierarchical softmax learns which way each song lies in a Huffman tree, and which songs share its branches is chance (Mnih and
    Hinton 2009 build several trees for this reason). The cosine of two songs is the mean of their cosines in all models, in which
    the chance of one tree is outweighed. Then what the strongest directions have more than the others is taken back in part
    (:func:`whitened`), and what is played next to each other is drawn nearer (:func:`smoothed`). How many more next songs that finds
    than :class:`song2vec.Word2Vec` in the same minute of training is measured by ``benchmarks/bench_training.py``.
    """

    name = "word2vec-ensemble"
    trees: int = setting(IntRange(1), default=4, help="how many models")
    size: int = setting(
        IntRange(1), default=512, help="numbers in a vector, a multiple of ``trees``, or of ``trees`` + 3 with ``identity``"
    )
    whitening: float = setting(
        FloatRange(0, 1), default=0.2, tune=True, help="how much of the difference in variance between directions is taken back, 1 all"
    )
    identity: float = setting(
        FloatRange(0), default=0.0, help="length of a song's own random direction, so that songs played beside it count too; 0 for none"
    )
    smoothing: float = setting(
        FloatRange(0), default=1.2, tune=FloatRange(0, 2), help="share of the mean of the songs played beside it that is added to a song"
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
        return self.trees + (_IDENTITY if self.identity else 0)

    def fit(self, sessions: Sessions) -> Self:
        """Learn vectors of the songs in ``sessions``; returns self. Raises ArgumentError where Word2Vec does."""
        self.check()
        each = self.size // self._parts
        seeds = generator(self.seed, "forest").integers(MAX_SEED, size=self.trees).tolist()
        shared = {name: value for name, value in self.settings.items() if name not in _OWN} | {"size": each}
        found = [Word2Vec(**shared | {"seed": seed}).fit(sessions) for seed in seeds]
        catalogue, self.history_ = found[0].vectors_.catalogue, [epoch for model in found for epoch in model.history_]
        unit = unit_rows(np.concatenate([centred(model.vectors_.unit) for model in found], 1))
        unit = with_identity(whitened(unit, self.whitening), self.identity, _IDENTITY * each, generator(self.seed, "own directions"))
        self.vectors_ = SongVectors(smoothed(unit, sessions.catalogue.rows_in(catalogue), sessions, self.smoothing), catalogue)
        return self


def centred(unit: Array) -> Array:
    """(m, d) unit vectors less their mean, which all share and which so tells none from another, (m, d) float32 of unit length
    (Mu and Viswanath 2018, arXiv:1702.01417, without their components)."""
    return unit_rows(unit - unit.mean(axis=0, dtype=np.float64).astype(np.float32))


def whitened(unit: Array, share: float) -> Array:
    """Vectors whose variance along each principal direction is taken to the power of 1 - ``share``, (m, d) float32 of unit length.

    A few directions (genre, language, popularity) make up much of every cosine, and what tells songs within a genre apart little;
    at share 1 all directions count the same, rounding and chance too (Su et al. 2021, arXiv:2103.15316); between the two lies what
    serves best (Bullinaria and Levy 2012, "Extracting semantic representations from word co-occurrence statistics: stop-lists,
    stemming, and SVD", on the weight of components).
    At ``share`` 0 the (m, d) float32 unit vectors, which are centred, are left as they are.
    """
    if share == 0:
        return unit
    variances, axes = np.linalg.eigh(np.asarray(unit.T @ unit, np.float64) / len(unit))
    least = max(_LEAST * float(variances[-1]), float(np.finfo(np.float32).tiny))
    stretch = (axes * np.maximum(variances, least) ** (-share / 2)) @ axes.T
    return unit_rows(unit @ stretch.astype(np.float32))


def with_identity(unit: Array, length: float, size: int, random: np.random.Generator) -> Array:
    """Each vector with a random direction of its own behind it, (m, d + size) float32 of unit length.

    Random directions are nearly at right angles, the more so the more numbers they have. So, once neighbours are added, two songs
    are alike by how often each was played beside the other or both beside a third, beyond what any model has learned of them
    (random indexing: Kanerva, Kristoferson and Holst 2000, "Random indexing of text samples for latent semantic analysis").
    The direction has this ``length``, the (m, d) float32 vector before it being 1 long; with 0 there is none.
    """
    if length == 0:
        return unit
    own = unit_rows(random.standard_normal((len(unit), size), np.float32))
    return unit_rows(np.concatenate([unit, np.float32(length) * own], axis=1))


def smoothed(unit: Array, rows: Array, sessions: Sessions, share: float) -> Array:
    """Each vector with a share of the direction of the mean of its neighbours' added, (m, d) float32 of unit length.

    A neighbour is a song played just before or just after, each play of it counted; a song is none of its own. Of few neighbours
    the mean says little: of n, ``share`` times n / (n + 10) is added. This is a step of retrofitting vectors to a graph (Faruqui
    et al. 2015, arXiv:1411.4166), the graph being that of the sessions.
    Each song of the catalogue has its (m, d) float32 unit vector in one of ``rows``, or -1 there where it has none.
    """
    if share == 0:
        return unit
    beside = _neighbours(rows, sessions, len(unit))
    plays = np.asarray(beside.sum(axis=1), np.float32).reshape(-1, 1)
    return unit_rows(unit + np.float32(share) * plays / (plays + _FEW) * unit_rows(beside @ unit))


def _neighbours(rows: Array, sessions: Sessions, songs: int) -> Any:
    """(m, m) sparse: how often each song was played beside each other.

    Of the sessions 7 3 and 7 3 5, song 7 has the neighbour 3 (twice), song 3 the neighbours 7 (twice) and 5, song 5 the neighbour 3.
    """
    from scipy.sparse import csr_matrix

    played, session = rows[sessions.songs], np.repeat(np.arange(len(sessions)), sessions.lengths)
    before, after = played[:-1], played[1:]
    together = (session[:-1] == session[1:]) & (before != after) & (before >= 0) & (after >= 0)
    pairs = before[together], after[together]
    counts = csr_matrix((np.ones(len(pairs[0]), np.float32), pairs), (songs, songs))
    return (counts + counts.T).tocsr()
