"""The tree: prefix-free, as short as can be, and grown without touching what was there."""

from __future__ import annotations

import heapq
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.vectors.training.huffman import grown_tree, huffman_tree

PLAYS = st.lists(st.integers(1, 1000), min_size=2, max_size=80).map(np.array)


def paths(tree):
    """Of each song the (node, branch) pairs from the root down."""
    found = [[] for _ in tree.songs]
    for which, node, branch in tree.levels(np.arange(len(tree.songs))):
        for song, step in zip(which.tolist(), zip(node.tolist(), branch.tolist(), strict=True), strict=True):
            found[song].insert(0, step)
    return found


def least_total(plays):
    """The least sum of plays * path length there is: every merge costs its weight."""
    heap, total = list(map(int, plays)), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        total += merged
        heapq.heappush(heap, merged)
    return total


def is_prefix_free(all_paths):
    codes = sorted("".join(str(branch) for _, branch in path) for path in all_paths)
    return all(not after.startswith(before) for before, after in pairwise(codes))


def test_the_example_of_the_docstring():
    tree = huffman_tree(np.array([8, 4, 2, 1, 1]))
    assert [len(path) for path in paths(tree)] == [1, 2, 3, 4, 4]
    assert tree.nodes[0] == -1
    assert tree.depth == 4


@given(PLAYS)
def test_codes_are_prefix_free_and_as_short_as_can_be(plays):
    tree = huffman_tree(plays)
    found = paths(tree)
    assert is_prefix_free(found)
    assert sum(int(count) * len(path) for count, path in zip(plays, found, strict=True)) == least_total(plays)
    assert all(path[0][0] == 0 for path in found)
    assert tree.depth == max(map(len, found))


@pytest.mark.parametrize("new", [1, 2, 7])
def test_a_grown_tree_keeps_every_old_path_below_its_new_root(new):
    tree = huffman_tree(np.arange(1, 12))
    grown = grown_tree(tree, np.arange(1, new + 1))
    old, found = paths(tree), paths(grown)
    root = len(grown.nodes) - 1
    assert (len(grown.songs), len(grown.nodes)) == (11 + new, 10 + new)
    assert [path[1:] for path in found[:11]] == old
    assert {path[0] for path in found[:11]} == {(root, 0)}
    assert {path[0] for path in found[11:]} == {(root, 1)}
    assert is_prefix_free(found)
    assert not {node for path in found[11:] for node, _ in path[1:]} & {node for path in old for node, _ in path}
