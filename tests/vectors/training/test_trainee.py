"""Training as a whole: broken off and taken up, sessions on disk, gensim beside it, weights of songs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.sessions import Sessions
from song2vec.vectors import Word2Vec
from song2vec.vectors.training import trainee
from song2vec.vectors.training.weights import Weights, count_plays
from tests.vectors.test_word2vec import LEARNING, SMALL, every_kind, fingerprint, planted, share_of_cluster


class BrokenOffError(Exception):
    pass


@pytest.fixture
def many_rounds(monkeypatch):
    """Two chunks a round, so that an epoch has several rounds."""
    monkeypatch.setattr(trainee, "ROUND", 2)


def train_broken_off(rounds, learner, *data, **options):
    """Fit, and break off after so many rounds."""
    train, left = trainee.KernelTrainee.run, iter(range(rounds))

    def breaking(self, block):
        if next(left, None) is None:
            raise BrokenOffError
        return train(self, block)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainee.KernelTrainee, "run", breaking)
        with pytest.raises(BrokenOffError):
            learner.fit(*data, **options)


# Broken off


@every_kind
@pytest.mark.parametrize("rounds", [1, 4, 7])
def test_training_taken_up_is_the_training_that_was_never_broken_off(tmp_path, many_rounds, algorithm, loss, rounds):
    hyperparameters = SMALL | {"algorithm": algorithm, "loss": loss, "dynamic_window": True, "subsample": 0.01}
    whole = Word2Vec(**hyperparameters).fit(planted(60), planted(20, seed=1))
    data, kept = (planted(60), planted(20, seed=1)), tmp_path / "kept"
    train_broken_off(rounds, Word2Vec(**hyperparameters), *data, checkpoint=kept, checkpoint_minutes=0)
    again = Word2Vec(**hyperparameters).fit(planted(60), planted(20, seed=1), checkpoint=tmp_path / "kept")
    assert fingerprint(again.vectors_) == fingerprint(whole.vectors_)
    assert [(epoch.loss, epoch.scores) for epoch in again.history_] == [(epoch.loss, epoch.scores) for epoch in whole.history_]


def test_the_best_vectors_survive_a_break(tmp_path):
    hyperparameters = LEARNING | {"patience": 2, "epochs": 12}
    whole = Word2Vec(**hyperparameters).fit(planted(), planted(seed=1))
    data, kept = (planted(), planted(seed=1)), tmp_path / "kept"
    train_broken_off(len(whole.history_) - 1, Word2Vec(**hyperparameters), *data, checkpoint=kept, checkpoint_minutes=0)
    again = Word2Vec(**hyperparameters).fit(planted(), planted(seed=1), checkpoint=tmp_path / "kept")
    assert fingerprint(again.vectors_) == fingerprint(whole.vectors_)


def test_training_that_is_done_is_not_done_again(tmp_path, monkeypatch):
    first = Word2Vec(**SMALL).fit(planted(50), checkpoint=tmp_path / "kept")
    monkeypatch.setattr(trainee.KernelTrainee, "run", None)
    again = Word2Vec(**SMALL | {"workers": 2}).fit(planted(50), checkpoint=tmp_path / "kept")
    assert fingerprint(again.vectors_) == fingerprint(first.vectors_)


def test_a_checkpoint_is_written_when_it_is_time_and_at_the_end(tmp_path):
    train_broken_off(1, Word2Vec(**SMALL), planted(50), checkpoint=tmp_path / "kept", checkpoint_minutes=60)
    assert not (tmp_path / "kept").exists()
    Word2Vec(**SMALL).fit(planted(50), checkpoint=tmp_path / "kept", checkpoint_minutes=60)
    assert (tmp_path / "kept" / "manifest.json").exists()


def test_a_checkpoint_of_other_training_is_refused(tmp_path):
    Word2Vec(**SMALL).fit(planted(50), checkpoint=tmp_path / "kept")
    with pytest.raises(ArgumentError, match="of a training with other window; choose another folder"):
        Word2Vec(**SMALL | {"window": 2}).fit(planted(50), checkpoint=tmp_path / "kept")
    with pytest.raises(ArgumentError, match="of a training with other sessions"):
        Word2Vec(**SMALL).fit(planted(40), checkpoint=tmp_path / "kept")
    with pytest.raises(ArgumentError, match="checkpoint_minutes=-1"):
        Word2Vec(**SMALL).fit(planted(50), checkpoint=tmp_path / "kept", checkpoint_minutes=-1)


# Sessions


def test_sessions_on_disk_are_read_there_and_teach_the_same(tmp_path):
    sessions = planted(100)
    mapped = Sessions.load(sessions.save(tmp_path / "sessions"))
    learner = Word2Vec(**SMALL).fit(mapped)
    assert fingerprint(learner.vectors_) == fingerprint(Word2Vec(**SMALL).fit(sessions).vectors_)
    trained_on = trainee.KernelTrainee(mapped, np.arange(60, dtype=np.int32), learner.weights_, learner, np.ones(60, np.float32))
    assert np.shares_memory(trained_on._log.songs, mapped.songs)
    assert np.shares_memory(trained_on._log.offsets, mapped.offsets)


def test_plays_are_counted_over_the_whole_catalogue():
    sessions = Sessions.from_lists([["a", "b", "a"], ["c"]]).keep(np.array([0]))
    assert count_plays(sessions).tolist() == [2, 1, 0]


@pytest.mark.parametrize("window", [100, "session"])
def test_a_window_may_be_the_whole_session(window):
    lists = [[song for each in session for song in (each, 1000)] for session in planted()]  # the same song between any two
    vectors = Word2Vec(**LEARNING | {"window": window, "learning_rate": 0.05}).fit(Sessions.from_lists(lists)).vectors_
    assert share_of_cluster(vectors.subset(np.flatnonzero(vectors.catalogue.ids.to_numpy() < 1000))) > 0.9


def test_songs_without_weight_are_never_predicted():
    sessions = planted()
    muted = dict.fromkeys(range(12), 0.0)  # the first cluster
    vectors = Word2Vec(**LEARNING).fit(sessions, song_weights=muted).vectors_
    lengths = np.linalg.norm(Word2Vec(**LEARNING | {"context_weight": 0}).fit(sessions, song_weights=muted).vectors_.matrix, axis=1)
    silent = vectors.catalogue.ids.to_numpy() < 12
    assert lengths[silent].max() < lengths[~silent].min() / 2


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf")])
def test_bad_weights_of_songs_are_refused(weight):
    with pytest.raises(ArgumentError, match="finite numbers from 0"):
        Word2Vec(**SMALL).fit(planted(50), song_weights={3: weight})
    with pytest.raises(UnknownSongError):
        Word2Vec(**SMALL).fit(planted(50), song_weights={1000: 1})


# Backends


@every_kind
def test_gensim_is_the_reference_and_learns_the_same(algorithm, loss):
    learners = [
        Word2Vec(**LEARNING | {"algorithm": algorithm, "loss": loss, "backend": name}).fit(planted()) for name in ("song2vec", "gensim")
    ]
    assert all(share_of_cluster(learner.vectors_) > 0.75 for learner in learners)
    ours, theirs = (learner.history_[-1].loss for learner in learners)
    assert ours == pytest.approx(theirs, rel=0.05)
    assert learners[1].weights_ is None


def test_gensim_leaves_out_songs_without_plays():
    some = Sessions.from_lists([["a", "b", "c"], ["x", "y", "x", "y"], ["c", "a", "c"]]).keep(np.array([0, 2]))
    vectors = Word2Vec(**SMALL, backend="gensim").fit(some).vectors_
    assert set(vectors.catalogue.ids) == {*"abc"}
    assert len(vectors) == 3


def test_what_gensim_cannot_do_is_refused(tmp_path):
    for options in ({"song_weights": {1: 2.0}}, {"checkpoint": tmp_path / "kept"}):
        with pytest.raises(ArgumentError, match="backend='gensim': knows no"):
            Word2Vec(**SMALL, backend="gensim").fit(planted(50), **options)
    with pytest.raises(ArgumentError, match="backend='torch': 'song2vec', 'gensim' are allowed"):
        Word2Vec(**SMALL, backend="torch").fit(planted(50))


# Weights


@pytest.mark.parametrize("hierarchical", [True, False])
def test_weights_survive_saving_and_rows_begin_cache_lines(hierarchical):
    weights = Weights.fresh(planted(50).catalogue, np.arange(1, 61), 20, hierarchical=hierarchical, seed=0)
    again = Weights.from_parts(weights.to_parts())
    for name in ("inputs", "outputs", "plays"):
        assert getattr(again, name).tobytes() == getattr(weights, name).tobytes()
    assert weights.inputs.shape == (60, 32)
    assert not weights.inputs[:, 20:].any()
    assert 0.9 / 20 < np.abs(weights.inputs).max() <= 1 / 20
    assert {field.name for field in dataclasses.fields(weights)} == {*vars(again)}
    assert weights.inputs.ctypes.data % 64 == again.outputs.ctypes.data % 64 == 0


def test_columns_beyond_the_size_stay_zero():
    learner = Word2Vec(**SMALL | {"size": 20}).fit(planted(50))
    assert learner.vectors_.size == 20
    assert not learner.weights_.inputs[:, 20:].any()
    assert not learner.weights_.outputs[:, 20:].any()
