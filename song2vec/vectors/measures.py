"""What training watches: its loss on a sample of plays, and how well vectors say what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.sessions import Sessions
from song2vec.vectors.learner import Word2VecSettings
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.training.weights import Weights, count_plays

SAMPLE = 10_000  # plays
_WATCHED = 25  # songs each way that the loss looks at when the window is the session
_softplus = partial(np.logaddexp, 0.0)  # log(1 + exp(x)): minus the log of the sigmoid of -x
_BLOCK = 512  # queries scored at once: bounds memory at 512 x songs floats


@dataclass(frozen=True)
class Objective:
    """The loss word2vec minimises, measured truly: on one fixed sample of plays, with one fixed draw of negatives.

    gensim's own running loss mixes parameters of different moments and overflows; this one can be compared between epochs.

    Attributes:
        context: (examples, width) rows that predict the target, -1 where there is none. Width 1 for skip-gram.
        target: (examples,) rows.
        negatives: (examples, n_negatives) rows, drawn in proportion to plays**negative_exponent.
    """

    context: Array
    target: Array
    negatives: Array

    @classmethod
    def sample(cls, sessions: Sessions, rows: Array, settings: Word2VecSettings) -> Self:
        """Draw the examples from all plays that have another play within the window; (songs,) ``rows`` numbers the songs."""
        random = generator(settings.seed, "objective")
        window = _WATCHED if settings.window == "session" else settings.window
        places = random.integers(0, sessions.plays, SAMPLE)
        session = np.searchsorted(sessions.offsets, places, side="right") - 1
        steps = np.concatenate([np.arange(-window, 0), np.arange(1, window + 1)])
        around = places[:, None] + steps
        inside = (around >= sessions.offsets[session][:, None]) & (around < sessions.offsets[session + 1][:, None])
        context = np.where(inside, sessions.songs[np.where(inside, around, 0)], -1).astype(np.int64)
        usable = inside.any(axis=1)
        context, target = context[usable], sessions.songs[places[usable]].astype(np.int64)
        if settings.algorithm == "skip-gram":  # one context song an example, any of them alike
            pick = np.argmax(random.random(context.shape) * (context >= 0), axis=1)
            context = context[np.arange(len(context)), pick][:, None]
        weights = count_plays(sessions).astype(float)
        weights[weights > 0] **= settings.negative_exponent
        negatives = random.choice(len(weights), (len(target), settings.n_negatives), p=weights / weights.sum())
        return cls(np.where(context >= 0, rows[context], -1), rows[target], rows[negatives])

    def loss(self, weights: Weights) -> float:
        """Mean loss an example, in nats: Mikolov et al. 2013, equation 4, or the path loss of hierarchical softmax."""
        outputs, hidden = weights.outputs, np.zeros((len(self.target), weights.inputs.shape[1]), np.float32)
        for column in self.context.T:
            hidden += weights.inputs[column] * (column >= 0)[:, None]
        hidden /= (self.context >= 0).sum(axis=1, keepdims=True)
        if weights.tree is None:
            positive = np.einsum("nd,nd->n", hidden, outputs[self.target])
            negative = np.einsum("nd,nkd->nk", hidden, outputs[self.negatives])
            return float((_softplus(-positive) + _softplus(negative).sum(axis=1)).mean())
        total = 0.0
        for which, node, branch in weights.tree.levels(self.target):
            total += float(_softplus((2.0 * branch - 1.0) * np.einsum("nd,nd->n", hidden[which], outputs[node])).sum())
        return total / len(self.target)


def next_song_ranks(vectors: SongVectors, sessions: Sessions, *, max_queries: int | None = None, seed: int = 0) -> Array:
    """The rank of each next song among all songs by cosine to the song before it, (queries,) int64, 1 is best.

    Every two adjacent plays of a session make a query; the query song itself is no candidate, ties count against us,
    and a pair with a song that has no vector ranks last (number of songs), so that dropping songs never pays.
    With ``max_queries`` so many are taken at random.
    """
    rows = sessions.catalogue.rows_in(vectors.catalogue)[sessions.songs]
    ends_session = np.zeros(sessions.plays, bool)
    ends_session[sessions.offsets[1:] - 1] = True
    queries = np.flatnonzero(~ends_session[:-1])
    if max_queries is not None and len(queries) > max_queries:
        queries = np.sort(generator(seed, "queries").choice(queries, max_queries, replace=False))
    before, after = rows[queries], rows[queries + 1]
    ranks = np.full(len(queries), len(vectors), np.int64)
    known = np.flatnonzero((before >= 0) & (after >= 0))
    for block in np.split(known, range(_BLOCK, len(known), _BLOCK)):
        scores = vectors.unit[before[block]] @ vectors.unit.T
        line = np.arange(len(block))
        target = scores[line, after[block]]
        scores[line, before[block]] = -np.inf
        scores[line, after[block]] = target  # a song that follows itself is its own target
        ranks[block] = (scores >= target[:, None]).sum(axis=1)
    return ranks


def recall(ranks: Array, k: int = 10) -> float:
    """The share of ranks within k."""
    return float((ranks <= k).mean()) if len(ranks) else float("nan")
