"""Doc2vec: playlists and listeners of a taste lie together, new ones too, in every process."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from song2vec import Engine
from song2vec.core.errors import ArgumentError, SavedFolderError, UnknownSongError
from song2vec.sessions import Sessions
from song2vec.vectors import Doc2Vec
from song2vec.vectors.training.by_gensim import Documents
from tests.vectors.elsewhere import told
from tests.vectors.planted import LEARNING, far_apart, own_cluster, surely_more
from tests.vectors.test_word2vec import CLUSTERS, SONGS, fingerprint, noise, planted

QUICK = LEARNING | {"size": 8, "epochs": 2}
every_algorithm = pytest.mark.parametrize("algorithm", ["dbow", "dm"])


def clusters_of(sessions):
    """The cluster of each session's first song."""
    return np.array([session[0] // SONGS for session in sessions])


def listeners(count=60, each=20, seed=0):
    """Listeners of one cluster each, in sessions of one song of theirs and one of any; and their clusters."""
    random = np.random.default_rng(seed)
    taste = random.integers(0, CLUSTERS, count)
    own = np.repeat(taste, each) * SONGS + random.integers(0, SONGS, count * each)
    sessions = Sessions.from_lists(np.stack([own, random.integers(0, CLUSTERS * SONGS, count * each)], axis=1).tolist())
    names = pl.Series("listener", [f"listener {number}" for number in range(count)])
    return replace(sessions, listener=np.repeat(np.arange(count, dtype=np.int32), each), listeners=names), taste


@every_algorithm
def test_playlists_of_a_cluster_lie_together_new_ones_too_and_those_of_noise_do_not(algorithm):
    telling = planted if algorithm == "dbow" else far_apart  # where neighbours say it all, PV-DM leaves nothing to the document
    for log, least, most in ((telling, 0.8, 1), (noise, 0, 0.4)):
        train, new = log(), log(seed=9)
        learner = Doc2Vec(algorithm=algorithm, **LEARNING).fit(train)
        trained = learner.document_vectors_.matrix, clusters_of(train)
        assert least <= own_cluster(*trained, k=5).mean() <= most
        assert least <= own_cluster(learner.infer_sessions(new), clusters_of(new), trained, k=5).mean() <= most


def test_listeners_lie_by_their_taste_as_their_sessions_alone_do_not():
    log, taste = listeners()
    by_listener = Doc2Vec(**LEARNING, documents="listeners").fit(log)
    alone = Doc2Vec(**LEARNING, documents="sessions").fit(log)
    assert by_listener.document_vectors_.catalogue.ids.to_list() == log.listeners.to_list()
    found = own_cluster(by_listener.document_vectors_.matrix, taste, k=5)
    first = alone.document_vectors_.matrix[::20]
    assert found.mean() > 0.8
    assert surely_more(found, own_cluster(first, taste, k=5))


def test_a_new_playlist_is_given_what_it_would_have_been_trained_to():
    log = planted()
    learner = Doc2Vec(**LEARNING, infer_epochs=12).fit(log)
    again = learner.infer_sessions(log)
    trained = learner.document_vectors_.matrix
    cosines = (again * trained).sum(axis=1) / np.linalg.norm(again, axis=1) / np.linalg.norm(trained, axis=1)
    assert cosines.mean() > 0.8


@every_algorithm
def test_inference_is_that_of_a_plain_loop(algorithm):
    learner = Doc2Vec(algorithm=algorithm, window=2, **QUICK).fit(planted(30))
    weights, heard = learner.weights_, planted(1, seed=4)[0]
    rows = weights.catalogue.rows(heard)
    vector = np.zeros(8)
    for rate in np.linspace(learner.learning_rate, learner.min_learning_rate, learner.infer_epochs):
        for place, row in enumerate(rows):
            around = [*rows[max(0, place - 2) : place], *rows[place + 1 : place + 3]]
            hidden = np.mean([vector, *(weights.inputs[near] for near in around)], axis=0) if algorithm == "dm" else vector
            error = np.zeros(8)
            for _, node, branch in weights.tree.levels(np.array([row])):
                output = weights.outputs[node[0]]
                error += (1 - branch[0] - 1 / (1 + np.exp(-hidden @ output))) * output
            vector = vector + rate * error
    np.testing.assert_allclose(learner.infer(heard), vector, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(learner.infer_sessions(Sessions.from_lists([heard, heard[:3]]))[0], learner.infer(heard))


def test_the_same_seed_gives_the_same_documents_in_every_process(other_processes):
    here = told(Doc2Vec(**QUICK).fit(planted(50)))
    assert [found["doc2vec"] for found in other_processes] == [here] * 2
    assert told(Doc2Vec(**QUICK, seed=1).fit(planted(50))) != here


@pytest.mark.parametrize("documents", ["sessions", "listeners"])
def test_saves_and_loads(documents, tmp_path):
    learner = Doc2Vec(**QUICK, documents=documents).fit(listeners(6, 5)[0])
    loaded = Doc2Vec.load(learner.save(tmp_path / "learner"))
    assert loaded.settings == learner.settings
    heard = learner.vectors_.catalogue.ids[:4].to_list()
    assert loaded.similar_documents(heard).equals(learner.similar_documents(heard))
    assert fingerprint(loaded.document_vectors_) == fingerprint(learner.document_vectors_)
    assert fingerprint(loaded.vectors_) == fingerprint(learner.vectors_)
    assert {path.name for path in loaded.save(tmp_path / "again").iterdir()} == {path.name for path in (tmp_path / "learner").iterdir()}
    with pytest.raises(SavedFolderError, match="song vectors"):
        Doc2Vec.load(learner.vectors_.save(tmp_path / "vectors"))


def test_playlists_like_one_and_listeners_like_one():
    log, taste = listeners()
    learner = Doc2Vec(**LEARNING, documents="listeners").fit(log)
    engine = Engine(learner.document_vectors_, index="exact")
    assert [taste[int(name.split()[1])] for name in engine.similar("listener 3", 5)["song"]] == [taste[3]] * 5
    songs = [int(taste[3]) * SONGS + number for number in range(6)]
    near = learner.similar_documents(songs, 5)
    assert near.columns == ["document", "cosine"]
    assert near["cosine"].is_sorted(descending=True)
    assert [taste[int(name.split()[1])] for name in near["document"]] == [taste[3]] * 5
    assert len(learner.similar_documents(songs, 1000)) == 60


def test_long_documents_are_read_to_their_end():
    lists = [[1, 2] * 5_001, [3], [], [2, 1, 3]]
    read = Documents(Sessions.from_lists(lists), np.array([0, 1, 2, 1]))
    assert [(len(part.words), part.tags) for part in read] == [(10_000, [0]), (2, [0]), (1, [1]), (3, [1])]
    assert len(read) == 4


def test_documents_are_those_that_played_a_song():
    log, _ = listeners(4, 2)
    some = log.keep(np.array([2, 3, 6]))
    assert Doc2Vec(**QUICK, documents="listeners").fit(some).document_vectors_.catalogue.ids.to_list() == ["listener 1", "listener 3"]
    empty = Sessions.from_lists([[], [1, 2], [], [2, 3, 1]])
    documents = Doc2Vec(**QUICK).fit(empty).document_vectors_
    assert documents.matrix.shape == (2, 8)
    assert documents.catalogue.ids.to_list() == [1, 3]
    assert documents.catalogue.plays.tolist() == [2, 3]


def test_unusable_arguments_are_refused_by_name():
    learner = Doc2Vec(**QUICK).fit(planted(20))
    for call, message in (
        (lambda: learner.similar_documents([1], k=0), "^k=0"),
        (lambda: Doc2Vec().infer([1]), "call fit"),
        (lambda: Doc2Vec().similar_documents([1]), "call fit"),
        (lambda: Doc2Vec().save("nowhere"), "call fit"),
        (lambda: Doc2Vec(algorithm="cbow").fit(planted(20)), "algorithm='cbow': 'dbow', 'dm'"),
        (lambda: Doc2Vec(documents="songs").fit(planted(20)), "documents='songs': 'sessions', 'listeners'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()
    with pytest.raises(UnknownSongError, match="777"):
        learner.infer([1, 777])
    np.testing.assert_array_equal(learner.infer([1, 777], unknown="skip"), learner.infer([1]))
    for call in (lambda: learner.infer([777], unknown="skip"), lambda: learner.infer_sessions(Sessions.from_lists([[1], [777]]))):
        with pytest.raises(UnknownSongError, match="at least one"):
            call()
