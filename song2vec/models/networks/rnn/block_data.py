"""What the compiled block of updates works with: parameters, data, rules, and memory made once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.models.networks.rnn.loss_kernels import KEPT, SPAN
from song2vec.models.networks.rnn.products import LANES


class Learned(NamedTuple):
    """Parameters with what Adagrad keeps of them."""

    parameters: Array
    squares: Array
    velocity: Array


class Layer(NamedTuple):
    """The weights of the layer, or their gradients: views of one flat array."""

    w: Array
    u: Array
    a: Array
    b: Array


class Net(NamedTuple):
    """All that is learned. ``source`` is the table that inputs are looked up in, ``table`` itself when it is constrained."""

    table: Learned
    bias: Learned
    source: Learned
    flat: Learned
    layer: Layer


class Data(NamedTuple):
    """A block of the plan of an epoch: entries as in ``batches.Plan``, masks (entries, width) or (0, 0)."""

    begin: Array  # (updates + 1,) int64, from 0
    inputs: Array
    targets: Array
    carried: Array
    stays: Array  # 0 where a session begins, else 1
    negatives: Array  # (updates, sample)
    mask_input: Array
    mask_hidden: Array


class Rules(NamedTuple):
    """What the losses and the optimiser are told. ``less`` is (2, m), taken off the scores of targets and of samples, or (2, 0)."""

    loss: int
    rate: np.float32
    momentum: np.float32
    scale: np.float32
    bpreg: np.float32
    elu: np.float32
    constrained: bool
    frozen: bool
    less: Array


class Room(NamedTuple):
    """Memory of a lane, made once. Matrices have a row for each session, or for each target and sample; those told flat a column."""

    state: Array  # carried from step to step
    first: Array  # (m,) int32, -1 between steps
    rows: Array  # of inputs and then of targets and samples
    x: Array
    inputs: Array  # flat, x
    before: Array
    states: Array  # flat, before
    gates: Array  # flat
    carried: Array  # flat
    after: Array  # and behind it a 1, and zeros: all sizes of rows are multiples of a vector's
    turned: Array  # flat, after
    weights: Array  # and behind each its bias
    scores: Array  # flat
    kept: Array  # of the losses
    back: Array  # flat
    slopes: Array  # of inputs and then of targets and samples, their bias behind each
    slope: Array  # of the biases
    flat: Array
    layer: Layer  # gradients, views of ``flat``


def layer_of(flat: Array, hidden: int, size: int) -> Layer:
    """The weights of a layer in their flat array."""
    w, u, a, b = np.split(flat, np.cumsum([3 * hidden * size, 3 * hidden * hidden, 3 * hidden]))
    return Layer(w.reshape(3 * hidden, size), u.reshape(3 * hidden, hidden), a, b)


def make_room(slots: int, hidden: int, size: int, sample: int, songs: int, flat: int) -> Room:
    """Memory for so many slots."""
    most, slope = slots + sample, np.empty(flat, np.float32)
    wide = -(-(hidden + 1) // LANES) * LANES

    def blank(*size: int) -> Array:
        return np.zeros(size, np.float32)

    return Room(
        state=blank(slots, hidden),
        first=np.full(songs, -1, np.int32),
        rows=np.empty(slots + most, np.int64),
        x=blank(slots, size),
        inputs=blank(slots * size),
        before=blank(slots, hidden),
        states=blank(slots * hidden),
        gates=blank(slots * 3 * hidden),
        carried=blank(slots * 3 * hidden),
        after=blank(slots, wide),
        turned=blank(slots * wide),
        weights=blank(most, wide),
        scores=blank(slots * most),
        kept=blank(slots * SPAN * KEPT),
        back=blank(slots * wide),
        slopes=blank(slots + most, wide),
        slope=blank(most, 1),
        flat=slope,
        layer=layer_of(slope, hidden, size),
    )
