"""Contexts learn against the outputs of a play, and they from them, each by the other as it was. Inlined into the kernel.

Two outputs go at a time, so that the context is read and written half as often: more, and LLVM, which must ask at run time whether
any of the rows overlap, no longer turns the loops into vector instructions. Unsigned rows spare it numba's care of negative ones.
"""

from __future__ import annotations

import numpy as np

from song2vec.vectors.training.draws import inlined

EDGE = np.float32(6)  # scores beyond teach nothing, as in gensim: what is right enough would grow without end, what is so wrong is chance
NOW, NEXT = np.uint64(0), np.uint64(1)  # rows of Workspace.near
_ONE, _ROW = np.float32(1), np.uint64(1)
_TOP = np.float32(8648640), np.float32(277200), np.float32(1512)
_BOTTOM = np.float32(34594560), np.float32(3991680), np.float32(50400), np.float32(112)


@inlined
def error_of(score, label, rate):  # type: ignore[no-untyped-def]
    """(label - sigmoid(score) + 1/2) times the rate; the sigmoid by a continued fraction (Lambert 1770), right to a millionth."""
    square = score * score
    top = _TOP[0] + square * (_TOP[1] + square * (_TOP[2] + square))
    bottom = _BOTTOM[0] + square * (_BOTTOM[1] + square * (_BOTTOM[2] + square * _BOTTOM[3]))
    error = rate * (label - score * top / bottom)
    return error if abs(score) < EDGE else np.float32(0)


@inlined
def find_scores(work, which, outputs, count, size):  # type: ignore[no-untyped-def]
    """The inner product of a context and each output."""
    near = work.near
    for two in range(count // 2):
        k = np.uint64(2 * two)
        first, second = np.uint64(work.rows[k]), np.uint64(work.rows[k + _ROW])
        a = b = np.float32(0)
        for j in range(size):
            a += near[which, j] * outputs[first, j]
            b += near[which, j] * outputs[second, j]
        work.scores[k], work.scores[k + _ROW] = a, b
    if count % 2:
        k = np.uint64(count - 1)
        last = np.uint64(work.rows[k])
        a = np.float32(0)
        for j in range(size):
            a += near[which, j] * outputs[last, j]
        work.scores[k] = a


@inlined
def learn(work, target, row, scale, outputs, count, onward, size):  # type: ignore[no-untyped-def]
    """The context NOW and its outputs learn by their scores.

    Args:
        target, row: where what the context learns is added.
        scale: of the learning rate of the context; outputs have theirs in ``work.scales``.
        onward: whether to find the scores of the context NEXT by the way, while the outputs, as they are now, are at hand.
    """
    near = work.near
    for two in range(count // 2):
        k = np.uint64(2 * two)
        m = k + _ROW
        first, second = np.uint64(work.rows[k]), np.uint64(work.rows[m])
        a = error_of(work.scores[k], work.labels[k], work.rates[k])
        b = error_of(work.scores[m], work.labels[m], work.rates[m])
        in_a, in_b, out_a, out_b = scale * a, scale * b, work.scales[k] * a, work.scales[m] * b
        next_a = next_b = np.float32(0)
        for j in range(size):
            x, v, w = near[NOW, j], outputs[first, j], outputs[second, j]
            target[row, j] += in_a * v + in_b * w
            v += out_a * x
            w += out_b * x
            outputs[first, j] = v
            outputs[second, j] = w
            if onward:
                next_a += near[NEXT, j] * v
                next_b += near[NEXT, j] * w
        work.scores[k], work.scores[m] = next_a, next_b
    if count % 2:
        k = np.uint64(count - 1)
        last = np.uint64(work.rows[k])
        a = error_of(work.scores[k], work.labels[k], work.rates[k])
        in_a, out_a, next_a = scale * a, work.scales[k] * a, np.float32(0)
        for j in range(size):
            v = outputs[last, j]
            target[row, j] += in_a * v
            v += out_a * near[NOW, j]
            outputs[last, j] = v
            if onward:
                next_a += near[NEXT, j] * v
        work.scores[k] = next_a


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
