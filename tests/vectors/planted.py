"""What the tests of learners share: planted clusters, how many of them vectors have found, and whether one way finds more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.evaluation.results import Ratio, interval, resampled
from song2vec.sessions import Sessions
from tests.vectors.test_word2vec import CLUSTERS, SONGS, planted

LEARNING = {"size": 16, "epochs": 12, "learning_rate": 0.1, "subsample": 0, "workers": 1, "progress": False}
BETWEEN = 2  # songs of any cluster between two of the session's own


def far_apart(sessions=400, seed=0):
    """Sessions of a cluster with two songs of any cluster between any two of its own: near is noise, the set is not."""
    random = np.random.default_rng(seed)
    lists = []
    for session in planted(sessions, seed=seed):
        others = random.integers(0, CLUSTERS * SONGS, (len(session), BETWEEN))
        lists.append(np.column_stack([session, others]).ravel().tolist())
    return Sessions.from_lists(lists)


def with_artists(sessions, artist_of):
    """The same log with an artist for each song, by a function of its id."""
    catalogue = sessions.catalogue
    artists = [artist_of(song) for song in catalogue.ids.to_list()]
    return replace(sessions, catalogue=Catalogue(catalogue.ids, catalogue.plays, artists))


def own_cluster(found, clusters, others=None, k=1):
    """(n,) of each vector, the share of the k nearest others that are of its own cluster; ``others`` are (vectors, clusters)."""
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    against, theirs = (found, clusters) if others is None else others
    cosines = unit @ (against / np.linalg.norm(against, axis=1, keepdims=True)).T
    if others is None:
        np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return (theirs[nearest] == clusters[:, None]).mean(axis=1)


def surely_more(better, worse):
    """Whether the 95 % interval of the mean difference lies above 0, by the paired bootstrap."""
    return interval(resampled(np.arange(len(better)), [Ratio.mean(better - worse)])[:, 0]).low > 0
