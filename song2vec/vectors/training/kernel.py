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
from song2vec.vectors.training.draws import OPTIONS, below, draw, inlined, kept_plays, step
from song2vec.vectors.training.outputs import path, prefetch_path, prefetch_row, put_together, sampled, workspace
from song2vec.vectors.training.products import NEXT, NOW, find_scores, learn

PIECE = 65_536  # a longer session is read in pieces of so many plays
GROUP = 4  # context songs that share negatives
APART = 16  # plays after which the nodes held are put together
POOL = 64  # groups whose negatives are drawn at once
_ONE = np.float32(1)


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


class Plan(NamedTuple):
    """The window; negatives a pair; most outputs of a play; how many of inputs and outputs are old, and the scale of their learning
    rate."""

    window: int
    dynamic: bool
    n_negatives: int
    most: int
    old_inputs: int
    old_outputs: int
    scale: np.float32


@inlined
def beside(line, place, other):  # type: ignore[no-untyped-def]
    """The row of a context song, counted without the song at ``place``."""
    return np.uint64(line[other + (other >= place)])


@inlined
def learn_each(model, plan, line, low, high, place, work, count, size):  # type: ignore[no-untyped-def]
    """Skip-gram: one context after the other."""
    inputs, row = model.inputs, beside(line, place, low)
    for j in range(size):
        work.near[NEXT, j] = inputs[row, j]
    find_scores(work, NEXT, model.outputs, count, size)
    for other in range(low, high):
        following = beside(line, place, other + 1) if other + 1 < high else row
        for j in range(size):
            work.near[NOW, j] = work.near[NEXT, j]
            work.near[NEXT, j] = inputs[following, j]
        learn(work, inputs, row, plan.scale if row < plan.old_inputs else _ONE, model.outputs, count, True, size)
        if following == row and other + 1 < high:  # it has just changed
            for j in range(size):
                work.near[NEXT, j] = inputs[row, j]
            find_scores(work, NEXT, model.outputs, count, size)
        row = following


@inlined
def learn_mean(model, plan, line, low, high, place, work, count, size):  # type: ignore[no-untyped-def]
    """CBOW: the mean of the contexts learns, and each of them what it has learned."""
    inputs, share = model.inputs, _ONE / np.float32(high - low)
    work.near[NOW] = 0
    work.gain[NOW] = 0
    for other in range(low, high):
        row = beside(line, place, other)
        for j in range(size):
            work.near[NOW, j] += share * inputs[row, j]
    find_scores(work, NOW, model.outputs, count, size)
    learn(work, work.gain, NOW, _ONE, model.outputs, count, False, size)
    for other in range(low, high):
        row = beside(line, place, other)
        scale = plan.scale if row < plan.old_inputs else _ONE
        for j in range(size):
            inputs[row, j] += scale * work.gain[NOW, j]


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
        work = workspace(plan.most, size)
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
