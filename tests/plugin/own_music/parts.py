"""A reader, an index and a learner, each as small as the contracts allow."""

from __future__ import annotations

import numpy as np
import polars as pl

from song2vec.core.config import IntRange, setting
from song2vec.core.errors import ArgumentError, FormatError
from song2vec.listens.reader import Reader
from song2vec.listens.schema import Rows
from song2vec.search.base import SongIndex
from song2vec.search.state import Searcher
from song2vec.vectors import Learner, SongVectors

HEADER = "JUKEBOX 1"


class Jukebox(Reader):
    name = "jukebox"
    title = "Log of a jukebox"
    looks_like = f"text that begins with {HEADER}, then artist, title and seconds since 1970, apart by |"

    def recognise(self, source):
        return source.head_text.startswith(HEADER)

    def read(self, sources):
        plays = []
        for source in sources:
            first, *lines = source.text().split("\n")
            if first != HEADER:
                raise FormatError(source.where, f"begins with {first!r:.60}; {HEADER} is needed", line=1)
            plays += [line.split("|") for line in lines if line.count("|") == 2]
        frame = pl.DataFrame(plays, schema=dict.fromkeys(("artist", "title", "time"), pl.String()), orient="row")
        return Rows(frame.with_columns(pl.col("time").cast(pl.Int64, strict=False)))


class Sorting(Searcher):
    def __init__(self, unit):
        self.unit = unit

    def nearest(self, queries, n):
        return (np.argsort(-(self.unit @ query), kind="stable")[:n] for query in queries)


class SortingIndex(SongIndex):
    """Sorts all songs."""

    name = "sorting"

    def _build(self, unit):
        return Sorting(unit)


class Company(Learner):
    """Songs by the sessions they come in: the first singular vectors of which song is in which session."""

    name = "company"
    size: int = setting(IntRange(1), default=16, tune=IntRange(4, 32), help="numbers in a vector")

    def fit(self, sessions):
        self.check()
        songs = np.unique(sessions.songs)
        if len(songs) < 2 or not (sessions.lengths > 1).any():
            raise ArgumentError("sessions: in none of them is a song played beside another")
        table = np.zeros((len(songs), len(sessions)), np.float32)
        table[np.searchsorted(songs, sessions.songs), np.repeat(np.arange(len(sessions)), sessions.lengths)] = 1
        left, values, _ = np.linalg.svd(table - table.mean(axis=0), full_matrices=False)
        size = min(self.size, len(values))
        matrix = np.zeros((len(songs), self.size), np.float32)
        matrix[:, :size] = left[:, :size] * values[:size]
        self.vectors_ = SongVectors(matrix, sessions.catalogue.subset(songs))
        return self
