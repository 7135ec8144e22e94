"""Word2vec: learns what is planted, finds nothing in noise, does the same again with the same seed."""

from __future__ import annotations

import hashlib
import itertools
import logging
import math

import numpy as np
import pytest
from gensim.models.word2vec import MAX_WORDS_IN_BATCH

from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions
from song2vec.vectors import LEARNERS, Word2Vec
from song2vec.vectors.measures import next_song_ranks, recall

SMALL = {"size": 8, "epochs": 2, "workers": 1, "progress": False, "subsample": 0}
LEARNING = SMALL | {"size": 16, "epochs": 12, "learning_rate": 0.1, "context_weight": 0.3}
CLUSTERS, SONGS = 5, 12

KINDS = list(itertools.product(("skip-gram", "cbow"), ("negative-sampling", "hierarchical-softmax")))
every_kind = pytest.mark.parametrize(("algorithm", "loss"), KINDS)


def planted(sessions=400, length=10, seed=0):
    """Sessions that each play songs of one of five clusters; song // 12 is its cluster."""
    random = np.random.default_rng(seed)
    clusters = random.integers(0, CLUSTERS, (sessions, 1))
    return Sessions.from_lists((clusters * SONGS + random.integers(0, SONGS, (sessions, length))).tolist())


def noise(sessions=400, length=10, seed=0):
    """As many plays of the same songs, in no order at all."""
    return Sessions.from_lists(np.random.default_rng(seed).integers(0, CLUSTERS * SONGS, (sessions, length)).tolist())


def share_of_cluster(vectors):
    """How many of the 11 nearest songs are of a song's own cluster, 0 to 1; chance is 11 of 59."""
    clusters = vectors.catalogue.ids.to_numpy() // SONGS
    cosines = vectors.unit @ vectors.unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1)[:, : SONGS - 1]
    return float((clusters[nearest] == clusters[:, None]).mean())


def fingerprint(vectors):
    return hashlib.sha256(vectors.matrix.tobytes() + "".join(map(str, vectors.catalogue.ids)).encode()).hexdigest()


# Learning


@every_kind
@pytest.mark.parametrize("context_weight", [0, 0.3])
def test_planted_clusters_are_found_and_noise_is_not(algorithm, loss, context_weight):
    hyperparameters = LEARNING | {"algorithm": algorithm, "loss": loss, "context_weight": context_weight}
    assert share_of_cluster(Word2Vec(**hyperparameters).fit(planted()).vectors_) > 0.75
    assert share_of_cluster(Word2Vec(**hyperparameters).fit(noise()).vectors_) < 0.35


@every_kind
def test_the_true_loss_falls_on_what_is_planted(algorithm, loss):
    history = Word2Vec(**LEARNING | {"algorithm": algorithm, "loss": loss}).fit(planted()).history_
    assert [epoch.epoch for epoch in history] == list(range(1, 13))
    assert history[-1].loss < history[3].loss < history[0].loss
    assert all(math.isfinite(epoch.loss) and epoch.loss > 0 and not epoch.scores for epoch in history)


def test_songs_late_in_a_very_long_session_are_learnt_too():
    random = np.random.default_rng(0)
    begin = np.zeros(MAX_WORDS_IN_BATCH, int)  # the clusters come only after as many plays as gensim reads of a line
    parts = [cluster * SONGS + random.integers(0, SONGS, 1000) for cluster in range(CLUSTERS)]
    vectors = Word2Vec(**LEARNING).fit(Sessions.from_lists([np.concatenate([begin + 1000, *parts]).tolist()])).vectors_
    assert share_of_cluster(vectors.subset(np.flatnonzero(vectors.catalogue.ids.to_numpy() < 1000))) > 0.9


@pytest.mark.parametrize(("window", "least", "most"), [(1, 0, 0.35), (2, 0.9, 1)])
def test_a_window_reaches_as_far_as_it_says(window, least, most):
    lists = [[song for each in session for song in (each, 1000)] for session in planted()]  # the same song between any two
    vectors = Word2Vec(**LEARNING | {"window": window}).fit(Sessions.from_lists(lists)).vectors_
    assert least <= share_of_cluster(vectors.subset(np.flatnonzero(vectors.catalogue.ids.to_numpy() < 1000))) <= most


# The same again


@every_kind
def test_the_same_seed_and_one_worker_give_the_same_bytes(algorithm, loss):
    hyperparameters = SMALL | {"algorithm": algorithm, "loss": loss, "dynamic_window": True, "subsample": 0.01}
    models = [Word2Vec(**hyperparameters, seed=seed).fit(planted(50)) for seed in (1, 1, 2)]
    prints = [fingerprint(model.vectors_) for model in models]
    assert prints[0] == prints[1] != prints[2]
    assert [epoch.loss for epoch in models[0].history_] == [epoch.loss for epoch in models[1].history_]
    assert fingerprint(models[0].fit(planted(50)).vectors_) == prints[0]


def test_the_same_seed_gives_the_same_bytes_in_every_process(other_processes):
    assert [found["word2vec"] for found in other_processes] == [fingerprint(Word2Vec(**SMALL).fit(planted(50)).vectors_)] * 2


def test_global_generators_stay_untouched():
    before = np.random.get_state()[1].tolist()
    Word2Vec(**SMALL).fit(planted(50))
    assert np.random.get_state()[1].tolist() == before


def test_several_workers_learn_as_well():
    assert share_of_cluster(Word2Vec(**LEARNING | {"workers": 2}).fit(planted()).vectors_) > 0.9


# What comes out


def test_fit_returns_the_learner_and_vectors_of_the_catalogue():
    sessions, learner = planted(50), Word2Vec(**SMALL)
    assert learner.fit(sessions) is learner
    assert learner.vectors_.matrix.shape == (len(sessions.catalogue), 8)
    assert learner.vectors_.catalogue == sessions.catalogue
    assert LEARNERS["word2vec"] is Word2Vec


def test_songs_without_plays_are_left_out():
    whole = Sessions.from_lists([["a", "b", "c"], ["x", "y", "x", "y", "x", "y"], ["c", "a", "c"]])
    some = whole.keep(np.array([0, 2]))
    vectors = Word2Vec(**SMALL).fit(some).vectors_
    assert [song for song in whole.catalogue.ids if song in "abc"] == vectors.catalogue.ids.to_list()
    assert set(vectors.catalogue.ids) == {*"abc"}
    assert len(vectors) == 3


@every_kind
@pytest.mark.parametrize("lists", [[["a", "b"]], [["a"], ["a", "b"], []]])
def test_a_log_of_next_to_nothing_is_learnt(algorithm, loss, lists):
    model = Word2Vec(**SMALL, algorithm=algorithm, loss=loss).fit(Sessions.from_lists(lists))
    assert np.isfinite(model.vectors_.matrix).all()
    assert all(math.isfinite(epoch.loss) for epoch in model.history_)


def test_hyperparameters_may_be_numpy_integers():
    Word2Vec(**SMALL | {"size": np.int64(8), "epochs": np.int32(2), "seed": np.int64(3)}).fit(planted(20))


# Validation


def test_every_epoch_is_scored_and_the_best_is_kept():
    train, validation = planted(), planted(seed=1)
    model = Word2Vec(**LEARNING).fit(train, validation)
    scores = [epoch.scores["recall@10"] for epoch in model.history_]
    assert len(scores) == 12
    assert all(0 <= score <= 1 for score in scores)
    assert scores[-1] > 0.6  # of a cluster of twelve, ten are hits
    assert recall(next_song_ranks(model.vectors_, validation, max_queries=2000, seed=0)) == max(scores)
    plain = Word2Vec(**LEARNING).fit(train)
    assert [epoch.loss for epoch in plain.history_] == [epoch.loss for epoch in model.history_]  # watching changes nothing


@pytest.mark.parametrize("patience", [1, 3])
def test_with_patience_training_stops_early_and_keeps_the_best(patience):
    validation = noise(seed=1)
    model = Word2Vec(**LEARNING | {"epochs": 40}, patience=patience).fit(planted(), validation)
    scores = [epoch.scores["recall@10"] for epoch in model.history_]
    assert len(scores) < 40
    assert scores.index(max(scores)) == len(scores) - 1 - patience
    assert recall(next_song_ranks(model.vectors_, validation, max_queries=2000, seed=0)) == max(scores)
    assert scores[-1] < max(scores) or patience == 1


def test_with_patience_training_that_gets_better_goes_on():
    model = Word2Vec(**LEARNING | {"learning_rate": 0.05, "epochs": 6}, patience=6).fit(planted(), planted(seed=1))
    assert len(model.history_) == 6


def test_an_epoch_says_what_it_came_to(caplog):
    with caplog.at_level(logging.DEBUG, "song2vec"):
        model = Word2Vec(**SMALL).fit(planted(50), planted(20, seed=1))
    epoch = model.history_[0]
    said = f"loss {epoch.loss:.4f}, {epoch.events_per_second:,.0f} events/s, recall@10 {epoch.scores['recall@10']:.4f}"
    assert str(epoch) == said
    assert str(model.fit(planted(50)).history_[0]).startswith("loss ")
    assert "recall@10" not in str(model.history_[0])
    assert caplog.text.count("word2vec") >= 2


# Errors


@pytest.mark.parametrize(
    ("argument", "values", "allowed"),
    [
        ("algorithm", ["skipgram", None], "'skip-gram', 'cbow' are allowed"),
        ("loss", ["softmax"], "'hierarchical-softmax', 'negative-sampling' are allowed"),
        ("size", [0, -1, 1.5, "8", True, None], "a whole number from 1"),
        ("window", [0, 2.0, None], "a whole number from 1"),
        ("n_negatives", [0, None], "a whole number from 1"),
        ("epochs", [0, None, 1.0], "a whole number from 1"),
        ("workers", [0, -1, 1.5], "a whole number from 1"),
        ("patience", [0, -1, 0.5], "a whole number from 1"),
        ("learning_rate", [0, -0.1, math.nan], "above 0"),
        ("learning_rate", [1e-9], "not above learning_rate=1e-09"),
        ("min_learning_rate", [-1e-9, math.nan], "from 0"),
        ("min_learning_rate", [1], "not above learning_rate"),
        ("subsample", [-1, math.nan], "from 0"),
        ("context_weight", [-0.1, 1.1, math.nan], "from 0 to 1"),
        ("seed", [-1, 1.5, None, 2**31], "a whole number from 0"),
    ],
)
def test_a_hyperparameter_outside_its_range_is_named(argument, values, allowed):
    for value in values:
        with pytest.raises(ArgumentError) as raised:
            Word2Vec(**SMALL | {argument: value}).fit(planted(20), planted(20))
        assert f"{argument}={value!r}" in str(raised.value)
        assert allowed in str(raised.value)


def test_patience_needs_validation_sessions():
    with pytest.raises(ArgumentError, match=r"patience: needs validation sessions"):
        Word2Vec(**SMALL, patience=2).fit(planted(20))


def test_sessions_that_nothing_can_be_learnt_from_are_refused_by_name():
    lone = Sessions.from_lists([["a"], ["b"]])
    with pytest.raises(ArgumentError, match=r"^sessions: none of 2 has two plays"):
        Word2Vec(**SMALL).fit(lone)
    with pytest.raises(ArgumentError, match=r"^sessions: none of 0 has two plays"):
        Word2Vec(**SMALL).fit(lone.keep(np.array([], int)))
    with pytest.raises(ArgumentError, match="all plays are of one song"):
        Word2Vec(**SMALL).fit(Sessions.from_lists([["a", "a"]]))
    with pytest.raises(ArgumentError, match=r"^validation: none of 2 has two plays"):
        Word2Vec(**SMALL).fit(planted(20), lone)


def test_there_are_only_keyword_arguments_and_unknown_ones_are_refused():
    with pytest.raises(TypeError):
        Word2Vec("cbow")
    with pytest.raises(ArgumentError, match="dimensions: not a setting of Word2Vec"):
        Word2Vec(dimensions=8)
