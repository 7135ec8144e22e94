"""Several models' scores of the same plays, side by side, whatever the order that each of them scores in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from song2vec.core.arrays import Array
from song2vec.models.base import NextSongModel
from song2vec.sessions import Sessions


def side_by_side(models: Sequence[NextSongModel], sessions: Sessions, plays: Array) -> Iterator[tuple[Array, list[Array]]]:
    """(plays, scores of each model) of some of these plays after others, until all are scored.

    The first model tells which plays come when; what another has scored before it is asked for waits. All are given
    ascending plays, in which nearly all score: so hardly more than a block of each waits.
    """
    plays, times = np.unique(np.asarray(plays, np.int64), return_counts=True)
    first, *others = (model.score_blocks(sessions, plays) for model in models)
    waiting = [_Waiting(stream) for stream in others]
    for block, scores in first:
        again = np.repeat(np.arange(len(block)), times[np.searchsorted(plays, block)])
        found = [scores, *(stream.take(block) for stream in waiting)]
        yield (block, found) if len(again) == len(block) else (block[again], [some[again] for some in found])


class _Waiting:
    """Scores of a model that come in blocks, and are taken in others."""

    def __init__(self, stream: Iterator[tuple[Array, Array]]) -> None:
        self._stream = stream
        self._rows: dict[int, Array] = {}

    def take(self, plays: Array) -> Array:
        """(n, songs) scores of these plays, which are not taken again."""
        wanted = plays.tolist()
        while not self._rows.keys() >= set(wanted):
            block, scores = next(self._stream)
            if not self._rows and np.array_equal(block, plays):
                return scores
            self._rows |= zip(block.tolist(), scores.copy(), strict=True)  # a model may write its next block over this one
        return np.stack([self._rows.pop(play) for play in wanted])
