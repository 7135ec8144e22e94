"""What is done with a play: its context rows learn against the rows of its outputs. Inlined into the kernel, where ``size`` is known.

Rows are known by their addresses, so that one in a matrix and a copy of one are the same to all.
"""

from __future__ import annotations

import numpy as np

from song2vec.vectors.training.draws import inlined
from song2vec.vectors.training.lanes import add, clear, copy, find_scores, give, move

EDGE = 6.0  # scores beyond teach nothing, as in gensim: what is right enough would grow without end, what is so wrong is chance
HELD = 32  # nodes nearest the root, which all threads change all the time: changed in copies, put together after each play
_STEPS = 2048
SIGMOID = (1 / (1 + np.exp(-np.linspace(-EDGE, EDGE, _STEPS + 1)))).astype(np.float32)
_HIGH, _SCALE, _HALF = np.float32(EDGE), np.float32(_STEPS / 2 / EDGE), np.float32(0.5)
_ZERO, _ONE = np.float32(0), np.float32(1)


@inlined
def point(pair, count, speed, outputs, held, plan, hierarchical, paced, size):  # type: ignore[no-untyped-def]
    """Say of each output where its row is and how fast it teaches and is taught."""
    for k in range(count):
        out = pair.outs[k]
        pair.rows[k] = outputs + out * 4 * size
        pair.speeds[k] *= speed
        pair.paces[k] = plan.pace if paced and out < plan.old_outputs else _ONE
        if hierarchical and out < HELD:
            pair.rows[k] = held + out * 8 * size
            take(pair.rows[k], outputs + out * 4 * size, size)


@inlined
def give_back(pair, count, outputs, size):  # type: ignore[no-untyped-def]
    """Put together what the nodes held have learned with what they have learned elsewhere."""
    for k in range(count):
        if pair.outs[k] < HELD:
            give(outputs + pair.outs[k] * 4 * size, pair.rows[k], _ONE, size)


@inlined
def learn_each(inputs, line, low, high, place, pair, count, near, plan, sigmoid, paced, size):  # type: ignore[no-untyped-def]
    """Skip-gram: one song after the other from ``low`` to ``high`` - 1, the song at ``place`` not counted."""
    for other in range(low, high):
        base = line[other + (other >= place)]
        row = inputs + base * 4 * size
        if paced:
            take(near, row, size)
            learn(near, pair, count, sigmoid, paced, size)
            give(row, near, plan.pace if base < plan.old_inputs else _ONE, size)
        else:
            learn(row, pair, count, sigmoid, paced, size)


@inlined
def learn_mean(inputs, line, low, high, place, pair, count, near, plan, sigmoid, paced, size):  # type: ignore[no-untyped-def]
    """CBOW: the mean of these songs learns, and each of them what it has learned."""
    share = _ONE / np.float32(high - low)
    clear(near, size)
    for other in range(low, high):
        add(near, inputs + line[other + (other >= place)] * 4 * size, share, size)
    copy(near + 4 * size, near, size)
    learn(near, pair, count, sigmoid, paced, size)
    for other in range(low, high):
        base = line[other + (other >= place)]
        give(inputs + base * 4 * size, near, plan.pace if paced and base < plan.old_inputs else _ONE, size)


@inlined
def take(held, row, size):  # type: ignore[no-untyped-def]
    """A row into the first of two, to change there, and into the second, to tell later by how much it changed."""
    copy(held, row, size)
    copy(held + 4 * size, row, size)


@inlined
def learn(near, pair, count, sigmoid, paced, size):  # type: ignore[no-untyped-def]
    """A context row and its outputs learn, each by the others as they were."""
    find_scores(near, pair.rows, count, pair.errors, size)
    for k in range(count):
        score = min(max(pair.errors[k], -_HIGH), _HIGH)
        place = min(max(np.int32((score + _HIGH) * _SCALE + _HALF), np.int32(0)), np.int32(_STEPS))  # also of what is not a number
        error = pair.speeds[k] * (pair.labels[k] - sigmoid[place])
        pair.errors[k] = error if -_HIGH < score < _HIGH else _ZERO
        if paced:
            pair.moves[k] = pair.paces[k] * pair.errors[k]
    move(near, pair.rows, count, pair.errors, pair.moves if paced else pair.errors, size)
