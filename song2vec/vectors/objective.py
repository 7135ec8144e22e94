"""The loss word2vec minimises, measured truly: on one fixed sample of plays, with one fixed draw of negatives.

gensim's own running loss mixes parameters of different moments and overflows; this one can be compared between epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.random import generator
from song2vec.sessions import Sessions
from song2vec.vectors.training.huffman import Tree
from song2vec.vectors.training.weights import Weights, count_plays

SAMPLE = 10_000


@dataclass(frozen=True)
class Objective:
    """A sample of training examples: contexts predict a target against negatives.

    Attributes:
        context: (examples, width) rows, -1 where there is none. Width 1 for skip-gram.
        target: (examples,) rows.
        negatives: (examples, n_negatives) rows, drawn in proportion to plays**negative_exponent.
    """

    context: Array
    target: Array
    negatives: Array

    @classmethod
    def sample(
        cls, sessions: Sessions, *, window: int, skip_gram: bool, n_negatives: int, negative_exponent: float, seed: int
    ) -> Objective:
        """Draw the examples from all plays that have another play within the window."""
        random = generator(seed, "objective")
        places = random.integers(0, sessions.plays, SAMPLE)
        session = np.searchsorted(sessions.offsets, places, side="right") - 1
        steps = np.concatenate([np.arange(-window, 0), np.arange(1, window + 1)])
        around = places[:, None] + steps
        inside = (around >= sessions.offsets[session][:, None]) & (around < sessions.offsets[session + 1][:, None])
        context = np.where(inside, sessions.songs[np.where(inside, around, 0)], -1).astype(np.int64)
        usable = inside.any(axis=1)
        context, target = context[usable], sessions.songs[places[usable]].astype(np.int64)
        if skip_gram:  # one context song an example, any of them alike
            pick = np.argmax(random.random(context.shape) * (context >= 0), axis=1)
            context = context[np.arange(len(context)), pick][:, None]
        weights = count_plays(sessions).astype(float)
        weights[weights > 0] **= negative_exponent
        negatives = random.choice(len(weights), (len(target), n_negatives), p=weights / weights.sum())
        return cls(context, target, negatives)

    def numbered(self, rows: Array) -> Objective:
        """The same examples with songs numbered anew: (songs,) the row of each song."""
        return Objective(np.where(self.context >= 0, rows[self.context], -1), rows[self.target], rows[self.negatives])

    def loss(self, weights: Weights) -> float:
        """Mean loss an example, in nats: Mikolov et al. 2013, equation 4, or the path loss of hierarchical softmax."""
        hidden = np.zeros((len(self.target), weights.inputs.shape[1]), np.float32)
        for column in self.context.T:
            hidden += weights.inputs[column] * (column >= 0)[:, None]
        hidden /= (self.context >= 0).sum(axis=1, keepdims=True)
        if weights.tree is None:
            return self._sampled_loss(weights.outputs, hidden)
        return self._path_loss(weights.outputs, weights.tree, hidden)

    def _sampled_loss(self, outputs: Array, hidden: Array) -> float:
        positive = np.einsum("nd,nd->n", hidden, outputs[self.target])
        negative = np.einsum("nd,nkd->nk", hidden, outputs[self.negatives])
        return float((_softplus(-positive) + _softplus(negative).sum(axis=1)).mean())

    def _path_loss(self, nodes: Array, tree: Tree, hidden: Array) -> float:
        total = 0.0
        for which, node, branch in tree.levels(self.target):
            total += float(_softplus((2.0 * branch - 1.0) * np.einsum("nd,nd->n", hidden[which], nodes[node])).sum())
        return total / len(self.target)


def _softplus(x: Array) -> Array:
    """log(1 + exp(x)): minus the log of the sigmoid of -x."""
    return np.logaddexp(0.0, x)
