"""The losses of GRU4Rec on a processor, with their gradients: the same sums as in ``nn.losses``.

Scores are (sessions, songs); the target of session i is song i. They become the gradient by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import compiled

# sums may be reordered and divisions by 0 are not checked: else loops stay scalar
jit: Callable[..., Any] = compiled(error_model="numpy", fastmath={"reassoc", "nsz", "contract", "arcp"})
ZERO, ONE, TWO, LIMIT, LOG2E = np.float32(0), np.float32(1), np.float32(2), np.float32(87), np.float32(1.4426950408889634)
TINY = np.float32(1e-24)
F2, F3, F4, F5, F6 = (np.float32(c) for c in (0.240226507, 0.0555041087, 0.00961812911, 0.00133335581, 0.000154035304))
F1 = np.float32(0.693147181)  # 2**t = 1 + F1 t + F2 t^2 + ...


@compiled(error_model="numpy", fastmath={"nsz", "contract"})
def exp(x: Any) -> Any:
    """To 3e-7; numbers beyond +-87 count as those. Sums in another order would be less exact."""
    scaled = min(max(x, -LIMIT), LIMIT) * LOG2E  # x first: what is no number stays none
    whole = np.int32(scaled + np.float32(127.5))
    t = scaled - np.float32(np.int32(whole - 127))
    return ((((((F6 * t + F5) * t + F4) * t + F3) * t + F2) * t + F1) * t + ONE) * np.int32(whole << np.int32(23)).view(np.float32)


@jit
def cross_entropy(scores: Array) -> float:
    """The loss; scores become the gradient."""
    loss = 0.0
    for i in range(len(scores)):
        row, top, mass = scores[i], scores[i].max(), ZERO
        for j in range(len(row)):
            row[j] = exp(row[j] - top)
            mass += row[j]
        for j in range(len(row)):
            row[j] *= ONE / mass
        loss -= np.log(row[i] + TINY)
        row[i] -= ONE
    return loss


@jit
def bpr_max(scores: Array, bpreg: Any, elu: Any) -> float:
    """As :func:`cross_entropy`; scores go through an ELU first, or not for 0."""
    loss, weight = 0.0, np.empty(scores.shape[1], np.float32)
    for i in range(len(scores)):
        row = scores[i]
        if elu > 0:
            for j in range(len(row)):
                row[j] = max(row[j], ZERO) + elu * (exp(min(row[j], ZERO)) - ONE)
        goal, row[i] = row[i], row[i - 1]  # the softmax is over the negatives only
        top, mass, gain, size, back = row.max(), ZERO, ZERO, ZERO, ZERO
        for j in range(len(row)):
            weight[j] = exp(row[j] - top)
        weight[i], rise = 0, exp(top - goal)
        for j in range(len(row)):
            won = ONE / (ONE + weight[j] * rise)
            mass += weight[j]
            gain += weight[j] * won
            size += weight[j] * row[j] * row[j]
            back += weight[j] * won * (ONE - won)
        gain, size = gain / mass, size / mass
        share, loss = ONE / (gain + TINY), loss + bpreg * size - np.log(gain + TINY)
        for j in range(len(row)):
            won = ONE / (ONE + weight[j] * rise)
            slope = weight[j] / mass * (share * (gain - won * won) + bpreg * (row[j] * (row[j] + TWO) - size))
            row[j] = slope if elu == 0 or row[j] > 0 else slope * (row[j] + elu)
        row[i] = -back / mass * share * (ONE if elu == 0 or goal > 0 else goal + elu)
    return loss
