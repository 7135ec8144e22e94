"""What an autoencoder minimises (Liang et al. 2018, arXiv:1802.05814), and what scoring a sample of the songs does to it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from song2vec.core.arrays import Array


def multinomial(scores: Tensor, row: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
    """Minus the multinomial log-likelihood of bags (equation 2), and its gradient derived by hand.

    Args:
        scores: (bags, columns).
        row, column: (n,) the songs in the bags: which bag, and which column.

    Returns:
        -sum of log softmax(scores)[row, column], and (bags, columns) its gradient by the scores.
    """
    logs = torch.log_softmax(scores, 1)
    total = -logs[row, column].sum()
    counts = torch.bincount(row, minlength=len(scores)).to(scores.dtype)
    gradient = logs.exp_().mul_(counts[:, None])
    gradient.index_put_((row, column), gradient.new_full((), -1.0), accumulate=True)
    return total, gradient


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), summed over all numbers."""
    return 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).sum()


def log_inclusion(bags: Array, owners: int, batch_size: int, weights: Array, sample: int) -> Array:
    """(m,) float32: the logarithm of how likely each song is among the columns of a step, which is taken off its score.

    A song is a column when a bag of the batch holds it, or when it is drawn; both as rare events: 1 - exp(-expected times).
    When all songs are sure to be columns nothing is taken off, and the sampled softmax is the softmax.

    Args:
        bags: (m,) how many bags hold each song.
        owners: how many bags there are.
        weights: (m,) the probability of a draw.
        sample: draws a step.
    """
    expected = np.minimum(batch_size, owners) * bags / owners + sample * weights
    found: Array = np.log(np.maximum(-np.expm1(-expected), 1e-12)).astype(np.float32)
    return found
