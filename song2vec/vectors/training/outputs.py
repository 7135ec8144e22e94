"""Which outputs predict a song: the nodes above it in the tree, or the song itself and some negatives. Inlined into the kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.simd import LINE, prefetch
from song2vec.vectors.training.draws import inlined

HELD = 32  # nodes nearest the root, which all threads change all the time: each changes copies of its own, put together now and then
_ONE, _HALF = np.float32(1), np.float32(0.5)


class Workspace(NamedTuple):
    """What one thread works with: of each output of a play its row, label (1/2 where it is right, -1/2 where it is wrong), learning
    rate, learning-rate scale and score; (2, size) the context now and the one after it; (1, size) what the mean of contexts has
    learned."""

    rows: Array
    labels: Array
    rates: Array
    scales: Array
    scores: Array
    near: Array
    gain: Array


@inlined
def workspace(most, size):  # type: ignore[no-untyped-def]
    """For ``most`` outputs; the first is right, being the song itself, unless a path says otherwise."""
    numbers = np.zeros((4, most), np.float32)
    numbers[0] = -_HALF
    numbers[0, 0] = _HALF
    near, gain = np.empty((2, size), np.float32), np.empty((1, size), np.float32)
    return Workspace(np.empty(most, np.int64), numbers[0], numbers[1], numbers[2], numbers[3], near, gain)


@inlined
def path(model, plan, song, rate, own, held, work, size):  # type: ignore[no-untyped-def]
    """The nodes above a song; a first branch is right, as in word2vec.c.

    Returns how many, and ``held`` with the bits of those that the thread now has copies of: as they were, in the rows from
    ``own + HELD`` on, and as it changes them, from ``own`` on.
    """
    count, outputs = 0, model.outputs
    above = np.int64(model.song_nodes[song])
    while above >= 0:
        node = above >> 1
        work.labels[count] = _HALF - np.float32(above & 1)
        work.rates[count] = rate
        work.scales[count] = plan.scale if node < plan.old_outputs else _ONE
        above = np.int64(model.node_nodes[node])
        if node < HELD:
            if not (held >> node) & 1:
                for j in range(size):
                    outputs[own + node, j] = outputs[node, j]
                    outputs[own + HELD + node, j] = outputs[node, j]
                held |= 1 << node
            node += own
        work.rows[count] = node
        count += 1
    return count, held


@inlined
def put_together(outputs, held, own, size):  # type: ignore[no-untyped-def]
    """Add what the copies have learned to what their nodes have learned from others; none is held any more."""
    for node in range(HELD):
        if (held >> node) & 1:
            for j in range(size):
                outputs[node, j] += outputs[own + node, j] - outputs[own + HELD + node, j]
    return 0


@inlined
def sampled(plan, drawn, begin, end, song, rate, work):  # type: ignore[no-untyped-def]
    """The song, and each of these negatives once; what is drawn twice is meant twice, the song never. Returns how many."""
    work.rows[0] = song
    work.rates[0] = rate
    count = 1
    for place in range(begin, end):
        same = 0
        while same < count and work.rows[same] != drawn[place]:
            same += 1
        if same == count:
            work.rows[count] = drawn[place]
            work.rates[count] = rate
            count += 1
        elif same > 0:
            work.rates[same] += rate
    for k in range(count):
        work.scales[k] = plan.scale if work.rows[k] < plan.old_outputs else _ONE
    return count


@inlined
def prefetch_row(matrix, row, size):  # type: ignore[no-untyped-def]
    """Ask for a row that is needed soon."""
    for place in range(0, size, LINE):
        prefetch(matrix, row, place)


@inlined
def prefetch_path(model, song, size):  # type: ignore[no-untyped-def]
    """Ask for the nodes above a song; those nearest the root are in a near cache anyway."""
    above = np.int64(model.song_nodes[song])
    while above >= 2 * HELD:
        prefetch_row(model.outputs, above >> 1, size)
        above = np.int64(model.node_nodes[above >> 1])
