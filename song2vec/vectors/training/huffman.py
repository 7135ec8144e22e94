"""The tree of hierarchical softmax: often played songs near the root, so that most paths are short.

Five songs, played 8 4 2 1 1 times, hang on four nodes::

    node 0: song 0 | node 1        songs [0, 2, 4, 6, 7]     twice the node above, plus 1 on its second branch
    node 1: song 1 | node 2        nodes [-1, 1, 3, 5]       the same of the nodes; the root has nothing above
    node 2: song 2 | node 3
    node 3: song 3 | song 4
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import jit
from song2vec.core.random import generator


class Tree(NamedTuple):
    """Where all songs, and the nodes, one fewer, hang: int32, 2 * node above + branch (0 or 1), -1 for the root."""

    songs: Array
    nodes: Array

    def levels(self, songs: Array) -> list[tuple[Array, Array, Array]]:
        """The paths of some songs from leaf to root, level by level: which of the songs go on, their nodes, their branches."""
        which, above, found = np.arange(len(songs)), self.songs[songs], []
        while len(which):
            found.append((which, above >> 1, above & 1))
            above = self.nodes[above >> 1]
            which, above = which[above >= 0], above[above >= 0]
        return found

    @property
    def depth(self) -> int:
        """Nodes on the longest path."""
        return len(self.levels(np.arange(len(self.songs))))


def huffman_tree(plays: Array, seed: int = 0) -> Tree:
    """The tree of least mean path length, by plays (Huffman 1952); two songs or more.

    Of songs played equally often, any may hang together: chance decides, for neighbours in the log would share their
    nodes and seem alike before anything is learned.
    """
    order = np.lexsort([generator(seed, "tree").permutation(len(plays)), plays])
    tree = Tree(np.empty(len(plays), np.int32), np.full(len(plays) - 1, -1, np.int32))
    _merge(np.asarray(plays, np.float64)[order], order, np.empty(len(plays) - 1), *tree)
    return tree


def grown_tree(tree: Tree, plays: Array, seed: int = 0) -> Tree:
    """A tree with more songs (their plays are given) that leaves all old nodes and what they mean as they are.

    The new songs get a tree of their own; a new root, numbered last, has the old tree on its first branch, theirs on its second.
    """
    old, root = len(tree.nodes), len(tree.nodes) + len(plays) - 1
    new = huffman_tree(plays, seed) if len(plays) > 1 else Tree(np.full(1, -1, np.int32), np.empty(0, np.int32))
    hung = [np.where(part >= 0, part + 2 * old, 2 * root + 1) for part in new]
    nodes = np.concatenate([np.where(tree.nodes >= 0, tree.nodes, 2 * root), hung[1], [-1]])
    return Tree(np.concatenate([tree.songs, hung[0]]).astype(np.int32), nodes.astype(np.int32))


@jit
def _merge(weights: Array, order: Array, merged: Array, songs: Array, nodes: Array) -> None:
    """Join the two lightest of songs (sorted) and nodes (made in order of weight) until one is left; the root is node 0."""
    count = len(merged)
    song, node = 0, 0
    for made in range(count):
        total = 0.0
        for branch in range(2):
            above = 2 * (count - 1 - made) + branch
            if song < len(weights) and (node >= made or weights[song] <= merged[node]):
                total += weights[song]
                songs[order[song]] = above
                song += 1
            else:
                total += merged[node]
                nodes[count - 1 - node] = above
                node += 1
        merged[made] = total
