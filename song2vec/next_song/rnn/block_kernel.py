"""A block of updates of a GRU layer between two tables, compiled: what ``task`` does one by one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from song2vec.arrays import Array
from song2vec.next_song.rnn.adagrad import step_rows
from song2vec.next_song.rnn.kernels import CROSS_ENTROPY, EPSILON, bpr_max, cross_entropy, gru_backward, gru_forward, jit


class Learned(NamedTuple):
    """Parameters with what Adagrad keeps of them."""

    parameters: Array
    squares: Array
    velocity: Array


class Data(NamedTuple):
    """A block of the plan of an epoch: entries as in ``batches.Plan``, masks (entries, width) or (0, 0)."""

    begin: Array  # (updates + 1,) int64, from 0
    inputs: Array
    targets: Array
    carried: Array
    stays: Array  # 0 where a session begins, else 1
    negatives: Array  # (updates, sample)
    mask_input: Array
    mask_hidden: Array


class Rules(NamedTuple):
    """What the losses and the optimiser are told."""

    loss: int
    rate: np.float32
    momentum: np.float32
    scale: np.float32
    bpreg: np.float32
    elu: np.float32
    constrained: bool
    frozen: bool


@jit
def learn(
    data: Data, rules: Rules, table: Learned, bias: Learned, source: Learned, flat: Learned, less: Array, state: Array, first: Array
) -> float:
    """Learn from a block; returns the loss summed over its targets.

    Args:
        source: the table that inputs are looked up in.
        less: (2, m) what cross-entropy takes off the scores of targets and of samples, or (2, 0).
        state: (slots, hidden), carried in and out.
        first: (m,) int32, -1 before and after.
    """
    slots, hidden = state.shape
    size, sample = source.parameters.shape[1], data.negatives.shape[1]
    most = slots + sample
    x, back = np.empty((slots, size), np.float32), np.empty((slots, hidden), np.float32)
    before, after = np.empty((slots, hidden), np.float32), np.empty((slots, hidden), np.float32)
    gates, carried = np.empty((slots, 3 * hidden), np.float32), np.empty((slots, 3 * hidden), np.float32)
    weights, slopes = np.empty((most, hidden), np.float32), np.empty((slots + most, hidden), np.float32)
    shift, slope, rows = np.empty(most, np.float32), np.empty((most, 1), np.float32), np.empty(slots + most, np.int64)
    scores, work = np.empty(slots * most, np.float32), np.empty((4, max(most, 2 * hidden)), np.float32)
    bits, dense = np.empty(max(most, 2 * hidden), np.int32), np.empty(len(flat.parameters), np.float32)
    wide, square = 3 * hidden * size, 3 * hidden * hidden
    w, u = flat.parameters[:wide].reshape(3 * hidden, size), flat.parameters[wide : wide + square].reshape(3 * hidden, hidden)
    w_slope, u_slope = dense[:wide].reshape(3 * hidden, size), dense[wide : wide + square].reshape(3 * hidden, hidden)
    a, b = flat.parameters[wide + square : wide + square + 3 * hidden], flat.parameters[wide + square + 3 * hidden :]
    a_slope, b_slope = dense[wide + square : wide + square + 3 * hidden], dense[wide + square + 3 * hidden :]
    total = 0.0
    for update in range(len(data.begin) - 1):
        begin, end = data.begin[update], data.begin[update + 1]
        live = end - begin
        count = live + sample
        for i in range(live):
            song, play = data.inputs[begin + i], begin + i
            rows[i], rows[live + i] = song, data.targets[play]
            x[i] = source.parameters[song]
            before[i] = state[data.carried[play]]
            if not data.stays[play]:
                before[i] = 0
        rows[2 * live : live + count] = data.negatives[update]
        columns = rows[live : live + count]
        if len(data.mask_input):
            x[:live] *= data.mask_input[begin:end]
        np.dot(x[:live], w.T, gates[:live])
        np.dot(before[:live], u.T, carried[:live])
        for i in range(live):
            gates[i] += a
            carried[i] += b
        gru_forward(gates[:live], carried[:live], before[:live], after[:live], work[0], bits)
        if len(data.mask_hidden):
            after[:live] *= data.mask_hidden[begin:end]
        state[:live] = after[:live]
        for j in range(count):
            weights[j] = table.parameters[columns[j]]
            shift[j] = bias.parameters[columns[j], 0]
            if less.shape[1]:
                shift[j] -= less[0 if j < live else 1, columns[j]]
        if count == 1:  # one session, no other song: nothing to learn from
            continue
        grades = scores[: live * count].reshape(live, count)
        np.dot(after[:live], weights[:count].T, grades)
        for i in range(live):
            grades[i] += shift[:count]
        if rules.loss == CROSS_ENTROPY:
            total += cross_entropy(grades, bits)
        else:
            total += bpr_max(grades, bits, work, rules.bpreg, rules.elu)
        np.dot(grades, weights[:count], back[:live])
        slope[:count] = 0
        for i in range(live):
            for j in range(count):
                slope[j, 0] += grades[i, j]
        for j in range(count):
            slope[j, 0] *= rules.scale
        for i in range(live):
            for j in range(hidden):
                after[i, j] *= rules.scale
                back[i, j] *= rules.scale
        np.dot(grades.T, after[:live], slopes[live : live + count])
        if len(data.mask_hidden):
            back[:live] *= data.mask_hidden[begin:end]
        gru_backward(gates[:live], carried[:live], before[:live], back[:live])
        if not rules.frozen:
            by_input = np.dot(gates[:live], w)
            if len(data.mask_input):
                by_input *= data.mask_input[begin:end]
            if rules.constrained:
                slopes[:live] = by_input
            else:
                step_rows(
                    source.parameters, source.squares, source.velocity, rows[:live], by_input, first, rules.rate, rules.momentum, EPSILON
                )
        np.dot(gates[:live].T, x[:live], w_slope)
        np.dot(carried[:live].T, before[:live], u_slope)
        a_slope[:] = 0
        b_slope[:] = 0
        for i in range(live):
            a_slope += gates[i]
            b_slope += carried[i]
        _step_flat(flat, dense, rules.rate, rules.momentum)
        skip = 0 if rules.constrained else live
        step_rows(
            table.parameters,
            table.squares,
            table.velocity,
            rows[skip : live + count],
            slopes[skip : live + count],
            first,
            rules.rate,
            rules.momentum,
            EPSILON,
        )
        step_rows(bias.parameters, bias.squares, bias.velocity, columns, slope[:count], first, rules.rate, rules.momentum, EPSILON)
    return total


@jit
def _step_flat(flat: Learned, slope: Array, rate: float, momentum: float) -> None:
    parameters, squares, velocity = flat.parameters, flat.squares, flat.velocity
    for j in range(len(slope)):
        squares[j] += slope[j] * slope[j]
    for j in range(len(slope)):
        slope[j] = -rate * (slope[j] / np.sqrt(squares[j] + EPSILON))
    if len(velocity):
        for j in range(len(slope)):
            slope[j] += momentum * velocity[j]
        velocity[:] = slope
    for j in range(len(slope)):
        parameters[j] += slope[j]
