"""A block of updates of a GRU layer between two tables, compiled: what ``task`` does one by one."""

from __future__ import annotations

import numpy as np

from song2vec.core.arrays import Array
from song2vec.models.networks.rnn.adagrad import fetch_rows, step_rows
from song2vec.models.networks.rnn.block_data import Data, Learned, Net, Room, Rules
from song2vec.models.networks.rnn.kernels import EPSILON, gru_backward, gru_forward, jit
from song2vec.models.networks.rnn.loss_kernels import CROSS_ENTROPY, KEPT, SPAN, bpr_max, cross_entropy
from song2vec.models.networks.rnn.products import multiply, turn


@jit
def learn(data: Data, rules: Rules, net: Net, room: Room) -> float:
    """Learn from a block; returns the loss summed over its targets."""
    total = 0.0
    for update in range(len(data.begin) - 1):
        begin, live = data.begin[update], data.begin[update + 1] - data.begin[update]
        count = live + data.negatives.shape[1]
        _gather(data, rules, net, room, update, begin, live)
        _forward(data, net, room, begin, live)
        if count > 1:  # else one session and no other song: nothing to learn from
            total += _grade(rules, room, live, count)
            _backward(data, rules, net, room, begin, live)
            _move(rules, net, room, live, count)
    return total


@jit
def _gather(data: Data, rules: Rules, net: Net, room: Room, update: int, begin: int, live: int) -> None:
    """Fetch the rows of all songs of a step, with their bias, and the states that its sessions begin it with."""
    for i in range(live):
        song, play = data.inputs[begin + i], begin + i
        room.rows[i], room.rows[live + i] = song, data.targets[play]
        room.x[i] = net.source.parameters[song]
        room.before[i] = room.state[data.carried[play]]
        if not data.stays[play]:
            room.before[i] = 0
    count, hidden = live + data.negatives.shape[1], room.state.shape[1]
    room.rows[2 * live : live + count] = data.negatives[update]
    rows = room.rows[live : live + count]
    fetch_rows(net.table.parameters, rows, room.weights)
    for j in range(count):
        room.weights[j, hidden] = net.bias.parameters[rows[j], 0]
        if rules.less.shape[1]:
            room.weights[j, hidden] -= rules.less[0 if j < live else 1, rows[j]]


@jit
def _forward(data: Data, net: Net, room: Room, begin: int, live: int) -> None:
    """The states after the step: in ``turned`` one a column, in ``after`` one a row, each with a 1 that meets the bias."""
    hidden = room.state.shape[1]
    gates, carried = _columns(room.gates, 3 * hidden, live), _columns(room.carried, 3 * hidden, live)
    inputs, before = _columns(room.inputs, room.x.shape[1], live), _columns(room.states, hidden, live)
    if len(data.mask_input):
        room.x[:live] *= data.mask_input[begin : begin + live]
    turn(room.x[:live], inputs)
    turn(room.before[:live], before)
    multiply(net.layer.w, inputs, gates)
    multiply(net.layer.u, before, carried)
    for j in range(3 * hidden):
        for i in range(live):
            gates[j, i] += net.layer.a[j]
            carried[j, i] += net.layer.b[j]
    after = _columns(room.turned, hidden + 1, live)
    gru_forward(gates, carried, before, after[:hidden])
    if len(data.mask_hidden):
        for i in range(live):
            for j in range(hidden):
                after[j, i] *= data.mask_hidden[begin + i, j]
    turn(after[:hidden], room.after)
    room.state[:live] = room.after[:live, :hidden]
    after[hidden] = 1


@jit
def _columns(room: Array, rows: int, live: int) -> Array:
    """Memory for a matrix with a column for each session."""
    return room[: rows * live].reshape(rows, live)


@jit
def _grade(rules: Rules, room: Room, live: int, count: int) -> float:
    """The loss, and the gradients by the outputs and by the rows of the output table, their bias among them."""
    grades, back = _columns(room.scores, count, live), _columns(room.back, room.weights.shape[1], live)
    multiply(room.weights[:count], _columns(room.turned, room.state.shape[1] + 1, live), grades)
    kept = _columns(room.kept, KEPT, SPAN * live)
    total: float = cross_entropy(grades, kept) if rules.loss == CROSS_ENTROPY else bpr_max(grades, kept, rules.bpreg, rules.elu)
    multiply(room.weights[:count].T, grades, back)
    room.after[:live] *= rules.scale
    back *= rules.scale
    room.after[:live, room.state.shape[1]] = rules.scale
    multiply(grades, room.after[:live], room.slopes[live : live + count])
    return total


@jit
def _backward(data: Data, rules: Rules, net: Net, room: Room, begin: int, live: int) -> None:
    """From the gradient by the outputs to those by the weights of the layer and, in ``x``, by the inputs."""
    hidden = room.state.shape[1]
    gates, carried = _columns(room.gates, 3 * hidden, live), _columns(room.carried, 3 * hidden, live)
    back = _columns(room.back, room.weights.shape[1], live)[:hidden]
    if len(data.mask_hidden):
        for i in range(live):
            for j in range(hidden):
                back[j, i] *= data.mask_hidden[begin + i, j]
    gru_backward(gates, carried, _columns(room.states, hidden, live), back)
    multiply(gates, room.x[:live], room.layer.w)
    multiply(carried, room.before[:live], room.layer.u)
    for j in range(3 * hidden):
        room.layer.a[j] = gates[j].sum()
        room.layer.b[j] = carried[j].sum()
    if not rules.frozen:
        multiply(gates.T, net.layer.w, room.x[:live])
        if len(data.mask_input):
            room.x[:live] *= data.mask_input[begin : begin + live]


@jit
def _move(rules: Rules, net: Net, room: Room, live: int, count: int) -> None:
    """Adagrad on all that the step touched; in one table, a song's gradients are added up before they are squared."""
    _move_flat(net.flat, room.flat, rules.rate, rules.momentum)
    skip, size, hidden = live, room.x.shape[1], room.state.shape[1]
    if rules.constrained:
        skip = 0
        room.slopes[:live, :size] = room.x[:live]
    elif not rules.frozen:
        _move_rows(net.source, room.rows[:live], room.x[:live], rules, room.first)
    for j in range(count):
        room.slope[j, 0] = room.slopes[live + j, hidden]
    _move_rows(net.table, room.rows[skip : live + count], room.slopes[skip : live + count], rules, room.first)
    _move_rows(net.bias, room.rows[live : live + count], room.slope[:count], rules, room.first)


@jit
def _move_rows(learned: Learned, rows: Array, slopes: Array, rules: Rules, first: Array) -> None:
    step_rows(learned.parameters, learned.squares, learned.velocity, rows, slopes, first, rules.rate, rules.momentum, EPSILON)


@jit
def _move_flat(flat: Learned, slope: Array, rate: float, momentum: float) -> None:
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
