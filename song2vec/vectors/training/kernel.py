"""The inner loop of word2vec: sessions in, two matrices changed in place.

Songs around a play share its outputs: in hierarchical softmax they have the same path anyway, in negative sampling up to
four of them share their negatives, as in Ji et al. 2016 (arXiv:1604.04661). One pair at a time becomes a small dense
product: scores H Oᵀ of g context rows H and k output rows O, errors E = rate (labels - sigmoid(scores)), and the updates
H += E O and O += Eᵀ H. Ji et al. take all of it from the values before, which learns less of rare songs and swings
around frequent ones; here each pair sees what the pairs before it changed (see ``products``), so hierarchical softmax is
that of word2vec.c, pair by pair. The trade that is left: fewer negatives are drawn, though each pair has as many.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numba
import numpy as np
from numba import carray  # type: ignore[attr-defined]

from song2vec.arrays import Array
from song2vec.vectors.training.draws import LINE, OPTIONS, below, heard, negative, path, sampled, step
from song2vec.vectors.training.local import prefetch, stack_floats
from song2vec.vectors.training.products import add, find_errors, find_gradient, find_scores, mean_around, update_outputs

PIECE = 65_536  # a longer session is read in pieces of so many plays
GROUP = 4  # context songs that share outputs
INLINED = ("draws.py", "products.py", "local.py")


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
    depth: int
    sigmoid: Array


class Plan(NamedTuple):
    """The window; how many of the inputs and outputs are old, and by how much slower those learn."""

    window: int
    dynamic: bool
    old_inputs: int
    old_outputs: int
    pace: np.float32


@cache
def make_kernel(size: int, negatives: int, skip_gram: bool, hierarchical: bool) -> Any:
    """The trainer of one kind, with its sizes as constants so that LLVM unrolls and vectorises every loop over a row.

    Args:
        size: float32 in a row, a multiple of 16; further columns of a smaller size are zero and stay zero.

    Returns:
        kernel(log, model, plan, first, last, rate, end_rate, state): trains on sessions first to last - 1, with the rate
        falling linearly; ``state`` is a uint64 other than 0. Compiled when first called, kept on disk.
    """
    group = GROUP if skip_gram else 1
    numbers = group * size
    edition = 1 | crc32(b"".join(Path(__file__).with_name(name).read_bytes() for name in INLINED))

    @numba.njit(cache=True, **OPTIONS)  # type: ignore[untyped-decorator]
    def kernel(log, model, plan, first, last, rate, end_rate, state):  # type: ignore[no-untyped-def]
        if edition == 0:  # never: numba looks at this file and at what is closed over to tell whether a kernel on disk is stale
            return
        songs, offsets, rows, keep, weights = log
        inputs, outputs, aliases, song_nodes, node_nodes, depth, sigmoid = model
        near = carray(stack_floats(numbers), (group, size))
        row = carray(stack_floats(size), size)
        most = depth + 1 + negatives
        outs, labels, paces = np.empty(most, np.int64), np.empty(most, np.float32), np.empty(most, np.float32)
        errors = np.empty((group, most), np.float32)
        at, ahead, line = np.empty(group, np.int64), np.empty(negatives, np.int64), np.empty(PIECE, np.int64)
        count = 0
        if not hierarchical:
            for k in range(negatives):
                ahead[k], state = negative(aliases, outputs, size, state)
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
                        for d in range(0, size, LINE):
                            prefetch(inputs, line[place + plan.window + 1] * size + d)
                    low, high = max(0, place - reach), min(length, place + reach + 1)
                    around = high - low - 1
                    if around < 1:
                        continue
                    if hierarchical:
                        count = path(song_nodes, node_nodes, song, outs, labels)
                    share = -(-around // -(-around // group)) if skip_gram else around  # like sizes: 5 are 3 and 2, not 4 and 1
                    begun = 0
                    while begun < around:
                        members = 0
                        for other in range(low + begun, low + min(begun + share, around) if skip_gram else low):
                            base = line[other + (other >= place)]
                            for c in range(members):
                                if at[c] == base:
                                    base = -1
                            if base < 0:  # a song twice in a product would be updated twice from the same values: that diverges
                                break
                            at[members] = base
                            for d in range(size):
                                near[members, d] = inputs[base, d]
                            members += 1
                        begun += members if skip_gram else around
                        if not skip_gram:
                            members = 1
                            mean_around(inputs, line, low, high, place, near, size)
                        if not hierarchical:
                            count, state = sampled(aliases, outputs, size, song, ahead, outs, labels, state)
                        for k in range(count):
                            paces[k] = plan.pace if outs[k] < plan.old_outputs else np.float32(1)
                        find_scores(outputs, near, members, outs, count, row, errors, size)
                        find_errors(sigmoid, near, members, labels, count, speed, paces, errors, size)
                        for c in range(members):
                            find_gradient(outputs, near, outs, count, c, row, paces, errors, size)
                            if skip_gram:
                                add(inputs, at[c], row, plan, size)
                        if not skip_gram:
                            for other in range(low, high):
                                if other != place:
                                    add(inputs, line[other], row, plan, size)
                        update_outputs(outputs, near, members, outs, count, row, paces, errors, size)

    return kernel
