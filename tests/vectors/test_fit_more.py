"""New sessions in the old space: new songs land among their company, old ones stay where they were."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors import Word2Vec
from tests.vectors.test_word2vec import CLUSTERS, LEARNING, SMALL, SONGS, every_kind, fingerprint, planted

NEW = 3  # new songs of each cluster


def with_new_songs(sessions=200, seed=5):
    """Sessions in which every fourth play is a new song of the session's cluster; song 1000 + 12 c + i is of cluster c."""
    random = np.random.default_rng(seed)
    lists = [list(session) for session in planted(sessions, seed=seed)]
    for session in lists:
        cluster = session[0] // SONGS
        session[::4] = (1000 + cluster * SONGS + random.integers(0, NEW, len(session[::4]))).tolist()
    return Sessions.from_lists(lists)


@every_kind
def test_new_songs_land_among_their_company_and_old_ones_stay(algorithm, loss):
    learner = Word2Vec(**LEARNING | {"algorithm": algorithm, "loss": loss}).fit(planted())
    before = learner.vectors_
    after = learner.fit_more(with_new_songs()).vectors_
    assert len(after) == len(before) + CLUSTERS * NEW
    old = after.catalogue.rows(before.catalogue.ids.to_list())
    stayed = (before.unit * after.unit[old]).sum(axis=1)
    assert stayed.mean() > 0.95
    new = np.flatnonzero(after.catalogue.ids.to_numpy() >= 1000)
    nearest = old[np.argsort(-after.unit[new] @ after.unit[old].T, axis=1)[:, :5]]
    cluster = after.catalogue.ids.to_numpy() % 1000 // SONGS
    assert (cluster[nearest] == cluster[new][:, None]).mean() > 0.75


def test_at_a_learning_rate_scale_of_nought_the_old_vectors_are_the_same_to_the_last_bit():
    learner = Word2Vec(**LEARNING | {"context_weight": 0}).fit(planted())
    before = learner.vectors_
    after = learner.fit_more(with_new_songs(), learning_rate_scale=0).vectors_
    assert after.matrix[after.catalogue.rows(before.catalogue.ids.to_list())].tobytes() == before.matrix.tobytes()


def test_the_catalogue_is_that_of_both_most_played_first_with_their_names():
    catalogue = Catalogue(["a", "b", "c"], [3, 2, 1], artists=["A", "B", None])
    first = Sessions.from_lists([["a", "b", "a"], ["a", "b", "c"]])
    named = Sessions(first.songs, first.offsets, first.listener, catalogue, first.listeners)
    learner = Word2Vec(**SMALL).fit(named)
    found = learner.fit_more(Sessions.from_lists([["n", "c", "n", "c", "n", "c", "n"]])).vectors_.catalogue
    assert found.ids.to_list() == ["c", "n", "a", "b"]
    assert found.plays.tolist() == [4, 4, 3, 2]
    assert found.artists.to_list() == [None, None, "A", "B"]
    assert learner.fit_more(Sessions.from_lists([["a", "b"]])).vectors_.catalogue.plays.tolist() == [4, 4, 4, 3]


def test_going_on_twice_and_the_same_again():
    prints = []
    for _ in range(2):
        learner = Word2Vec(**SMALL).fit(planted(50))
        learner.fit_more(with_new_songs(20)).fit_more(with_new_songs(20, seed=6))
        assert [epoch.epoch for epoch in learner.history_] == [1, 2]
        prints.append(fingerprint(learner.vectors_))
    assert prints[0] == prints[1]


def test_what_cannot_be_gone_on_from_is_refused():
    with pytest.raises(ArgumentError, match=r"call fit\(sessions\) with backend='song2vec' first"):
        Word2Vec(**SMALL).fit_more(planted(50))
    with pytest.raises(ArgumentError, match=r"call fit\(sessions\) with backend='song2vec' first"):
        Word2Vec(**SMALL, backend="gensim").fit(planted(50)).fit_more(planted(50))
    learner = Word2Vec(**SMALL).fit(planted(50))
    for scale in (-0.1, 1.1, float("nan")):
        with pytest.raises(ArgumentError, match="learning_rate_scale="):
            learner.fit_more(planted(50), learning_rate_scale=scale)
    with pytest.raises(ArgumentError, match="ids are of another type"):
        learner.fit_more(Sessions.from_lists([["a", "b"]]))


@every_kind
def test_a_learner_that_was_saved_goes_on_tomorrow_as_it_would_have_today(algorithm, loss, other_processes):
    learner = Word2Vec(**SMALL, algorithm=algorithm, loss=loss).fit(planted(50))
    today = fingerprint(learner.fit_more(planted(20, seed=1)).vectors_)
    assert [found[f"{algorithm} {loss}"] for found in other_processes] == [today] * 2
