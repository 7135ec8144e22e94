"""The true loss: against numbers worked by hand, and against gensim's own score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gensim.models import Word2Vec as GensimWord2Vec

from song2vec.catalogue import Catalogue
from song2vec.sessions import Sessions
from song2vec.vectors import Word2Vec
from song2vec.vectors.measures import SAMPLE, Objective
from song2vec.vectors.training.by_gensim import from_gensim
from song2vec.vectors.training.weights import Weights

SETTINGS = {"window": 2, "algorithm": "skip-gram", "n_negatives": 3, "negative_exponent": 0.75, "seed": 0}


def sample_of(sessions, **settings):
    return Objective.sample(sessions, np.arange(len(sessions.catalogue)), Word2Vec(**SETTINGS | settings))


def tiny_model(hierarchical, skip_gram=True, songs=5):
    """A gensim model of a few songs with numbers everywhere, and its weights."""
    model = GensimWord2Vec(
        vector_size=3,
        sg=int(skip_gram),
        hs=int(hierarchical),
        negative=0 if hierarchical else 2,
        min_count=1,
        workers=1,
        seed=0,
        sorted_vocab=0,
    )
    model.build_vocab_from_freq({str(row): row + 1 for row in range(songs)}, corpus_count=1)  # the last is the most frequent
    random = np.random.default_rng(0)
    model.wv.vectors[:] = random.standard_normal((songs, 3))
    outputs = model.syn1 if hierarchical else model.syn1neg
    outputs[:] = random.standard_normal(outputs.shape)
    plays = np.arange(1, songs + 1)
    return model, from_gensim(model, Weights(random, outputs, None, Catalogue([str(row) for row in range(songs)], plays), plays, 3))


def examples(contexts, targets, negatives=None):
    return Objective(np.array(contexts), np.array(targets), np.array(negatives if negatives is not None else [[]] * len(targets)))


def minus_log_sigmoid(x):
    return math.log(1 + math.exp(-x))


# The loss


def test_negative_sampling_worked_by_hand():
    model, weights = tiny_model(hierarchical=False)
    of, out = model.wv.vectors.astype(float), model.syn1neg.astype(float)
    one = minus_log_sigmoid(of[1] @ out[0]) + minus_log_sigmoid(-of[1] @ out[3]) + minus_log_sigmoid(-of[1] @ out[4])
    two = minus_log_sigmoid(of[2] @ out[4]) + minus_log_sigmoid(-of[2] @ out[4]) + minus_log_sigmoid(-of[2] @ out[0])
    loss = examples([[1], [2]], [0, 4], [[3, 4], [4, 0]]).loss(weights)
    assert loss == pytest.approx((one + two) / 2, rel=1e-5)


def test_the_songs_around_are_averaged_and_what_is_not_there_does_not_count():
    model, weights = tiny_model(hierarchical=False, skip_gram=False)
    of, out = model.wv.vectors.astype(float), model.syn1neg.astype(float)
    mean = (of[1] + of[1] + of[3]) / 3
    expected = minus_log_sigmoid(mean @ out[0]) + minus_log_sigmoid(-mean @ out[2])
    assert examples([[1, -1, 1, 3]], [0], [[2]]).loss(weights) == pytest.approx(expected, rel=1e-5)
    assert examples([[1, 1, 3]], [0], [[2]]).loss(weights) == pytest.approx(expected, rel=1e-5)


def test_numbers_that_know_nothing_cost_log_two_each():
    model, weights = tiny_model(hierarchical=False)
    model.syn1neg[:] = 0
    assert examples([[1]], [0], [[2, 3]]).loss(weights) == pytest.approx(3 * math.log(2))


def test_huge_numbers_neither_overflow_nor_become_nan():
    model, weights = tiny_model(hierarchical=False)
    model.wv.vectors[:] = 1e3
    model.syn1neg[:] = 1e3
    assert examples([[1]], [0], [[2, 3]]).loss(weights) == pytest.approx(2 * 3e6)
    model.syn1neg[:] = -1e3
    assert examples([[1]], [0], [[2, 3]]).loss(weights) == pytest.approx(3e6)


def test_the_path_loss_is_worked_by_hand_along_the_path():
    model, weights = tiny_model(hierarchical=True)
    hidden, expected = model.wv.vectors[1].astype(float), 0.0
    for bit, node in zip(model.wv.get_vecattr("3", "code"), model.wv.get_vecattr("3", "point"), strict=True):
        dot = model.syn1[node].astype(float) @ hidden
        expected += minus_log_sigmoid(dot if bit == 0 else -dot)
    assert examples([[1]], [3]).loss(weights) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("contexts", [[[0]], [[2]], [[1, -1, 3, 4]]])
def test_the_path_losses_of_all_songs_are_one_distribution(contexts):
    _, weights = tiny_model(hierarchical=True, skip_gram=False, songs=9)
    chances = [math.exp(-examples(contexts, [target]).loss(weights)) for target in range(9)]
    assert sum(chances) == pytest.approx(1, abs=1e-5)
    assert max(chances) > 2 * min(chances)


@pytest.mark.parametrize("skip_gram", [True, False])
def test_gensim_scores_a_sentence_alike(skip_gram):
    model, weights = tiny_model(hierarchical=True, skip_gram=skip_gram)
    sentence = [1, 4, 0]
    if skip_gram:
        pairs = [(context, target) for target in sentence for context in sentence if context != target]
        whole = examples([[context] for context, _ in pairs], [target for _, target in pairs])
    else:
        whole = examples([[4, 0], [1, 0], [1, 4]], sentence)
    (score,) = model.score([[str(song) for song in sentence]], total_sentences=1)
    assert whole.loss(weights) * len(whole.target) == pytest.approx(-float(score), rel=0.03)  # gensim's table of logarithms is coarse


# The sample


def numbered_sessions():
    """Sessions of which every play is a song of its own: the song says where it was played."""
    return Sessions.from_lists([[100 * number + place for place in range(length)] for number, length in enumerate((1, 2, 9, 30, 1, 4))])


@pytest.mark.parametrize("window", [1, 2, 5])
def test_contexts_lie_within_the_window_and_the_session(window):
    sessions = numbered_sessions()
    sample = sample_of(sessions, window=window, algorithm="cbow")
    ids = sessions.catalogue.ids.to_numpy()
    assert sample.context.shape == (len(sample.target), 2 * window)
    for context, target in zip(sample.context[:500], ids[sample.target[:500]], strict=True):
        near = [target + step for step in (*range(-window, 0), *range(1, window + 1)) if target + step in ids]
        assert ids[context[context >= 0]].tolist() == near


def test_plays_with_nothing_around_are_no_examples():
    sessions = numbered_sessions()
    sample = sample_of(sessions)
    targets = set(sessions.catalogue.ids.gather(sample.target).to_list())
    assert targets == set(sessions.catalogue.ids.to_list()) - {0, 400}
    assert SAMPLE * 0.9 < len(sample.target) < SAMPLE


def test_skip_gram_takes_one_song_around_any_of_them_alike():
    sessions = Sessions.from_lists([list(range(5))])
    sample = sample_of(sessions)
    assert sample.context.shape == (SAMPLE, 1)
    middle = sample.context[sample.target == sessions.catalogue.row(2), 0]
    counts = np.bincount(middle, minlength=5)
    assert counts[sessions.catalogue.row(2)] == 0
    np.testing.assert_allclose(counts[[sessions.catalogue.row(song) for song in (0, 1, 3, 4)]] / len(middle), 0.25, atol=0.05)


@pytest.mark.parametrize("exponent", [0.75, 0, 1, -0.5])
def test_negatives_are_drawn_by_plays_to_the_exponent_and_never_without_plays(exponent):
    sessions = Sessions.from_lists([["a"] * 16 + ["b"] * 4 + ["c"], ["d", "e"]]).keep(np.array([0]))
    sample = sample_of(sessions, negative_exponent=exponent)
    assert sample.negatives.shape == (len(sample.target), 3)
    counts = np.bincount(sample.negatives.ravel(), minlength=5)
    weights = np.array([16.0, 4, 1]) ** exponent
    np.testing.assert_allclose(counts[:3] / counts.sum(), weights / weights.sum(), atol=0.02)
    assert counts[3:].tolist() == [0, 0]


def test_the_same_seed_draws_the_same_sample():
    first, again, other = (sample_of(numbered_sessions(), seed=seed) for seed in (1, 1, 2))
    for name in ("context", "target", "negatives"):
        assert getattr(first, name).tolist() == getattr(again, name).tolist()
    assert first.target.tolist() != other.target.tolist()
