"""A block of updates of a GRU layer between two tables, compiled: what ``task`` does one by one."""

from __future__ import annotations

import numpy as np

from song2vec.arrays import Array
from song2vec.next_song.rnn.adagrad import fetch_rows, step_rows
from song2vec.next_song.rnn.block_data import Data, Learned, Net, Room, Rules
from song2vec.next_song.rnn.kernels import CROSS_ENTROPY, EPSILON, bpr_max, cross_entropy, gru_backward, gru_forward, jit


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
    """Fetch the rows of all songs of a step, and the states that its sessions begin it with."""
    for i in range(live):
        song, play = data.inputs[begin + i], begin + i
        room.rows[i], room.rows[live + i] = song, data.targets[play]
        room.x[i] = net.source.parameters[song]
        room.before[i] = room.state[data.carried[play]]
        if not data.stays[play]:
            room.before[i] = 0
    count = live + data.negatives.shape[1]
    room.rows[2 * live : live + count] = data.negatives[update]
    rows = room.rows[live : live + count]
    fetch_rows(net.table.parameters, rows, room.weights)
    for j in range(count):
        room.shift[j] = net.bias.parameters[rows[j], 0]
        if rules.less.shape[1]:
            room.shift[j] -= rules.less[0 if j < live else 1, rows[j]]


@jit
def _forward(data: Data, net: Net, room: Room, begin: int, live: int) -> None:
    if len(data.mask_input):
        room.x[:live] *= data.mask_input[begin : begin + live]
    np.dot(room.x[:live], net.layer.w.T, room.gates[:live])
    np.dot(room.before[:live], net.layer.u.T, room.carried[:live])
    for i in range(live):
        room.gates[i] += net.layer.a
        room.carried[i] += net.layer.b
    gru_forward(room.gates[:live], room.carried[:live], room.before[:live], room.after[:live])
    if len(data.mask_hidden):
        room.after[:live] *= data.mask_hidden[begin : begin + live]
    room.state[:live] = room.after[:live]


@jit
def _grade(rules: Rules, room: Room, live: int, count: int) -> float:
    """The loss, and the gradients by the outputs, by the rows of the output table and by their bias."""
    grades = room.scores[: live * count].reshape(live, count)
    np.dot(room.after[:live], room.weights[:count].T, grades)
    shift, slope = room.shift[:count], room.slope[:count]
    total: float
    if rules.loss == CROSS_ENTROPY:
        total = cross_entropy(grades, shift, slope)
    else:
        total = bpr_max(grades, shift, slope, room.work, rules.bpreg, rules.elu)
    np.dot(grades, room.weights[:count], room.back[:live])
    room.slope[:count] *= rules.scale
    room.after[:live] *= rules.scale
    room.back[:live] *= rules.scale
    np.dot(grades.T, room.after[:live], room.slopes[live : live + count])
    return total


@jit
def _backward(data: Data, rules: Rules, net: Net, room: Room, begin: int, live: int) -> None:
    """From the gradient by the outputs to those by the weights of the layer and, in the first rows of ``slopes``, by the inputs."""
    if len(data.mask_hidden):
        room.back[:live] *= data.mask_hidden[begin : begin + live]
    gru_backward(room.gates[:live], room.carried[:live], room.before[:live], room.back[:live])
    np.dot(room.gates[:live].T, room.x[:live], room.layer.w)
    np.dot(room.carried[:live].T, room.before[:live], room.layer.u)
    room.layer.a[:] = 0
    room.layer.b[:] = 0
    for i in range(live):
        room.layer.a[:] += room.gates[i]
        room.layer.b[:] += room.carried[i]
    if not rules.frozen:
        np.dot(room.gates[:live], net.layer.w, room.x[:live])
        if len(data.mask_input):
            room.x[:live] *= data.mask_input[begin : begin + live]


@jit
def _move(rules: Rules, net: Net, room: Room, live: int, count: int) -> None:
    """Adagrad on all that the step touched; in one table, a song's gradients are added up before they are squared."""
    _move_flat(net.flat, room.flat, rules.rate, rules.momentum)
    skip = live
    if rules.constrained:
        skip = 0
        room.slopes[:live] = room.x[:live]
    elif not rules.frozen:
        _move_rows(net.source, room.rows[:live], room.x[:live], rules, room.first)
    _move_rows(net.table, room.rows[skip : live + count], room.slopes[skip : live + count], rules, room.first)
    _move_rows(net.bias, room.rows[live : live + count], room.slope[:count].reshape(count, 1), rules, room.first)


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
