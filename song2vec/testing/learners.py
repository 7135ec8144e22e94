"""What every learner of song vectors does: songs that are played together come to lie together, and by chance they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.testing.battery import SHARED, Case, refused, run
from song2vec.testing.planted import GROUP, listen
from song2vec.vectors import Learner, SongVectors


def share_of_group(vectors: SongVectors) -> float:
    """How many of the four nearest songs are of a song's own artist, 0 to 1; chance is 4 of 59."""
    cosines = vectors.unit @ vectors.unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest, group = np.argsort(-cosines, axis=1)[:, : GROUP - 1], vectors.catalogue.ids.to_numpy() // GROUP
    return float((group[nearest] == group[:, None]).mean())


def anonymous(sessions: Sessions) -> Sessions:
    """Without names of artists and titles, which some learn from."""
    return replace(sessions, catalogue=Catalogue(sessions.catalogue.ids, sessions.catalogue.plays))


def learning(case: Case) -> None:
    """Groups of songs that are played together are found, and in noise none are."""
    found = share_of_group(case.fitted.vectors_), share_of_group(case.fit(anonymous(listen("group", 0.0)[0])).vectors_)
    assert found[0] > 0.75, f"{found[0]} of a group"
    assert found[1] < 0.2, f"{found[1]} where there are no groups"


def songs(case: Case) -> None:
    """Songs are those that were played, the most played first, with their names; a log in which no song follows another is refused."""
    everything = Sessions.from_lists([["c", "b", "a"], ["b", "a", "b"], ["never"], ["never"]])  # the order of the log: b, a, never, c
    catalogue = Catalogue(everything.catalogue.ids, everything.catalogue.plays, ["B", "A", "N", None], ["b", "a", "n", "c"])
    found = case.fit(replace(everything, catalogue=catalogue).keep(np.arange(2))).vectors_.catalogue
    assert [names.to_list() for names in (found.ids, found.artists, found.titles)] == [["b", "a", "c"], ["B", "A", None], ["b", "a", "c"]]
    for lists in ([["a"], ["b"]], [["a", "a"], ["a"]]):
        with refused(ArgumentError, text="sessions: "):
            case.fit(Sessions.from_lists(lists))


LEARNER_CHECKS = (*SHARED, learning, songs)


def learner_case(learner: Learner) -> Case:
    """A learner, and a log of twelve artists."""
    train = anonymous(listen("group", 0.9)[0])
    return Case(learner, train, train.keep(np.arange(20)), lambda fitted: fitted.vectors_.matrix)


def check_learner(learner: Learner) -> None:
    """Raises AssertionError, with a sentence that says which part of the contract it breaks, unless the learner keeps all of it.

    Args:
        learner: before ``fit``, with settings that suit 300 sessions of 60 songs.
    """
    run(learner_case(learner), LEARNER_CHECKS)
