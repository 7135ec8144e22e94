"""The songs most likely next, looked up in a search index instead of scoring all of them.

A score is an inner product h v + b of the network's output h with a song's row v and bias b; indexes find the largest cosine. So
each row becomes (v, b, sqrt(M^2 - |v|^2 - b^2)), M the length of the longest (v, b): then all are of length M, and the cosine
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

from song2vec.arrays import Array
from song2vec.catalogue import SongId, Unknown
from song2vec.next_song.base import check_k, heard_rows, one_session, top_table
from song2vec.next_song.rnn.live import CarriedSession
from song2vec.search import Filters, SongIndex, make_index
from song2vec.seeding import generator
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
        tables = model.network_.tables
        self._rows = torch.cat([tables["output"], tables["bias"]], 1).cpu().numpy()
        self._index = make_index(kind, SongVectors(of_one_length(self._rows), model.catalogue_), seed)
        queries = _asking(_outputs(model, sessions, seed))
        self.recall_ = self._recall(queries)
        while self.recall_ < AIM and self.wide_ < WIDEST:
            self.wide_ *= 2
            self.recall_ = self._recall(queries)
        if self.recall_ < AIM:
            logger.warning("%r: recall@%d is below %.2f; kind 'exact' misses nothing", self, K, AIM)

    def __repr__(self) -> str:
        return f"OutputIndex({self.model.name}, {self._index.name}, {len(self._rows):,} songs, recall@{K} {self.recall_:.3f})"

    def recommend(
        self, songs: Iterable[SongId], k: int = 10, *, exclude: Iterable[SongId] = (), unknown: Unknown = "raise"
    ) -> pl.DataFrame:
        """The k songs most likely to come next in a session: arguments, table and errors of :meth:`NextSongModel.recommend`."""
        catalogue = self.model.catalogue_
        check_k(k)
        rows = heard_rows(catalogue, songs, unknown)
        output = self.model._outputs(one_session(catalogue, rows), np.array([len(rows) - 1]))
        return self.tables(output, k, exclude)[0]

    def session(self, listener: SongId | None = None) -> CarriedSession:
        """A session that goes on, and asks the index for what comes next."""
        session: CarriedSession = self.model.session(listener)
        session.index = self
        return session

    def tables(self, outputs: torch.Tensor, k: int, exclude: Iterable[SongId]) -> list[pl.DataFrame]:
        """The k best songs after each of (n, hidden) outputs."""
        queries, catalogue = _asking(outputs), self.model.catalogue_
        hidden = catalogue.songs(catalogue.rows(exclude, "skip"))
        found = self._found(queries, k, Filters(exclude=hidden) if hidden else None)
        return [top_table(catalogue, rows, scores) for rows, scores in found]

    def _found(self, queries: Array, k: int, filters: Filters | None = None) -> list[tuple[Array, Array]]:
        """Rows of the k best songs for (n, hidden + 1) queries, and their scores."""
        answers = self._index.search_batch(queries_for(queries), min(k * self.wide_, len(self._rows)), filters)
        found = []
        for query, near in zip(queries, (answers[i].rows for i in range(len(queries))), strict=True):
            scores = self._rows[near] @ query
            order = np.lexsort((near, -scores))[:k]
            found.append((near[order], scores[order]))
        return found

    def _recall(self, queries: Array) -> float:
        hits = wanted = 0
        for query, (_, found) in zip(queries, self._found(queries, K), strict=True):
            scores = self._rows @ query
            last = np.partition(scores, -len(found))[-len(found)]
            hits += int((found >= last - 1e-5 * np.abs(last)).sum())
            wanted += len(found)
        return hits / wanted


def of_one_length(rows: Array) -> Array:
    """(m, d) -> (m, d + 1) of the length of the longest row: a coordinate more."""
    squares = np.square(rows, dtype=np.float64).sum(axis=1)
    longer: Array = np.column_stack([rows, np.sqrt(squares.max() - squares).astype(np.float32)])
    return longer


def queries_for(rows: Array) -> Array:
    """(n, d) -> (n, d + 1), which have no part in the coordinate that :func:`of_one_length` adds."""
    return np.pad(rows, ((0, 0), (0, 1)))


def _asking(outputs: torch.Tensor) -> Array:
    """(n, hidden) outputs -> (n, hidden + 1), what rows with a bias are multiplied with."""
    return np.pad(outputs.cpu().numpy(), ((0, 0), (0, 1)), constant_values=1)


def _outputs(model: Any, sessions: Sessions | None, seed: int) -> torch.Tensor:
    """(n, hidden) after plays of these sessions, or after single songs, drawn at random."""
    random, songs = generator(seed, "index queries"), len(model.catalogue_)
    if sessions is None:
        heard = random.choice(songs, min(QUERIES, songs), replace=False)
        alone = one_session(model.catalogue_, heard)
        sessions = Sessions(alone.songs, np.arange(len(heard) + 1), np.zeros(len(heard), np.int32), alone.catalogue, alone.listeners)
    plays = np.sort(random.choice(sessions.plays, min(QUERIES, sessions.plays), replace=False))
    outputs: torch.Tensor = model._outputs(sessions, plays)
    return outputs
