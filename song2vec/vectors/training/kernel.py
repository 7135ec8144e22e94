"""The inner loop of word2vec: sessions in, two matrices changed in place.

Songs around a play share its outputs: in hierarchical softmax they have the same path anyway, in negative sampling up to
``GROUP`` of them share their negatives, as in Ji et al. 2016 (arXiv:1604.04661), so that the rows of outputs are fetched once
and stay in the nearest cache. Ji et al. learn from all pairs of a group at once, by the values before it, which learns less of
rare songs and swings around frequent ones; here one pair learns after the other, each from what those before it changed, so
hierarchical softmax is that of word2vec.c. The trade that is left: fewer negatives are drawn, though each pair has as many.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import compiled
from song2vec.core.simd import LINE, prefetch
from song2vec.vectors.training.draws import OPTIONS, below, draw, inlined, kept_plays, step
from song2vec.vectors.training.learning import learn_each, learn_mean

PIECE = 65_536  # a longer session is read in pieces of so many plays
GROUP = 4  # context songs that share negatives
APART = 16  # plays after which the nodes held are put together
POOL = 64  # groups whose negatives are drawn at once
HELD = 32  # nodes nearest the root, which all threads change all the time: each changes copies of its own, put together now and then
_ONE, _HALF = np.float32(1), np.float32(0.5)


class Log(NamedTuple):
    """The sessions: (plays,) songs, (sessions + 1,) offsets; of each song its row; of each row its chance to be kept, its weight."""

    songs: Array
    offsets: Array
    rows: Array
    keep: Array
    weights: Array


class Model(NamedTuple):
    """What is learned, (songs, size) and (outputs, size) float32, and what its outputs are drawn or found by; with a tree, ``outputs``
    has 2 * HELD rows a thread behind its nodes."""

    inputs: Array
    outputs: Array
    aliases: Array
    song_nodes: Array
    node_nodes: Array


class KernelOptions(NamedTuple):
    """The window; negatives a pair; most outputs of a play; how many inputs and outputs are old, and the scale of their learning rate."""

    window: int
    dynamic: bool
    n_negatives: int
    most: int
    old_inputs: int
    old_outputs: int
    scale: np.float32


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


@cache
def make_kernel(size: int, skip_gram: bool, hierarchical: bool) -> Any:
    """The trainer of one kind, with its size as a constant so that LLVM unrolls and vectorises every loop over a row.

    Args:
        size: float32 in a row, a multiple of 16; further columns of a smaller size are zero and stay zero.

    Returns:
        kernel(log, model, plan, own, first, last, rate, end_rate, state): trains on sessions first to last - 1, with the rate
        falling linearly. ``own`` is the first of the thread's own rows of outputs; ``state`` is a uint64 other than 0. Compiled
        when first called, kept on disk.
    """
    group = GROUP if skip_gram and not hierarchical else PIECE

    @compiled(**OPTIONS)
    def kernel(log, model, plan, own, first, last, rate, end_rate, state):  # type: ignore[no-untyped-def]
        songs, offsets, rows, keep, weights = log
        line, drawn = np.empty(PIECE, np.int64), np.empty(POOL * plan.n_negatives, np.int64)
        numbers, near, gain = np.zeros((4, plan.most), np.float32), np.empty((2, size), np.float32), np.empty((1, size), np.float32)
        numbers[0, 1:], numbers[0, 0] = -_HALF, _HALF  # the first is right, being the song itself, unless a path says otherwise
        work = Workspace(np.empty(plan.most, np.int64), numbers[0], numbers[1], numbers[2], numbers[3], near, gain)
        used, held = len(drawn), 0
        fall = (end_rate - rate) / max(1, offsets[last] - offsets[first])
        for session in range(first, last):
            for begin in range(offsets[session], offsets[session + 1], PIECE):
                length, state = kept_plays(songs, rows, keep, begin, min(begin + PIECE, offsets[session + 1]), line, state)
                for place in range(length):
                    song = line[place]
                    speed = np.float32(rate + fall * (begin + place - offsets[first])) * weights[song]
                    reach = plan.window
                    if plan.dynamic:
                        state = step(state)
                        reach = 1 + below(state, plan.window)
                    if place + plan.window + 1 < length:
                        prefetch_row(model.inputs, line[place + plan.window + 1], size)
                    low, high = max(0, place - reach), min(length, place + reach + 1)
                    around = high - low - 1
                    share = max(1, -(-around // max(1, -(-around // group))))  # like sizes: 5 are 3 and 2, not 4 and 1
                    for begun in range(0, around, share):
                        if hierarchical:
                            if place + 1 < length:
                                prefetch_path(model, line[place + 1], size)
                            count, held = path(model, plan, song, speed, own, held, work, size)
                        else:
                            if used == len(drawn):
                                state = draw(model.aliases, drawn, state)
                                used = 0
                            count = sampled(plan, drawn, used, used + plan.n_negatives, song, speed, work)
                            used += plan.n_negatives
                            for k in range(used, min(used + plan.n_negatives, len(drawn))):
                                prefetch_row(model.outputs, drawn[k], size)
                        begin_at, end_at = low + begun, low + min(begun + share, around)
                        if skip_gram:
                            learn_each(model, plan, line, begin_at, end_at, place, work, count, size)
                        else:
                            learn_mean(model, plan, line, begin_at, end_at, place, work, count, size)
                    if hierarchical and place % APART == 0:
                        held = put_together(model.outputs, held, own, size)
                if hierarchical:
                    held = put_together(model.outputs, held, own, size)

    return kernel
