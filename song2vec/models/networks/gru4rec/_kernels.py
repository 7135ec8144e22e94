"""A block of updates of a GRU layer between two tables, compiled: what :class:`RecurrentTrainee` does one by one."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.models.networks.gru4rec._data import Data, Learned, Rules, Weights, Workspace
from song2vec.models.networks.gru4rec._layer_kernels import EPSILON, gru_backward, gru_forward, jit
from song2vec.models.networks.gru4rec._loss_kernels import CROSS_ENTROPY, KEPT, SPAN, bpr_max, cross_entropy
from song2vec.models.networks.gru4rec.products import multiply, transpose
from song2vec.nn.adagrad import fetch_rows, step_rows


@jit
def learn(data: Data, rules: Rules, weights: Weights, space: Workspace) -> float:
    """Learn from a block; returns the loss summed over its targets."""
    total = 0.0
    for update in range(len(data.begin) - 1):
        begin, live = data.begin[update], data.begin[update + 1] - data.begin[update]
        count = live + data.negatives.shape[1]
        _gather(data, rules, weights, space, update, begin, live)
        _forward(data, weights, space, begin, live)
        if count > 1:  # else one session and no other song: nothing to learn from
            total += _loss_and_gradient(rules, space, live, count)
            _backward(data, rules, weights, space, begin, live)
            _move(rules, weights, space, live, count)
    return total


@jit
def _gather(data: Data, rules: Rules, weights: Weights, space: Workspace, update: int, begin: int, live: int) -> None:
    """Fetch the rows of all songs of a step, with their bias, and the states that its sessions begin it with."""
    for i in range(live):
        song, play = data.inputs[begin + i], begin + i
        space.rows[i], space.rows[live + i] = song, data.targets[play]
        space.x[i] = weights.source.parameters[song]
        space.before[i] = space.state[data.carried[play]]
        if not data.stays[play]:
            space.before[i] = 0
    count, hidden = live + data.negatives.shape[1], space.state.shape[1]
    space.rows[2 * live : live + count] = data.negatives[update]
    rows = space.rows[live : live + count]
    fetch_rows(weights.table.parameters, rows, space.columns)
    for j in range(count):
        space.columns[j, hidden] = weights.bias.parameters[rows[j], 0]
        if rules.correction.shape[1]:
            space.columns[j, hidden] -= rules.correction[0 if j < live else 1, rows[j]]


@jit
def _forward(data: Data, weights: Weights, space: Workspace, begin: int, live: int) -> None:
    """The states after the step: in ``transposed`` one a column, in ``after`` one a row, each with a 1 that meets the bias."""
    hidden = space.state.shape[1]
    gates, carried = _columns(space.gates, 3 * hidden, live), _columns(space.carried, 3 * hidden, live)
    inputs, before = _columns(space.inputs, space.x.shape[1], live), _columns(space.states, hidden, live)
    if len(data.mask_input):
        space.x[:live] *= data.mask_input[begin : begin + live]
    transpose(space.x[:live], inputs)
    transpose(space.before[:live], before)
    multiply(weights.weight_ih.parameters, inputs, gates)
    multiply(weights.weight_hh.parameters, before, carried)
    for j in range(3 * hidden):
        for i in range(live):
            gates[j, i] += weights.bias_ih.parameters[j]
            carried[j, i] += weights.bias_hh.parameters[j]
    after = _columns(space.transposed, hidden + 1, live)
    gru_forward(gates, carried, before, after[:hidden])
    if len(data.mask_hidden):
        for i in range(live):
            for j in range(hidden):
                after[j, i] *= data.mask_hidden[begin + i, j]
    transpose(after[:hidden], space.after)
    space.state[:live] = space.after[:live, :hidden]
    after[hidden] = 1


@jit
def _columns(memory: Array, rows: int, live: int) -> Array:
    """Memory for a matrix with a column for each session."""
    return memory[: rows * live].reshape(rows, live)


@jit
def _loss_and_gradient(rules: Rules, space: Workspace, live: int, count: int) -> float:
    """The loss, and the gradients by the outputs and by the rows of the output table, their bias among them."""
    gradient, back = _columns(space.scores, count, live), _columns(space.back, space.columns.shape[1], live)
    multiply(space.columns[:count], _columns(space.transposed, space.state.shape[1] + 1, live), gradient)
    kept = _columns(space.kept, KEPT, SPAN * live)
    total: float = cross_entropy(gradient, kept) if rules.loss == CROSS_ENTROPY else bpr_max(gradient, kept, rules.bpreg, rules.elu)
    multiply(space.columns[:count].T, gradient, back)
    space.after[:live] *= rules.scale
    back *= rules.scale
    space.after[:live, space.state.shape[1]] = rules.scale
    multiply(gradient, space.after[:live], space.slopes[live : live + count])
    return total


@jit
def _backward(data: Data, rules: Rules, weights: Weights, space: Workspace, begin: int, live: int) -> None:
    """From the gradient by the outputs to those by the weights of the layer and, in ``x``, by the inputs."""
    hidden = space.state.shape[1]
    gates, carried = _columns(space.gates, 3 * hidden, live), _columns(space.carried, 3 * hidden, live)
    back = _columns(space.back, space.columns.shape[1], live)[:hidden]
    if len(data.mask_hidden):
        for i in range(live):
            for j in range(hidden):
                back[j, i] *= data.mask_hidden[begin + i, j]
    gru_backward(gates, carried, _columns(space.states, hidden, live), back)
    multiply(gates, space.x[:live], space.layer.weight_ih)
    multiply(carried, space.before[:live], space.layer.weight_hh)
    for j in range(3 * hidden):
        space.layer.bias_ih[j] = gates[j].sum()
        space.layer.bias_hh[j] = carried[j].sum()
    if not rules.frozen:
        multiply(gates.T, weights.weight_ih.parameters, space.x[:live])
        if len(data.mask_input):
            space.x[:live] *= data.mask_input[begin : begin + live]


@jit
def _move(rules: Rules, weights: Weights, space: Workspace, live: int, count: int) -> None:
    """Adagrad on all that the step touched; in one table, a song's gradients are added up before they are squared."""
    _move_dense(weights.weight_ih, space.layer.weight_ih, rules)
    _move_dense(weights.weight_hh, space.layer.weight_hh, rules)
    _move_dense(weights.bias_ih, space.layer.bias_ih, rules)
    _move_dense(weights.bias_hh, space.layer.bias_hh, rules)
    skip, size, hidden = live, space.x.shape[1], space.state.shape[1]
    if rules.constrained:
        skip = 0
        space.slopes[:live, :size] = space.x[:live]
    elif not rules.frozen:
        _move_rows(weights.source, space.rows[:live], space.x[:live], rules, space.first)
    for j in range(count):
        space.slope[j, 0] = space.slopes[live + j, hidden]
    _move_rows(weights.table, space.rows[skip : live + count], space.slopes[skip : live + count], rules, space.first)
    _move_rows(weights.bias, space.rows[live : live + count], space.slope[:count], rules, space.first)


@jit
def _move_rows(learned: Learned, rows: Array, slopes: Array, rules: Rules, first: Array) -> None:
    step_rows(learned.parameters, learned.squares, learned.velocity, rows, slopes, first, rules.rate, rules.momentum, EPSILON)


@jit
def _move_dense(learned: Learned, gradient: Array, rules: Rules) -> None:
    parameters, squares, slope = learned.parameters.reshape(-1), learned.squares.reshape(-1), gradient.reshape(-1)
    for j in range(len(slope)):
        squares[j] += slope[j] * slope[j]
    for j in range(len(slope)):
        slope[j] = -rules.rate * (slope[j] / np.sqrt(squares[j] + EPSILON))
    if learned.velocity.size:
        velocity = learned.velocity.reshape(-1)
        for j in range(len(slope)):
            slope[j] += rules.momentum * velocity[j]
        velocity[:] = slope
    for j in range(len(slope)):
        parameters[j] += slope[j]
