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
from numba import carray  # type: ignore[attr-defined]

from song2vec.core.arrays import Array
from song2vec.core.jit import compiled
from song2vec.vectors.training.draws import OPTIONS, Pair, below, draw, heard, path, sampled, step
from song2vec.vectors.training.lanes import fetch
from song2vec.vectors.training.local import stack_floats, stack_rows
from song2vec.vectors.training.products import HELD, fetch_path, give_back, learn_each, learn_mean, point

PIECE = 65_536  # a longer session is read in pieces of so many plays
GROUP = 4  # context songs that share negatives
PATHS = 64  # room for paths comes in multiples of so many nodes; a Huffman tree over 10**13 plays has shorter ones
ROOM = 2 * (1 + HELD)  # rows that a kernel needs for itself
APART = 16  # plays after which the nodes held are put together
POOL = 64  # groups whose negatives are drawn at once


class Log(NamedTuple):
    """The sessions: (plays,) songs, (sessions + 1,) offsets; of each song its row; of each row its chance to be kept, its weight."""

    songs: Array
    offsets: Array
    rows: Array
    keep: Array
    weights: Array


class Model(NamedTuple):
    """What is learned, (songs, size) and (outputs, size) float32, and what its outputs are drawn or found by."""

    inputs: Array
    outputs: Array
    aliases: Array
    song_nodes: Array
    node_nodes: Array
    sigmoid: Array


class Plan(NamedTuple):
    """The window; how many of the inputs and outputs are old, and by how much slower those learn."""

    window: int
    dynamic: bool
    old_inputs: int
    old_outputs: int
    pace: np.float32


@cache
def make_kernel(size: int, most: int, skip_gram: bool, hierarchical: bool, paced: bool) -> Any:
    """The trainer of one kind, with its sizes as constants so that LLVM unrolls and vectorises every loop over a row.

    Args:
        size: float32 in a row, a multiple of 16; further columns of a smaller size are zero and stay zero.
        most: outputs of a pair: the song and its negatives, or at least as many as the longest path has nodes.
        paced: whether there are old rows, which learn slower.

    Returns:
        kernel(log, model, plan, room, first, last, rate, end_rate, state): trains on sessions first to last - 1, with the rate
        falling linearly. ``room`` is for its own use, ``aligned(ROOM, size)``; ``state`` is a uint64 other than 0. Compiled when
        first called, kept on disk.
    """
    group = GROUP if skip_gram and not hierarchical else PIECE
    negatives, row, twice, six = 0 if hierarchical else most - 1, 4 * size, 2 * most, 6 * most

    @compiled(**OPTIONS)
    def kernel(log, model, plan, room, first, last, rate, end_rate, state):  # type: ignore[no-untyped-def]
        songs, offsets, rows, keep, weights = log
        inputs, outputs = model.inputs.ctypes.data, model.outputs.ctypes.data
        line, drawn = np.empty(PIECE, np.int64), np.empty(POOL * negatives, np.int64)
        near, held = room.ctypes.data, room.ctypes.data + 2 * row
        whole, parts = carray(stack_rows(twice), (2, most)), carray(stack_floats(six), (6, most))
        pair = Pair(whole[0], whole[1], parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
        pair.labels[:] = 0
        pair.labels[0] = 1  # unless a path says otherwise
        used, taken = len(drawn), 0
        fall = (end_rate - rate) / max(1, offsets[last] - offsets[first])
        for session in range(first, last):
            for begin in range(offsets[session], offsets[session + 1], PIECE):
                length, state = heard(songs, rows, keep, begin, min(begin + PIECE, offsets[session + 1]), line, state)
                for place in range(length):
                    song = line[place]
                    speed = np.float32(rate + fall * (begin + place - offsets[first])) * weights[song]
                    reach = plan.window
                    if plan.dynamic:
                        state = step(state)
                        reach = 1 + below(state, plan.window)
                    if place + plan.window + 1 < length:
                        fetch(inputs + line[place + plan.window + 1] * row, size)
                    low, high = max(0, place - reach), min(length, place + reach + 1)
                    around = high - low - 1
                    share = max(1, -(-around // max(1, -(-around // group))))  # like sizes: 5 are 3 and 2, not 4 and 1
                    for begun in range(0, around, share):
                        if hierarchical:
                            if place + 1 < length:
                                fetch_path(model.song_nodes, model.node_nodes, line[place + 1], outputs, size)
                            count = path(model.song_nodes, model.node_nodes, song, pair)
                        else:
                            if used == len(drawn):
                                state = draw(model.aliases, drawn, state)
                                used = 0
                            count = sampled(drawn, used, used + negatives, song, pair)
                            used += negatives
                            for k in range(used, min(used + negatives, len(drawn))):
                                fetch(outputs + drawn[k] * row, size)
                        taken = point(pair, count, speed, outputs, held, taken, plan, hierarchical, paced, size)
                        begin_at, end_at = low + begun, low + min(begun + share, around)
                        if skip_gram:
                            learn_each(inputs, line, begin_at, end_at, place, pair, count, near, plan, model.sigmoid, paced, size)
                        else:
                            learn_mean(inputs, line, begin_at, end_at, place, pair, count, near, plan, model.sigmoid, paced, size)
                    if hierarchical and place % APART == 0:
                        taken = give_back(taken, held, outputs, size)
                if hierarchical:
                    taken = give_back(taken, held, outputs, size)

    return kernel
