"""The inner loops of GRU4Rec on a processor: a block of updates of one GRU layer, gradients by hand, free of the interpreter.

Matrices are multiplied by BLAS; all else runs row by row, in loops that compile to vector instructions. The same sums as in
``task``, which serves every other network and a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from song2vec.arrays import Array
from song2vec.next_song.rnn import adagrad
from song2vec.next_song.rnn.instructions import float_of

# sums may be reordered and divisions by 0 are not checked: else loops stay scalar
_FAST = {"reassoc", "nsz", "contract", "arcp"}
jit: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
# for the search of a highest number alone: elsewhere a loss that is no number must be seen to be none
jit_without_nan: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST | {"nnan"})
ZERO, ONE, TWO, LIMIT, LOG2E = np.float32(0), np.float32(1), np.float32(2), np.float32(87), np.float32(1.4426950408889634)
TINY, HUGE = np.float32(1e-24), np.float32(1e30)
EPSILON = np.float32(adagrad.EPSILON)
CROSS_ENTROPY, BPR_MAX = 0, 1
F2, F3, F4, F5, F6 = (np.float32(c) for c in (0.240226507, 0.0555041087, 0.00961812911, 0.00133335581, 0.000154035304))
F1 = np.float32(0.693147181)  # 2**t = 1 + F1 t + F2 t^2 + ...


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"nsz", "contract"})
def exp(x: Any) -> Any:
    """To 3e-7; numbers beyond +-87 count as those. Sums in another order would be less exact."""
    scaled = min(max(x, -LIMIT), LIMIT) * LOG2E
    whole = np.int32(scaled + np.float32(127.5))
    t = scaled - np.float32(np.int32(whole - 127))
    return ((((((F6 * t + F5) * t + F4) * t + F3) * t + F2) * t + F1) * t + ONE) * float_of(whole << np.int32(23))


@jit_without_nan
def _highest(row: Array) -> Any:
    top = row[0]
    for j in range(len(row)):
        top = max(top, row[j])
    return top


@jit
def gru_forward(gates: Array, carried: Array, state: Array, after: Array) -> None:
    """Gated inputs (rows, 3 hidden) become r, z and n; ``after`` the next states."""
    hidden = state.shape[1]
    for i in range(len(state)):
        gate, from_state, before, now = gates[i], carried[i], state[i], after[i]
        for j in range(2 * hidden):
            gate[j] = ONE / (ONE + exp(-(gate[j] + from_state[j])))
        for j in range(hidden):
            drive = gate[2 * hidden + j] + gate[j] * from_state[2 * hidden + j]
            n = TWO / (ONE + exp(-TWO * drive)) - ONE
            gate[2 * hidden + j] = n
            now[j] = n + gate[hidden + j] * (before[j] - n)


@jit
def gru_backward(gates: Array, carried: Array, state: Array, slope: Array) -> None:
    """From the gradient by the next state: r, z, n become the gradient by the gated input, ``carried`` that by U h + b."""
    hidden = state.shape[1]
    for i in range(len(state)):
        gate, from_state, before, back = gates[i], carried[i], state[i], slope[i]
        for j in range(hidden):
            r, z, n = gate[j], gate[hidden + j], gate[2 * hidden + j]
            by_n = back[j] * (ONE - z) * (ONE - n * n)
            by_r = by_n * from_state[2 * hidden + j] * r * (ONE - r)
            by_z = back[j] * (before[j] - n) * z * (ONE - z)
            gate[j], gate[hidden + j], gate[2 * hidden + j] = by_r, by_z, by_n
            from_state[j], from_state[hidden + j], from_state[2 * hidden + j] = by_r, by_z, by_n * r


@jit
def cross_entropy(scores: Array, shift: Array, slope: Array) -> float:
    """Scores, with ``shift`` added, become the gradient, and ``slope`` its sum over rows; returns the loss.

    The target of row i is column i.
    """
    total = 0.0
    slope[:] = 0
    for i in range(len(scores)):
        row = scores[i]
        for j in range(len(row)):
            row[j] += shift[j]
        top, mass = _highest(row), np.float32(0)
        for j in range(len(row)):
            row[j] = exp(row[j] - top)
            mass += row[j]
        share = ONE / mass
        for j in range(len(row)):
            row[j] *= share
            slope[j] += row[j]
        total -= np.log(row[i] + TINY)
        row[i] -= ONE
        slope[i] -= ONE
    return total


@jit
def bpr_max(scores: Array, shift: Array, slope: Array, work: Array, bpreg: float, elu: float) -> float:
    """As :func:`cross_entropy`; ``work`` is (3, columns or more) float32."""
    total, width = 0.0, scores.shape[1]
    weight, won, curve = work[0, :width], work[1, :width], work[2, :width]
    slope[:] = 0
    for i in range(len(scores)):
        row = scores[i]
        _elu(row, shift, curve, elu)
        goal = row[i]
        row[i] = -HUGE  # the softmax is over the negatives only
        top = _highest(row)
        row[i] = goal
        mass, gain, size, back = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for j in range(width):
            weight[j] = exp(row[j] - top)
        weight[i] = 0
        for j in range(width):
            won[j] = ONE / (ONE + exp(row[j] - goal))
            mass += weight[j]
            gain += weight[j] * won[j]
            size += weight[j] * row[j] * row[j]
        gain, size = gain / mass, size / mass
        share = ONE / (gain + TINY)
        for j in range(width):
            part = weight[j] / mass
            lost = part * won[j] * (ONE - won[j]) * share
            back += lost
            squares = bpreg * (row[j] * (row[j] + TWO) - size)
            row[j] = curve[j] * (lost + part * (share * (gain - won[j]) + squares))
            slope[j] += row[j]
        slope[i] -= row[i] + back * curve[i]
        row[i] = -back * curve[i]
        total += bpreg * size - np.log(gain + TINY)
    return total


@jit
def _elu(row: Array, shift: Array, curve: Array, elu: float) -> None:
    """Scores, with ``shift`` added, through an ELU, and its slope at each; scores as they are for 0."""
    if elu > 0:
        for j in range(len(row)):
            score = row[j] + shift[j]
            below = elu * exp(min(score, ZERO))
            curve[j] = ONE if score > 0 else below
            row[j] = score if score > 0 else below - elu
    else:
        for j in range(len(row)):
            row[j] += shift[j]
            curve[j] = ONE
