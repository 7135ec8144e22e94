"""The arithmetic of the kernel: g context rows against k output rows, as if one pair came after the other.

What the pairs before have changed is added where it matters, to scores and gradients: it takes g² / 2 dot products of
context rows and spares g passes over the outputs.

Inlined into the kernel, where ``size`` is a constant; a row's number is read into ``base`` before each loop over the row,
for LLVM must know that it stays what it is to vectorise.
"""

from __future__ import annotations

import numpy as np

from song2vec.vectors.training.draws import inlined

EDGE = 6.0  # scores beyond teach nothing, as in gensim: what is right enough would grow without end, what is so wrong is chance
_STEPS = 2048
SIGMOID = (1 / (1 + np.exp(-np.linspace(-EDGE, EDGE, _STEPS + 1)))).astype(np.float32)
_HIGH, _SCALE, _HALF = np.float32(EDGE), np.float32(_STEPS / 2 / EDGE), np.float32(0.5)
_ZERO, _ONE = np.float32(0), np.float32(1)


@inlined
def mean_around(inputs, line, low, high, place, near, size):  # type: ignore[no-untyped-def]
    """near[0] = the mean of the rows around a place, without it."""
    share = _ONE / np.float32(high - low - 1)
    for d in range(size):
        near[0, d] = _ZERO
    for other in range(low, high):
        if other != place:
            base = line[other]
            for d in range(size):
                near[0, d] += share * inputs[base, d]


@inlined
def find_scores(outputs, near, members, outs, count, row, errors, size):  # type: ignore[no-untyped-def]
    """errors[c, k] = output k . context c."""
    for k in range(count):
        base = outs[k]
        for d in range(size):
            row[d] = outputs[base, d]
        for c in range(members):
            score = _ZERO
            for d in range(size):
                score += row[d] * near[c, d]
            errors[c, k] = score


@inlined
def find_errors(sigmoid, near, members, labels, count, rate, paces, errors, size):  # type: ignore[no-untyped-def]
    """Scores become errors[c, k] = rate * (label k - sigmoid(score)), one context after another.

    When context c has its turn, output k has moved by errors[b, k] * context b for each b before, and its score with it.
    """
    for c in range(members):
        for b in range(c):
            dot = _ZERO
            for d in range(size):
                dot += near[b, d] * near[c, d]
            for k in range(count):
                errors[c, k] += dot * paces[k] * errors[b, k]
        for k in range(count):
            score = min(max(errors[c, k], -_HIGH), _HIGH)
            place = min(max(np.int32((score + _HIGH) * _SCALE + _HALF), np.int32(0)), np.int32(_STEPS))  # also of what is not a number
            errors[c, k] = rate * (labels[k] - sigmoid[place]) if -_HIGH < score < _HIGH else _ZERO


@inlined
def find_gradient(outputs, near, outs, count, c, row, paces, errors, size):  # type: ignore[no-untyped-def]
    """row = sum over k of errors[c, k] * output k, as it is when context c has its turn."""
    for d in range(size):
        row[d] = _ZERO
    for k in range(count):
        error = errors[c, k]
        base = outs[k]
        for d in range(size):
            row[d] += error * outputs[base, d]
    for b in range(c):
        both = _ZERO
        for k in range(count):
            both += errors[c, k] * paces[k] * errors[b, k]
        for d in range(size):
            row[d] += both * near[b, d]


@inlined
def add(inputs, base, row, plan, size):  # type: ignore[no-untyped-def]
    """input += row, at the pace of old songs where it is one."""
    pace = plan.pace if base < plan.old_inputs else _ONE
    for d in range(size):
        inputs[base, d] += pace * row[d]


@inlined
def update_outputs(outputs, near, members, outs, count, row, paces, errors, size):  # type: ignore[no-untyped-def]
    """output k += sum over c of errors[c, k] * context c."""
    for k in range(count):
        base = outs[k]
        for d in range(size):
            row[d] = outputs[base, d]
        for c in range(members):
            error = paces[k] * errors[c, k]
            for d in range(size):
                row[d] += error * near[c, d]
        for d in range(size):
            outputs[base, d] = row[d]
