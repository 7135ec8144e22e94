"""The kernel against word2vec written out in NumPy with the same draws, product by product."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from song2vec.vectors.training.draws import alias_table
from song2vec.vectors.training.huffman import Tree, huffman_tree
from song2vec.vectors.training.kernel import GROUP, HELD, POOL, KernelOptions, Log, Model, make_kernel
from song2vec.vectors.training.learning import EDGE
from song2vec.vectors.training.weights import aligned

SIZE, SONGS, NEGATIVES, MASK = 80, 50, 3, 2**64 - 1  # more songs than there are nodes held
KINDS = list(itertools.product((True, False), (True, False)))
every_kind = pytest.mark.parametrize(("skip_gram", "hierarchical"), KINDS)


class Reference:
    """The same training in float64, one pair after another; draws come from the same generator in the same order."""

    def __init__(self, model, plan, keep, weights, skip_gram, hierarchical, state):
        self.inputs, self.outputs = model.inputs.astype(float), model.outputs[: SONGS - hierarchical].astype(float)
        self.model, self.plan, self.keep, self.weights = model, plan, keep, weights
        self.skip_gram, self.hierarchical, self.state, self.drawn = skip_gram, hierarchical, state, []

    def product64(self):
        self.state ^= self.state >> 12
        self.state ^= self.state << 25 & MASK
        self.state ^= self.state >> 27
        return self.state * 0x2545F4914F6CDD1D & MASK

    def bits(self):
        return self.product64() >> 32

    def below(self, count):
        return self.bits() * count >> 32

    def negative(self):
        product = self.product64()
        row = (product >> 32) * SONGS >> 32
        return row if product % 2**32 < self.model.aliases[row, 0] else int(self.model.aliases[row, 1])

    def train(self, sessions, rate, end_rate):
        plays, done = sum(map(len, sessions)), 0
        for session in sessions:
            line = [song for song in session if self.keep[song] >= 1 or self.bits() / 2**32 < self.keep[song]]
            for place, song in enumerate(line):
                reach = 1 + self.below(self.plan.window) if self.plan.dynamic else self.plan.window
                around = line[max(0, place - reach) : place] + line[place + 1 : place + reach + 1]
                speed = (rate + (end_rate - rate) * (done + place) / plays) * self.weights[song]
                for group in self.groups(around):
                    self.product(group, song, speed)
            done += len(session)

    def groups(self, around):
        if around and (self.hierarchical or not self.skip_gram):
            yield around
        elif around:
            share = -(-len(around) // -(-len(around) // GROUP))
            yield from (around[begin : begin + share] for begin in range(0, len(around), share))

    def outs(self, song):
        """Outputs: their rows, labels, and how often each counts."""
        if self.hierarchical:
            found, above = [], int(self.model.song_nodes[song])
            while above >= 0:
                found.append((above >> 1, 1 - (above & 1), 1))
                above = int(self.model.node_nodes[above >> 1])
            return found
        self.drawn = self.drawn or [self.negative() for _ in range(POOL * NEGATIVES)]
        drawn, self.drawn = self.drawn[:NEGATIVES], self.drawn[NEGATIVES:]
        times = Counter(row for row in drawn if row != song)
        return [(song, 1, 1), *((row, 0, count) for row, count in times.items())]

    def product(self, group, song, speed):
        outs, labels, times = (np.array(each) for each in zip(*self.outs(song), strict=True))
        scales = np.where(outs < self.plan.old_outputs, self.plan.scale, 1)
        for members in [[each] for each in group] if self.skip_gram else [group]:
            near, rows = self.inputs[members].mean(axis=0), self.outputs[outs]
            scores = rows @ near
            errors = np.where(np.abs(scores) < EDGE, speed * times * (labels - 1 / (1 + np.exp(-scores))), 0)
            for member in members:
                self.inputs[member] += errors @ rows * (self.plan.scale if member < self.plan.old_inputs else 1)
            self.outputs[outs] += (scales * errors)[:, None] * near


def trained(
    sessions, skip_gram, hierarchical, *, rates=(0.2, 0.05), window=2, dynamic=False, keep=None, weights=None, old=(0, 0), scale=1.0
):
    """(inputs, outputs) by the kernel, the same by the reference, and what they were before."""
    random = np.random.default_rng(1)
    tree = huffman_tree(np.arange(1, SONGS + 1)) if hierarchical else Tree(np.empty(0, np.int32), np.empty(0, np.int32))
    inputs, everything = aligned(SONGS, SIZE), aligned(SONGS - hierarchical + 2 * HELD, SIZE)
    outputs = everything[: SONGS - hierarchical]
    inputs[:], outputs[:] = random.standard_normal(inputs.shape) / 3, random.standard_normal(outputs.shape) / 3
    before = inputs.copy(), outputs.copy()
    aliases = alias_table(np.arange(1.0, SONGS + 1) ** 0.75)
    model = Model(inputs, everything, aliases, *tree)
    plan = KernelOptions(window, dynamic, NEGATIVES, tree.depth if hierarchical else 1 + NEGATIVES, *old, np.float32(scale))
    keep = np.ones(SONGS, np.float32) if keep is None else keep.astype(np.float32)
    weights = np.ones(SONGS, np.float32) if weights is None else weights.astype(np.float32)
    reference = Reference(model, plan, keep, weights, skip_gram, hierarchical, 77)
    reference.train(sessions, *rates)
    lengths = [len(session) for session in sessions]
    songs, offsets = np.array([*itertools.chain(*sessions)], np.int32), np.cumsum([0, *lengths])
    log = Log(songs, offsets, np.arange(SONGS, dtype=np.int32), keep, weights)
    for array in log:
        array.flags.writeable = False
    make_kernel(SIZE, skip_gram, hierarchical)(log, model, plan, len(outputs), 0, len(sessions), *rates, np.uint64(77))
    return (inputs, outputs), (reference.inputs, reference.outputs), before


def some_sessions(count=12, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(0, SONGS, length).tolist() for length in (*random.integers(2, 15, count), 0, 1, 2)]


def agree(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@every_kind
def test_one_play_is_one_step_of_the_paper(skip_gram, hierarchical):
    found, expected, before = trained([[3, 7]], skip_gram, hierarchical)
    agree(found, expected)
    moved = np.flatnonzero((found[0] != before[0]).any(axis=1))
    assert moved.tolist() == [3, 7]


@every_kind
@pytest.mark.parametrize("options", [{}, {"window": 5, "dynamic": True}, {"window": 1000}])
def test_many_sessions_and_windows(skip_gram, hierarchical, options):
    found, expected, before = trained(some_sessions(), skip_gram, hierarchical, **options)
    agree(found, expected)
    assert np.abs(expected[0] - before[0]).max() > 0.1


@every_kind
def test_subsampling_weights_and_the_learning_rate_scale_of_old_rows(skip_gram, hierarchical):
    random = np.random.default_rng(3)
    options = {"keep": random.random(SONGS) + 0.3, "weights": random.random(SONGS) * 2, "old": (12, 9), "scale": 0.25}
    found, expected, _ = trained(some_sessions(), skip_gram, hierarchical, **options)
    agree(found, expected)


@every_kind
def test_old_rows_stand_still_at_a_learning_rate_scale_of_nought(skip_gram, hierarchical):
    found, _, before = trained(some_sessions(), skip_gram, hierarchical, old=(12, 9), scale=0)
    for now, then, old in zip(found, before, (12, 9), strict=True):
        assert now[:old].tolist() == then[:old].tolist()
        assert (now[old:] != then[old:]).any()


@every_kind
def test_the_same_song_again_and_again_stays_finite(skip_gram, hierarchical):
    found, _, _ = trained([[5] * 1000], skip_gram, hierarchical, rates=(0.5, 0.5))
    assert all(np.isfinite(matrix).all() for matrix in found)
    assert np.abs(found[0]).max() < 10


def test_a_session_of_one_play_teaches_nothing():
    found, _, before = trained([[4], [], [9]], True, True)
    assert [matrix.tolist() for matrix in found] == [matrix.tolist() for matrix in before]


def test_sessions_do_not_see_each_other():
    apart, _, before = trained([[1, 2], [3, 4]], True, True)
    together, _, _ = trained([[1, 2, 3, 4]], True, True)
    assert apart[0][[1, 2]].tolist() != before[0][[1, 2]].tolist()
    assert apart[0].tolist() != together[0].tolist()
