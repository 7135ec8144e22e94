"""The losses of GRU4Rec on a processor, with their gradients: the same sums as in ``nn.losses``.

Scores are (songs, sessions); the target of session i is song i. They are walked in stretches of ``SPAN`` songs, and numbers kept
of a session lie as often in a row: a loop is then long, the same for all it passes, and waits for no sum.
"""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.models.networks.gru4rec._layer_kernels import LIMIT, ONE, TWO, ZERO, exp, jit

CROSS_ENTROPY, BPR_MAX = 0, 1
SPAN = 8
KEPT = 10  # numbers of a session that a loss keeps
TINY, HUGE = np.float32(1e-24), np.float32(1e30)


@jit
def cross_entropy(scores: Array, kept: Array) -> float:
    """Scores become the gradient by them; returns the loss. ``kept`` is (``KEPT``, ``SPAN`` times sessions), of any content."""
    sessions = scores.shape[1]
    flat, span = scores.reshape(-1), SPAN * sessions
    top, mass = kept[0], kept[1]
    top[:] = -HUGE
    for start in range(0, len(flat), span):
        _top(flat[start : start + span], top)
    _same_top(top, sessions)
    mass[:] = 0
    for start in range(0, len(flat), span):
        _powers(flat[start : start + span], top, mass)
    _same_sum(mass, sessions)
    for i in range(span):
        mass[i] = ONE / mass[i]
    for start in range(0, len(flat), span):
        _scale(flat[start : start + span], mass)
    loss = 0.0
    for i in range(sessions):
        loss -= np.log(scores[i, i] + TINY)
        scores[i, i] -= ONE
    return loss


@jit
def bpr_max(scores: Array, kept: Array, bpreg: float, elu: float) -> float:
    """As :func:`cross_entropy`; scores go through an ELU first, or not for 0."""
    sessions = scores.shape[1]
    flat, span = scores.reshape(-1), SPAN * sessions
    goal, top, rise, mass, gain, size, back, share = kept[0], kept[1], kept[2], kept[3], kept[4], kept[5], kept[6], kept[7]
    for i in range(sessions):
        goal[i] = scores[i, i]
        scores[i, i] = -HUGE  # the softmax is over the negatives only
    if elu > 0:
        _bend(goal[:sessions], elu)
    top[:] = -HUGE
    for start in range(0, len(flat), span):
        part = flat[start : start + span]
        if elu > 0:
            _bend(part, elu)
        _top(part, top)
    _same_top(top, sessions)
    for i in range(sessions):
        scores[i, i] = top[i] - LIMIT  # weighs nothing
    for i in range(span):
        rise[i] = exp(top[i] - goal[i % sessions])
    kept[3:7] = 0
    for start in range(0, len(flat), span):
        _weigh(flat[start : start + span], kept)
    for each in (mass, gain, size):
        _same_sum(each, sessions)
    for i in range(span):
        mass[i] = ONE / mass[i]
        gain[i] *= mass[i]
        size[i] *= mass[i]
        share[i] = mass[i] / (gain[i] + TINY)
    for start in range(0, len(flat), span):
        _grade(flat[start : start + span], kept, bpreg, elu)
    _same_sum(back, sessions)
    loss = 0.0
    for i in range(sessions):
        loss += bpreg * size[i] - np.log(gain[i] + TINY)
        curve = ONE if goal[i] > 0 or elu == 0 else goal[i] + elu
        scores[i, i] = -back[i] * share[i] * curve
    return loss


@jit
def _weigh(part: Array, kept: Array) -> None:
    """Sums of the weights of a stretch, and of what they weigh: pairs won, squares of scores."""
    top, rise, mass, gain, size, weight = kept[1], kept[2], kept[3], kept[4], kept[5], kept[8]
    for i in range(len(part)):  # loops of few arrays: of many the compiler cannot tell that they are apart
        weight[i] = exp(part[i] - top[i])
        mass[i] += weight[i]
    for i in range(len(part)):
        gain[i] += weight[i] / (ONE + weight[i] * rise[i])
    for i in range(len(part)):
        size[i] += weight[i] * part[i] * part[i]


@jit
def _grade(part: Array, kept: Array, bpreg: float, elu: float) -> None:
    """Scores behind the ELU become the gradient by those before it."""
    top, rise, mass, gain, size, back, share = kept[1], kept[2], kept[3], kept[4], kept[5], kept[6], kept[7]
    weight, won = kept[8], kept[9]
    for i in range(len(part)):
        weight[i] = exp(part[i] - top[i])
    for i in range(len(part)):
        won[i] = ONE / (ONE + weight[i] * rise[i])
    for i in range(len(part)):
        back[i] += weight[i] * won[i] * (ONE - won[i])
    if elu > 0:
        for i in range(len(part)):
            weight[i] *= ONE if part[i] > 0 else part[i] + elu
    for i in range(len(part)):
        squares = bpreg * mass[i] * (part[i] * (part[i] + TWO) - size[i])
        part[i] = weight[i] * (share[i] * (gain[i] - won[i] * won[i]) + squares)


@jit
def _bend(part: Array, elu: float) -> None:
    for i in range(len(part)):
        part[i] = np.maximum(part[i], ZERO) + elu * (exp(np.minimum(part[i], ZERO)) - ONE)


@jit
def _powers(part: Array, top: Array, mass: Array) -> None:
    for i in range(len(part)):
        part[i] = exp(part[i] - top[i])
        mass[i] += part[i]


@jit
def _scale(part: Array, by: Array) -> None:
    for i in range(len(part)):
        part[i] *= by[i]


@jit
def _top(part: Array, top: Array) -> None:
    for i in range(len(part)):
        top[i] = np.maximum(top[i], part[i])


@jit
def _same_top(top: Array, sessions: int) -> None:
    for i in range(sessions, len(top)):
        top[i % sessions] = np.maximum(top[i % sessions], top[i])
    for i in range(sessions, len(top)):
        top[i] = top[i % sessions]


@jit
def _same_sum(sums: Array, sessions: int) -> None:
    for i in range(sessions, len(sums)):
        sums[i % sessions] += sums[i]
    for i in range(sessions, len(sums)):
        sums[i] = sums[i % sessions]
