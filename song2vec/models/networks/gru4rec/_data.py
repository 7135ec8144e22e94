"""What the compiled block of updates works with: parameters, data, rules, and memory made once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.models.networks.gru4rec._loss_kernels import KEPT, SPAN
from song2vec.models.networks.gru4rec.products import LANES


class Learned(NamedTuple):
    """Parameters with what Adagrad keeps of them."""

    parameters: Array
    squares: Array
    velocity: Array


class Layer(NamedTuple):
    """Gradients of the layer."""

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array
    bias_hh: Array


class Weights(NamedTuple):
    """All that is learned. ``source`` is the table that inputs are looked up in, ``table`` itself when it is constrained."""

    table: Learned
    bias: Learned
    source: Learned
    weight_ih: Learned
    weight_hh: Learned
    bias_ih: Learned
    bias_hh: Learned


class Data(NamedTuple):
    """A block of the plan of an epoch: entries as in ``batching.Plan``, masks (entries, width) or (0, 0)."""

    begin: Array  # (updates + 1,) int64, from 0
    inputs: Array
    targets: Array
    carried: Array
    stays: Array  # 0 where a session begins, else 1
    negatives: Array  # (updates, n_negatives)
    mask_input: Array
    mask_hidden: Array


class Rules(NamedTuple):
    """How losses are counted and weights moved. ``correction`` is (2, m), taken off the scores of targets and negatives, or (2, 0)."""

    loss: int
    rate: np.float32
    momentum: np.float32
    scale: np.float32
    bpreg: np.float32
    elu: np.float32
    constrained: bool
    frozen: bool
    correction: Array


class Workspace(NamedTuple):
    """Memory of a lane, made once. Matrices have a row for each session, or for each target and negative; flat ones a column."""

    state: Array  # carried from step to step
    first: Array  # (m,) int32, -1 between steps
    rows: Array  # of inputs and then of targets and negatives
    x: Array
    inputs: Array  # flat, x
    before: Array
    states: Array  # flat, before
    gates: Array  # flat
    carried: Array  # flat
    after: Array  # and behind it a 1, and zeros: all sizes of rows are multiples of a vector's
    transposed: Array  # flat, after
    columns: Array  # rows of the output table, and behind each its bias
    scores: Array  # flat
    kept: Array  # of the losses
    back: Array  # flat
    slopes: Array  # of inputs and then of targets and negatives, their bias behind each
    slope: Array  # of the biases
    layer: Layer


def make_workspace(slots: int, hidden: int, size: int, n_negatives: int, songs: int) -> Workspace:
    """Memory for so many slots."""
    most, gates = slots + n_negatives, 3 * hidden
    wide = -(-(hidden + 1) // LANES) * LANES

    def blank(*size: int) -> Array:
        return np.zeros(size, np.float32)

    return Workspace(
        state=blank(slots, hidden),
        first=np.full(songs, -1, np.int32),
        rows=np.empty(slots + most, np.int64),
        x=blank(slots, size),
        inputs=blank(slots * size),
        before=blank(slots, hidden),
        states=blank(slots * hidden),
        gates=blank(slots * gates),
        carried=blank(slots * gates),
        after=blank(slots, wide),
        transposed=blank(slots * wide),
        columns=blank(most, wide),
        scores=blank(slots * most),
        kept=blank(slots * SPAN * KEPT),
        back=blank(slots * wide),
        slopes=blank(slots + most, wide),
        slope=blank(most, 1),
        layer=Layer(blank(gates, size), blank(gates, hidden), blank(gates), blank(gates)),
    )
