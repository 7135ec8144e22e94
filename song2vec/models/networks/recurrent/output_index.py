"""The songs most likely next, looked up in a search index instead of scoring all of them.

A score is an inner product h v + b of the network's output h with a song's row v and bias b; indexes find the largest cosine. So
each row becomes (v, b, sqrt(M^2 - |v|^2 - b^2)) / M, M the length of the longest (v, b): then all are of length 1, and the cosine
with (h, 1, 0) is the score over M |(h, 1)| (Bachrach et al. 2014, "Speeding up the Xbox recommender system using a Euclidean
transformation for inner-product spaces").
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import torch

from song2vec.catalogue import SongId, Unknown
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.random import generator
from song2vec.models.networks.recurrent.live import CarriedSession
from song2vec.models.songs import played_rows, song_table
from song2vec.search import Filters, SongIndex, make_index
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors

logger = logging.getLogger("song2vec")

QUERIES = 200  # that the recall is measured on
K = 10
AIM = 0.95
WIDEST = 32  # times as many songs as wanted are looked up at most


class OutputIndex:
    """Recommends as its model does, but for what the index misses: scores are exact, and ``recall_`` says how often songs are missing.

    Make one with ``model.index()``. Built anew in seconds, it is not saved. Songs of equal score come by row.

    Attributes:
        recall_: recall@10 against scoring every song, after up to 200 histories.
        wide_: how many times as many songs as wanted are looked up: doubled until the recall reaches .95.
    """

    def __init__(self, model: Any, kind: str | SongIndex, sessions: Sessions | None, seed: int) -> None:
        self.model, self.wide_ = model, 1
        self._rows, self._bias = model.network_.output.weight.cpu().numpy(), model.network_.bias.weight[:, 0].cpu().numpy()
        vectors = SongVectors(longer_rows(np.column_stack((self._rows, self._bias))), model.catalogue_)
        vectors.unit = vectors.matrix  # of a large catalogue one copy is enough
        self._index = make_index(kind, vectors, seed)
        queries = _outputs(model, sessions, seed).cpu().numpy()
        self.recall_ = self._recall(queries)
        while self.recall_ < AIM and self.wide_ < WIDEST:
            self.wide_ *= 2
            self.recall_ = self._recall(queries)
        if self.recall_ < AIM:
            logger.warning("%r: recall@%d is below %.2f; kind 'exact' misses nothing", self, K, AIM)

    def __repr__(self) -> str:
        return f"OutputIndex({self.model.name}, {self._index.name}, {len(self.model.catalogue_):,} songs, recall@{K} {self.recall_:.3f})"

    def next(self, songs: Iterable[SongId], k: int = 10, *, exclude: Iterable[SongId] = (), unknown: Unknown = "raise") -> pl.DataFrame:
        """The k songs most likely to come next in a session: arguments, table and errors of :meth:`NextSongModel.next`."""
        catalogue = self.model.catalogue_
        check_int("k", k)
        rows = played_rows(catalogue, songs, unknown)
        output = self.model._outputs(Sessions.from_rows(catalogue, [rows]), np.array([len(rows) - 1]))
        return self.tables(output, k, exclude)[0]

    def session(self, listener: SongId | None = None) -> CarriedSession:
        """A session that goes on, and asks the index for what comes next."""
        session: CarriedSession = self.model.session(listener)
        session.index = self
        return session

    def tables(self, outputs: torch.Tensor, k: int, exclude: Iterable[SongId]) -> list[pl.DataFrame]:
        """The k best songs after each of (n, hidden) outputs."""
        catalogue = self.model.catalogue_
        hidden = catalogue.songs(catalogue.rows(exclude, "skip"))
        found = self._found(outputs.cpu().numpy(), k, Filters(exclude=hidden) if hidden else None)
        return [song_table(catalogue, rows, scores) for rows, scores in found]

    def _found(self, outputs: Array, k: int, filters: Filters | None = None) -> list[tuple[Array, Array]]:
        """Rows of the k best songs after each of (n, hidden) outputs, and their scores."""
        asked = np.pad(outputs, ((0, 0), (0, 2)))  # the last coordinate is that of which only songs have a part
        asked[:, -2] = 1
        answers = self._index.search_batch(asked, min(k * self.wide_, len(self._rows)), filters)
        found = []
        for place, output in enumerate(outputs):
            near = answers[place].rows
            scores = self._rows[near] @ output + self._bias[near]
            order = np.lexsort((near, -scores))[:k]
            found.append((near[order], scores[order]))
        return found

    def _recall(self, outputs: Array) -> float:
        hits = wanted = 0
        for output, (_, found) in zip(outputs, self._found(outputs, K), strict=True):
            scores = self._rows @ output + self._bias
            last = np.partition(scores, -len(found))[-len(found)]
            hits += int((found >= last - 1e-5 * np.abs(last)).sum())
            wanted += len(found)
        return hits / wanted


def longer_rows(rows: Array) -> Array:
    """(m, d) -> (m, d + 1) of length 1, with cosines to (m, d) queries and a zero as their inner products with the rows."""
    squares = np.square(rows, dtype=np.float64).sum(axis=1)
    longest = max(squares.max(), np.finfo(np.float32).tiny)
    longer = np.empty((len(rows), rows.shape[1] + 1), np.float32)
    np.divide(rows, np.sqrt(longest), out=longer[:, :-1], casting="same_kind")
    longer[:, -1] = np.sqrt(1 - squares / longest)
    return longer


def _outputs(model: Any, sessions: Sessions | None, seed: int) -> torch.Tensor:
    """(n, hidden) after plays of these sessions, or after single songs, drawn at random."""
    random, songs = generator(seed, "index queries"), len(model.catalogue_)
    if sessions is None:
        sessions = Sessions.from_rows(model.catalogue_, random.choice(songs, (min(QUERIES, songs), 1), replace=False))
    plays = np.sort(random.choice(sessions.plays, min(QUERIES, sessions.plays), replace=False))
    outputs: torch.Tensor = model._outputs(sessions, plays)
    return outputs
