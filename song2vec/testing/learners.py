"""What every learner of song vectors does: songs that are played together come to lie together, and by chance they do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.testing.battery import Case, fitting, refused, run, saving, seeds, settings, tried
from song2vec.vectors import SongVectors

CLUSTERS, SONGS = 5, 12


def clusters(sessions: int = 400, length: int = 10, seed: int = 0) -> Sessions:
    """Sessions that each play songs of one of five clusters; song // 12 is its cluster."""
    random = np.random.default_rng(seed)
    of = random.integers(0, CLUSTERS, (sessions, 1))
    return Sessions.from_lists((of * SONGS + random.integers(0, SONGS, (sessions, length))).tolist())


def no_clusters(sessions: int = 400, length: int = 10, seed: int = 0) -> Sessions:
    """As many plays of the same songs, in no order at all."""
    return Sessions.from_lists(np.random.default_rng(seed).integers(0, CLUSTERS * SONGS, (sessions, length)).tolist())


def share_of_cluster(vectors: SongVectors) -> float:
    """How many of the 11 nearest songs are of a song's own cluster, 0 to 1; chance is 11 of 59."""
    own = vectors.catalogue.ids.to_numpy() // SONGS
    cosines = vectors.unit @ vectors.unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1)[:, : SONGS - 1]
    return float((own[nearest] == own[:, None]).mean())


def learning(case: Case) -> None:
    """Clusters of songs that are played together are found, and in noise none are."""
    assert share_of_cluster(case.fitted.vectors_) > 0.75
    assert share_of_cluster(case.fit(no_clusters()).vectors_) < 0.35


def songs(case: Case) -> None:
    """Songs are those that were played, the most played first, with their names; a log in which no song follows another is refused."""
    everything = Sessions.from_lists([["c", "b", "a"], ["b", "a", "b"], ["never"], ["never"]])  # the order of the log: b, a, never, c
    catalogue = Catalogue(everything.catalogue.ids, everything.catalogue.plays, ["B", "A", "N", None], ["b", "a", "n", "c"])
    found = case.fit(replace(everything, catalogue=catalogue).keep(np.arange(2))).vectors_.catalogue
    assert [names.to_list() for names in (found.ids, found.artists, found.titles)] == [["b", "a", "c"], ["B", "A", None], ["b", "a", "c"]]
    for lists in ([["a"], ["b"]], [["a", "a"], ["a"]]):
        with refused(ArgumentError, "sessions: "):
            case.fit(Sessions.from_lists(lists))


def tuning(case: Case) -> None:
    """It learns with every setting that tuning tries."""
    for name, value in tried(case):
        assert np.isfinite(case.fit(clusters(20), **{name: value}).vectors_.matrix).all(), f"{name}={value}"


LEARNER_CHECKS = (settings, fitting, saving, seeds, learning, songs, tuning)


def learner_case(learner: Any) -> Case:
    """A learner, and a log of five clusters."""
    return Case(learner, clusters(), lambda fitted: fitted.vectors_.matrix)


def check_learner(learner: Any) -> None:
    """Raises AssertionError, with a sentence that says which part of the contract it breaks, unless the learner keeps all of it.

    Args:
        learner: before ``fit``, with settings that suit 400 sessions of 60 songs.
    """
    run(learner_case(learner), LEARNER_CHECKS)
