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

# sums may be reordered and divisions by 0 are not checked: else loops stay scalar
jit: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract", "arcp"})
ONE, TWO, LIMIT, LOG2E, TINY = np.float32(1), np.float32(2), np.float32(87), np.float32(1.4426950408889634), np.float32(1e-24)
EPSILON = np.float32(adagrad.EPSILON)
CROSS_ENTROPY, BPR_MAX = 0, 1
F2, F3, F4, F5, F6 = (np.float32(c) for c in (0.240226507, 0.0555041087, 0.00961812911, 0.00133335581, 0.000154035304))
F1 = np.float32(0.693147181)  # 2**t = 1 + F1 t + F2 t^2 + ...


@jit
def exponential(row: Array, bits: Array) -> None:
    """exp of each number of a row, in place, to 3e-7; numbers beyond +-87 count as those. ``bits`` is int32 of its length."""
    powers = bits.view(np.float32)
    for j in range(len(row)):
        x = min(max(row[j], -LIMIT), LIMIT) * LOG2E
        whole = np.int32(x + np.float32(127.5))
        bits[j] = whole << np.int32(23)
        row[j] = x - np.float32(whole - np.int32(127))
    for j in range(len(row)):
        t = row[j]
        row[j] = ((((((F6 * t + F5) * t + F4) * t + F3) * t + F2) * t + F1) * t + ONE) * powers[j]


@jit
def gru_forward(gates: Array, carried: Array, state: Array, after: Array, work: Array, bits: Array) -> None:
    """Gated inputs (rows, 3 hidden) become r, z and n; ``after`` the next states."""
    hidden = state.shape[1]
    for i in range(len(state)):
        gate, from_state, before, now = gates[i], carried[i], state[i], after[i]
        for j in range(2 * hidden):
            work[j] = -(gate[j] + from_state[j])
        exponential(work[: 2 * hidden], bits[: 2 * hidden])
        for j in range(2 * hidden):
            gate[j] = ONE / (ONE + work[j])
        for j in range(hidden):
            work[j] = -TWO * (gate[2 * hidden + j] + gate[j] * from_state[2 * hidden + j])
        exponential(work[:hidden], bits[:hidden])
        for j in range(hidden):
            n = TWO / (ONE + work[j]) - ONE
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
def _softmax(row: Array, bits: Array) -> None:
    top = row[0]
    for j in range(len(row)):
        top = max(top, row[j])
    for j in range(len(row)):
        row[j] -= top
    exponential(row, bits)
    total = np.float32(0)
    for j in range(len(row)):
        total += row[j]
    share = ONE / total
    for j in range(len(row)):
        row[j] *= share


@jit
def cross_entropy(scores: Array, bits: Array) -> float:
    """Scores become the gradient; returns the loss. The target of row i is column i."""
    total = 0.0
    for i in range(len(scores)):
        _softmax(scores[i], bits[: scores.shape[1]])
        total -= np.log(scores[i, i] + TINY)
        scores[i, i] -= ONE
    return total


@jit
def bpr_max(scores: Array, bits: Array, work: Array, bpreg: float, elu: float) -> float:
    """As :func:`cross_entropy`; ``work`` is (4, columns or more) float32."""
    total, width = 0.0, scores.shape[1]
    rated, weight, won, curve = work[0, :width], work[1, :width], work[2, :width], work[3, :width]
    for i in range(len(scores)):
        row = scores[i]
        _elu(row, rated, curve, bits[:width], elu)
        for j in range(width):
            weight[j], won[j] = rated[j], rated[j] - rated[i]
        weight[i] = -np.float32(1e30)  # the softmax is over the negatives only
        _softmax(weight, bits[:width])
        weight[i] = 0
        exponential(won, bits[:width])
        gain, size, back = np.float32(0), np.float32(0), np.float32(0)
        for j in range(width):
            won[j] = ONE / (ONE + won[j])
            gain += weight[j] * won[j]
            size += weight[j] * rated[j] * rated[j]
        share = ONE / (gain + TINY)
        for j in range(width):
            lost = weight[j] * won[j] * (ONE - won[j]) * share
            back += lost
            squares = bpreg * (rated[j] * (rated[j] + TWO) - size)
            row[j] = curve[j] * (lost + weight[j] * (share * (gain - won[j]) + squares))
        row[i] = -back * curve[i]
        total += bpreg * size - np.log(gain + TINY)
    return total


@jit
def _elu(row: Array, rated: Array, curve: Array, bits: Array, elu: float) -> None:
    """Scores through an ELU, and its slope at each; scores as they are for 0."""
    for j in range(len(row)):
        rated[j], curve[j] = row[j], ONE
    if elu > 0:
        for j in range(len(row)):
            rated[j] = min(row[j], np.float32(0))
        exponential(rated, bits)
        for j in range(len(row)):
            curve[j] = ONE if row[j] > 0 else elu * rated[j]
            rated[j] = row[j] if row[j] > 0 else elu * (rated[j] - ONE)
