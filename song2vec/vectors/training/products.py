"""What is done with a play: its context rows learn against the rows of its outputs. Inlined into the kernel, where ``size`` is known.

Rows are known by their addresses, so that one in a matrix and a copy of one are the same to all.
"""

from __future__ import annotations

import numpy as np

from song2vec.vectors.training.draws import inlined
from song2vec.vectors.training.lanes import add, clear, copy, fetch, find_scores, give, move, move_on

EDGE = 6.0  # scores beyond teach nothing, as in gensim: what is right enough would grow without end, what is so wrong is chance
HELD = 32  # nodes nearest the root, which all threads change all the time: changed in copies, put together now and then
_STEPS = 2048
SIGMOID = (1 / (1 + np.exp(-np.linspace(-EDGE, EDGE, _STEPS + 1)))).astype(np.float32)
_HIGH, _SCALE, _HALF = np.float32(EDGE), np.float32(_STEPS / 2 / EDGE), np.float32(0.5)
_ZERO, _ONE = np.float32(0), np.float32(1)


@inlined
def point(pair, count, speed, outputs, held, taken, plan, hierarchical, paced, size):  # type: ignore[no-untyped-def]
    """Say of each output where its row is and how fast it teaches and is taught; of the nodes held, bits say which are taken."""
    for k in range(count):
        out = pair.outs[k]
        pair.rows[k] = outputs + out * 4 * size
        pair.speeds[k] *= speed
        pair.paces[k] = plan.pace if paced and out < plan.old_outputs else _ONE
        if hierarchical and out < HELD:
            pair.rows[k] = held + out * 8 * size
            if not (taken >> out) & 1:
                take(pair.rows[k], outputs + out * 4 * size, size)
                taken |= 1 << out
    return taken


@inlined
def fetch_path(song_nodes, node_nodes, song, outputs, size):  # type: ignore[no-untyped-def]
    """Ask for the rows of a path that is needed soon; those near the root are in the nearest cache anyway."""
    above = song_nodes[song]
    while above >= 2 * HELD:
        fetch(outputs + (above >> 1) * 4 * size, size)
        above = node_nodes[above >> 1]


@inlined
def give_back(taken, held, outputs, size):  # type: ignore[no-untyped-def]
    """Put together what the nodes held have learned with what they have learned elsewhere; none is taken any more."""
    for out in range(HELD):
        if (taken >> out) & 1:
            give(outputs + out * 4 * size, held + out * 8 * size, _ONE, size)
    return 0


@inlined
def learn_each(inputs, line, low, high, place, pair, count, near, plan, sigmoid, paced, size):  # type: ignore[no-untyped-def]
    """Skip-gram: one song after the other from ``low`` to ``high`` - 1, the song at ``place`` not counted."""
    known = False  # are the scores of this song there, found while the one before it learned
    for other in range(low, high):
        base = line[other + (other >= place)]
        row = inputs + base * 4 * size
        if paced:
            take(near, row, size)
            learn(near, pair, count, sigmoid, paced, size)
            give(row, near, plan.pace if base < plan.old_inputs else _ONE, size)
        else:
            if not known:
                find_scores(row, pair.rows, count, pair.scores, size)
            find_errors(pair, count, sigmoid, paced)
            following = line[other + 1 + (other + 1 >= place)] if other + 1 < high else base
            known = following != base
            if known:
                move_on(row, inputs + following * 4 * size, pair.rows, count, pair.errors, pair.scores, size)
            else:
                move(row, pair.rows, count, pair.errors, pair.errors, size)


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
    find_scores(near, pair.rows, count, pair.scores, size)
    find_errors(pair, count, sigmoid, paced)
    move(near, pair.rows, count, pair.errors, pair.moves if paced else pair.errors, size)


@inlined
def find_errors(pair, count, sigmoid, paced):  # type: ignore[no-untyped-def]
    """What is wrong with each score, times how fast it is to be righted."""
    for k in range(count):
        score = min(max(pair.scores[k], -_HIGH), _HIGH)
        place = min(max(np.int32((score + _HIGH) * _SCALE + _HALF), np.int32(0)), np.int32(_STEPS))  # also of what is not a number
        error = pair.speeds[k] * (pair.labels[k] - sigmoid[place])
        pair.errors[k] = error if -_HIGH < score < _HIGH else _ZERO
        if paced:
            pair.moves[k] = pair.paces[k] * pair.errors[k]
