"""Invented sessions of any size with clusters planted in them, and how much of that vectors have found."""

from __future__ import annotations

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.sessions import Sessions
from song2vec.vectors import SongVectors

LENGTH = 20  # plays a session
_BLOCK = 100_000  # sessions made at once


def planted_sessions(events: int, songs: int, clusters: int, *, seed: int = 0) -> Sessions:
    """Sessions of 20 plays, each of one cluster: a few of its songs are played often, half of all plays follow the song
    before by one to three places in the cluster, and one play in thirty is of any song at all. Song // (songs / clusters)
    is its cluster.
    """
    count, width = events // LENGTH, songs // clusters
    chances = 1 / np.arange(1, width + 1) ** 0.8
    flat = np.empty(count * LENGTH, np.int32)
    for begin in range(0, count, _BLOCK):
        end = min(begin + _BLOCK, count)
        flat[begin * LENGTH : end * LENGTH] = _block(np.random.default_rng([seed, begin]), end - begin, clusters, chances).ravel()
    offsets = np.arange(0, len(flat) + 1, LENGTH, dtype=np.int64)
    plays = sum(np.bincount(part, minlength=clusters * width) for part in np.array_split(flat, 50))
    catalogue = Catalogue(pl.Series("song", np.arange(clusters * width)), np.asarray(plays))
    return Sessions(flat, offsets, np.zeros(count, np.int32), catalogue, pl.Series("listener", [0]))


def cluster_share(vectors: SongVectors, clusters: int, songs: int, *, sample: int = 2_000, least_plays: int = 5) -> float:
    """Of the ten nearest songs of a sample of songs played five times or more, the share that is of the song's own cluster."""
    width = songs // clusters
    of = vectors.catalogue.ids.to_numpy() // width
    known = np.flatnonzero(vectors.catalogue.plays >= least_plays)
    picked = np.random.default_rng(0).choice(known, min(sample, len(known)), replace=False)
    found = 0
    for block in np.array_split(picked, max(1, len(picked) // 200)):
        cosines = vectors.unit[block] @ vectors.unit[known].T
        cosines[block[:, None] == known] = -np.inf
        nearest = known[np.argpartition(-cosines, 10, axis=1)[:, :10]]
        found += int((of[nearest] == of[block][:, None]).sum())
    return found / (10 * len(picked))


def _block(random: np.random.Generator, count: int, clusters: int, chances: Array) -> Array:
    width = len(chances)
    places = np.searchsorted(np.cumsum(chances) / chances.sum(), random.random((count, LENGTH))).clip(max=width - 1)
    follows, steps = random.random((count, LENGTH)) < 0.5, random.integers(1, 4, (count, LENGTH))
    for play in range(1, LENGTH):
        places[:, play] = np.where(follows[:, play], (places[:, play - 1] + steps[:, play]) % width, places[:, play])
    songs = random.integers(0, clusters, (count, 1)) * width + places
    strays = random.random((count, LENGTH)) < 1 / 30
    songs[strays] = random.integers(0, clusters * width, int(strays.sum()))
    return songs
