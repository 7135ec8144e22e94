"""A block of updates of a GRU layer between two tables, compiled: what :class:`RecurrentTrainee` does one by one, derived by hand.

A step's arrays have a row for each session, as in the module; the losses are those of ``nn.losses``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import compiled
from song2vec.nn.adagrad import fetch_rows, step_rows

# sums may be reordered and divisions by 0 are not checked: else loops stay scalar
jit: Callable[..., Any] = compiled(error_model="numpy", fastmath={"reassoc", "nsz", "contract", "arcp"})
ZERO, ONE, TWO, LIMIT, LOG2E = np.float32(0), np.float32(1), np.float32(2), np.float32(87), np.float32(1.4426950408889634)
TINY = np.float32(1e-24)
F2, F3, F4, F5, F6 = (np.float32(c) for c in (0.240226507, 0.0555041087, 0.00961812911, 0.00133335581, 0.000154035304))
F1 = np.float32(0.693147181)  # 2**t = 1 + F1 t + F2 t^2 + ...


class Block(NamedTuple):
    """A block of an epoch: entries as in :class:`song2vec.nn.batching.BatchPlan`, masks (entries, width) or (0, 0)."""

    begin: Array  # (updates + 1,) int64, from 0
    inputs: Array
    targets: Array
    carried: Array
    stays: Array  # 0 where a session begins, else 1
    negatives: Array  # (updates, n_negatives)
    mask_input: Array
    mask_hidden: Array


class Learned(NamedTuple):
    """Parameters as a matrix, with what Adagrad keeps of them."""

    parameters: Array
    squares: Array
    velocity: Array


class GRUWeights(NamedTuple):
    """All that is learned. ``source`` is the table that inputs are looked up in, ``table`` itself when it is constrained."""

    table: Learned
    bias: Learned
    source: Learned
    weight_ih: Learned
    weight_hh: Learned
    bias_ih: Learned
    bias_hh: Learned


class UpdateRules(NamedTuple):
    """How losses are counted and weights moved. ``correction`` is (2, m), taken off the scores of targets and negatives."""

    bpr_max: bool
    rate: np.float32
    momentum: np.float32
    scale: np.float32
    bpreg: np.float32
    elu: np.float32
    constrained: bool
    frozen: bool
    correction: Array


@jit
def learn(block: Block, rules: UpdateRules, weights: GRUWeights, state: Array) -> float:
    """Learn from a block; returns the loss summed over its targets. ``state`` (slots, hidden) is carried from step to step."""
    total, first = 0.0, np.full(max(len(weights.table.parameters), len(weights.weight_ih.parameters)), -1, np.int32)
    for update in range(len(block.begin) - 1):
        total += _update(block, rules, weights, state, first, update)
    return total


@jit
def _update(block: Block, rules: UpdateRules, weights: GRUWeights, state: Array, first: Array, update: int) -> float:
    begin, stop = block.begin[update], block.begin[update + 1]
    live, inputs = stop - begin, block.inputs[begin:stop]
    x, before = weights.source.parameters[inputs], state[block.carried[begin:stop]]
    if len(block.mask_input):
        x *= block.mask_input[begin:stop]
    for i in range(live):
        before[i] *= block.stays[begin + i]
    gates = np.dot(x, weights.weight_ih.parameters.T) + weights.bias_ih.parameters[:, 0]
    carried = np.dot(before, weights.weight_hh.parameters.T) + weights.bias_hh.parameters[:, 0]
    after = gru_forward(gates, carried, before)
    if len(block.mask_hidden):
        after *= block.mask_hidden[begin:stop]
    state[:live] = after

    songs = np.concatenate((block.targets[begin:stop], block.negatives[update]))
    if len(songs) == 1:  # one session and no other song: nothing to learn from
        return 0.0
    table, shift = fetch_rows(weights.table.parameters, songs), weights.bias.parameters[songs, 0]
    shift[:live] -= rules.correction[0][songs[:live]]
    shift[live:] -= rules.correction[1][songs[live:]]
    scores = np.dot(after, table.T)
    scores += shift
    loss: float = bpr_max(scores, rules.bpreg, rules.elu) if rules.bpr_max else cross_entropy(scores)
    back = np.dot(scores, table) * rules.scale
    after *= rules.scale
    slopes = np.empty((live + len(songs), after.shape[1]), np.float32)  # of inputs, and of targets and negatives
    np.dot(scores.T, after, slopes[live:])

    if len(block.mask_hidden):
        back *= block.mask_hidden[begin:stop]
    gru_backward(gates, carried, before, back)
    x_slopes = np.dot(gates, weights.weight_ih.parameters)
    if len(block.mask_input):
        x_slopes *= block.mask_input[begin:stop]
    every = np.arange(gates.shape[1])
    _move(weights.weight_ih, every, np.dot(gates.T, x), rules, first)
    _move(weights.weight_hh, every, np.dot(carried.T, before), rules, first)
    _move(weights.bias_ih, every, gates.sum(0).reshape(-1, 1), rules, first)
    _move(weights.bias_hh, every, carried.sum(0).reshape(-1, 1), rules, first)
    _move(weights.bias, songs, (scores.sum(0) * rules.scale).reshape(-1, 1), rules, first)
    if rules.constrained:  # one table, one update: a song's gradients are added up before they are squared
        slopes[:live] = x_slopes
        _move(weights.table, np.concatenate((inputs, songs)), slopes, rules, first)
    else:
        _move(weights.table, songs, slopes[live:], rules, first)
        if not rules.frozen:
            _move(weights.source, inputs, x_slopes, rules, first)
    return loss


@jit
def _move(learned: Learned, rows: Array, slopes: Array, rules: UpdateRules, first: Array) -> None:
    step_rows(learned.parameters, learned.squares, learned.velocity, rows, slopes, first, rules.rate, rules.momentum)


@jit
def gru_forward(gates: Array, carried: Array, before: Array) -> Array:
    """The next states (rows, hidden); gated inputs (rows, 3 hidden) become r, z and n."""
    hidden, after = before.shape[1], np.empty_like(before)
    for i in range(len(before)):
        gate, own, n = gates[i], carried[i], gates[i, 2 * hidden :]
        for j in range(2 * hidden):
            gate[j] = ONE / (ONE + exp(-(gate[j] + own[j])))
        for j in range(hidden):
            n[j] = TWO / (ONE + exp(-TWO * (n[j] + gate[j] * own[2 * hidden + j]))) - ONE
        for j in range(hidden):
            after[i, j] = n[j] + gate[hidden + j] * (before[i, j] - n[j])
    return after


@jit
def gru_backward(gates: Array, carried: Array, before: Array, back: Array) -> None:
    """From the gradient by the next state: r, z, n become the gradient by the gated input, ``carried`` that by U h + b."""
    hidden = before.shape[1]
    for i in range(len(before)):
        r, z, n, own = gates[i, :hidden], gates[i, hidden : 2 * hidden], gates[i, 2 * hidden :], carried[i, 2 * hidden :]
        for j in range(hidden):
            by_n = back[i, j] * (ONE - z[j]) * (ONE - n[j] * n[j])
            z[j] *= back[i, j] * (before[i, j] - n[j]) * (ONE - z[j])
            n[j] = by_n
        for j in range(hidden):
            by_own = n[j] * r[j]
            r[j] *= n[j] * own[j] * (ONE - r[j])
            own[j] = by_own
        carried[i, : 2 * hidden] = gates[i, : 2 * hidden]


@compiled(error_model="numpy", fastmath={"nsz", "contract"})
def exp(x: Any) -> Any:
    """To 3e-7; numbers beyond +-87 count as those. Sums in another order would be less exact."""
    scaled = min(max(x, -LIMIT), LIMIT) * LOG2E  # x first: what is no number stays none
    whole = np.int32(scaled + np.float32(127.5))
    t = scaled - np.float32(np.int32(whole - 127))
    return ((((((F6 * t + F5) * t + F4) * t + F3) * t + F2) * t + F1) * t + ONE) * np.int32(whole << np.int32(23)).view(np.float32)


@jit
def cross_entropy(scores: Array) -> float:
    """The loss of (sessions, songs) scores, the target of session i being song i; they become the gradient by themselves."""
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
