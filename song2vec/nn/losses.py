"""Ranking losses over a batch of scores, with their gradients derived by hand.

Scores r are (rows, columns); the target of row i is column ``target[i]`` (i itself when targets are shared as negatives)
and every other column is a negative for it. Each loss returns its sum over the rows and its gradient by r; s is the
logistic function. Hidasi et al. 2016 (arXiv:1511.06939) and Hidasi and Karatzoglou 2018 (arXiv:1706.03847).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

LossAndGradient = tuple[Tensor, Tensor]  # the sum over rows, and (rows, columns) its gradient by the scores
Loss = Callable[[Tensor, Tensor], LossAndGradient]
LossName = Literal["cross-entropy", "bpr", "bpr-max", "top1", "top1-max"]
TINY = 1e-24


def cross_entropy(scores: Tensor, target: Tensor) -> LossAndGradient:
    """-log( softmax(r)_i + 1e-24 ). The scores are overwritten."""
    gradient = torch.softmax(scores, 1, out=scores)
    total = -torch.log(gradient.gather(1, target[:, None]) + TINY).sum()
    gradient.scatter_add_(1, target[:, None], gradient.new_full((len(target), 1), -1.0))
    return total, gradient


def bpr(scores: Tensor, target: Tensor) -> LossAndGradient:
    """-sum_j log s(r_i - r_j) / number of negatives."""
    negatives = scores.shape[1] - 1
    behind = scores - scores.gather(1, target[:, None])
    mask = _negatives(scores, target)
    total = (torch.nn.functional.softplus(behind) * mask).sum() / negatives
    return total, _balanced(torch.sigmoid(behind) * mask / negatives, target)


def top1(scores: Tensor, target: Tensor) -> LossAndGradient:
    """mean_j [ s(r_j - r_i) + s(r_j^2) ] - s(r_i^2) / columns, the mean over all columns."""
    columns = scores.shape[1]
    picked = scores.gather(1, target[:, None])
    ahead, size = torch.sigmoid(scores - picked), torch.sigmoid(scores * scores)
    total = (ahead.sum() + size.sum() - torch.sigmoid(picked * picked).sum()) / columns
    mask = _negatives(scores, target)
    gradient = _balanced(ahead * (1 - ahead) * mask, target) + 2 * scores * size * (1 - size) * mask
    return total, gradient / columns


def top1_max(scores: Tensor, target: Tensor) -> LossAndGradient:
    """sum_j w_j [ s(r_j - r_i) + s(r_j^2) ], w the softmax over the negatives only."""
    weight = _weights(scores, target)
    ahead, size = torch.sigmoid(scores - scores.gather(1, target[:, None])), torch.sigmoid(scores * scores)
    term = ahead + size
    mean = (weight * term).sum(1, keepdim=True)
    gradient = _balanced(weight * ahead * (1 - ahead), target)
    gradient += weight * (term - mean + 2 * scores * size * (1 - size))
    return mean.sum(), gradient


def bpr_max(bpreg: float, elu: float) -> Loss:
    """-log( sum_j w_j s(r_i - r_j) + 1e-24 ) + bpreg * sum_j w_j r_j^2, w the softmax over the negatives only.

    With ``elu`` above 0, r goes through an ELU of that parameter first.
    """

    def loss(scores: Tensor, target: Tensor) -> LossAndGradient:
        rated = torch.nn.functional.elu(scores, elu) if elu else scores
        weight = _weights(rated, target)
        won = torch.sigmoid(rated.gather(1, target[:, None]) - rated)
        weighted = weight * won
        mean = weighted.sum(1, keepdim=True)
        squares = weight * rated
        size = (squares * rated).sum(1, keepdim=True)
        total = bpreg * size.sum() - torch.log(mean + TINY).sum()
        lost = weighted * (1 - won) / (mean + TINY)
        gradient = _balanced(lost, target)
        gradient += weight.mul(mean / (mean + TINY) - bpreg * size).addcmul_(squares, rated, value=bpreg)
        gradient.sub_(weighted.div_(mean + TINY)).add_(squares, alpha=2 * bpreg)
        if elu:
            gradient *= torch.where(scores > 0, torch.ones_like(rated), rated + elu)
        return total, gradient

    return loss


def make_loss(name: LossName, *, bpreg: float = 1.0, elu_param: float = 0.0) -> Loss:
    """A loss by its name."""
    return LOSSES[name] if name != "bpr-max" else bpr_max(bpreg, elu_param)


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "bpr": bpr, "bpr-max": bpr_max(1.0, 0.0), "top1": top1, "top1-max": top1_max}


def logit_correction(support: Tensor, target: Tensor, sampled: Tensor, logq: float, exponent: float) -> Tensor:
    """(columns,) what cross-entropy takes off the scores: logq log P0(j) in the batch, logq log P0(j)^exponent for negatives.

    Args:
        support: (m,) plays of each song.
        target, sampled: rows of the songs of the live batch, and of those drawn.
    """
    return torch.cat([logq * torch.log(support[target]), logq * exponent * torch.log(support[sampled])])


def _negatives(scores: Tensor, target: Tensor) -> Tensor:
    """(rows, columns) 1 for negatives, 0 for targets."""
    return torch.ones_like(scores).scatter_(1, target[:, None], 0.0)


def _weights(scores: Tensor, target: Tensor) -> Tensor:
    """(rows, columns) softmax over the negatives of each row; targets weigh 0."""
    hidden = scores.scatter(1, target[:, None], -torch.inf)
    return torch.softmax(hidden, 1, out=hidden)


def _balanced(gradient: Tensor, target: Tensor) -> Tensor:
    """What a difference r_j - r_i gives to every negative j, its target i gets back with the other sign."""
    return gradient.scatter_add_(1, target[:, None], -gradient.sum(1, keepdim=True))
