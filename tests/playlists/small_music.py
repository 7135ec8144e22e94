"""Small catalogues, vectors and models over them."""

from __future__ import annotations

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.models.rules import MarkovChain
from song2vec.sessions import Sessions
from song2vec.vectors.song_vectors import SongVectors


def music(songs=200, artists=20, size=8, seed=0):
    """Random vectors; a tenth of the songs names no artist, the first songs are played most."""
    random = np.random.default_rng(seed)
    names = [f"Artist {code}" if code else None for code in random.integers(0, artists, songs)]
    plays = np.sort(random.integers(1, 1000, songs))[::-1]
    ids = [f"s{row}" for row in range(songs)]
    return SongVectors(random.standard_normal((songs, size)), Catalogue(ids, plays, names, [f"Title {row}" for row in range(songs)]))


def circle(songs=360, seed=0):
    """Vectors on a circle, one degree apart where there are 360, with names in no order; equally popular."""
    angles = np.linspace(0, 2 * np.pi, songs, endpoint=False)
    return SongVectors(np.stack([np.cos(angles), np.sin(angles)], axis=1), Catalogue(list(range(songs)), np.full(songs, 7)))


def sessions(vectors, count=400, length=6, seed=0):
    """Random sessions over the songs of some vectors."""
    random = np.random.default_rng(seed)
    lists = Sessions.from_lists(random.integers(0, len(vectors), (count, length)).tolist())
    rows = np.array(lists.catalogue.ids)[lists.songs].astype(np.int32)
    return Sessions(rows, lists.offsets, lists.listener, vectors.catalogue, lists.listeners)


def markov(vectors, **options):
    """A Markov chain over random sessions."""
    return MarkovChain().fit(sessions(vectors, **options))
