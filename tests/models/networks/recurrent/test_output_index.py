"""Songs looked up in an index: those that have the best scores, whatever the lengths and biases of their rows."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

torch = pytest.importorskip("torch")

from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.models.networks.gru4rec.model import GRU4Rec
from song2vec.models.networks.hrnn import HRNN
from song2vec.models.networks.recurrent.live import listen_together, next_together
from song2vec.models.networks.recurrent.output_index import longer_rows
from song2vec.search import AnnoyIndex
from song2vec.sessions import Sessions

SONGS = 1500  # from 500 on an index answers and not a scan
NUMBERS = st.floats(-10, 10, width=32)


@pytest.fixture(scope="module")
def train() -> Sessions:
    """Walks on a ring: song n is followed by one of the next five."""
    random = np.random.default_rng(0)
    walks = (random.integers(SONGS) + np.cumsum(random.integers(1, 6, 12)) for _ in range(600))
    return Sessions.from_lists([*((walk % SONGS).tolist() for walk in walks), list(range(SONGS))])


@pytest.fixture(scope="module")
def model(train) -> GRU4Rec:
    """Trained for a while, so that rows and biases have the lengths that training gives them."""
    return GRU4Rec(hidden=16, epochs=3, batch_size=32, n_negatives=128, learning_rate=0.2, workers=1, progress=False).fit(train)


@given(rows=arrays(np.float32, (6, 3), elements=NUMBERS), query=arrays(np.float32, 3, elements=NUMBERS))
@settings(deadline=None)
def test_longer_rows_have_length_one_and_keep_the_inner_products(rows, query):
    longer = longer_rows(rows).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(longer, axis=1), 1, rtol=1e-5)
    longest = np.linalg.norm(rows.astype(np.float64), axis=1).max()
    np.testing.assert_allclose(longest * (longer @ np.append(query, 0)), rows @ query, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", ["exact", "annoy"])
def test_finds_the_songs_that_scoring_all_finds(kind, model, train):
    index = model.index(kind, sessions=train)
    hits = 0
    for session in range(30):
        played = train[session]
        found, expected = index.next(played, 10), model.next(played, 10)
        assert found.columns == expected.columns
        hits += len(set(found["song"]) & set(expected["song"]))
        kept = dict(zip(expected["song"], expected["score"], strict=True))
        for song, score in zip(found["song"], found["score"], strict=True):
            assert score == pytest.approx(kept.get(song, score), abs=1e-4)
        assert (np.diff(found["score"]) <= 0).all()
    assert hits / 300 >= (0.995 if kind == "exact" else 0.9)
    assert index.recall_ >= (1.0 if kind == "exact" else 0.95)


def test_exactly_k_and_nothing_hidden(model):
    index = model.index()
    best = index.next([5, 6], 20)["song"].to_list()
    assert set(index.next([5, 6], 30, exclude=best)["song"]).isdisjoint(best)
    assert len(index.next([5, 6], 10**6, exclude=[*best, "never heard of"])) == SONGS - 20
    with pytest.raises(ArgumentError, match=r"^k="):
        index.next([5], 0)
    with pytest.raises(UnknownSongError):
        index.next([SONGS])
    with pytest.raises(ArgumentError, match="fit"):
        GRU4Rec().index()
    with pytest.raises(ArgumentError, match=r"^index="):
        model.index("card catalogue")
    with pytest.raises(ArgumentError, match="other songs"):
        model.index(sessions=Sessions.from_lists([[1, 2]]))


def test_live_sessions_ask_the_index(model):
    index = model.index()
    asking, scoring = [index.session() for _ in range(3)], [model.session() for _ in range(3)]
    for songs in ([1, 50, 700], [2, 52, 703]):
        listen_together(asking, songs)
        listen_together(scoring, songs)
    for found, expected, session in zip(next_together(asking, 5), next_together(scoring, 5), scoring, strict=True):
        np.testing.assert_allclose(found["score"], expected["score"], atol=1e-4)
        np.testing.assert_allclose(session.next(5)["score"], expected["score"], atol=1e-4)
    with pytest.raises(ArgumentError, match="different ones"):
        next_together([asking[0], scoring[0]])
    with pytest.raises(UnknownSongError, match="at least one"):
        next_together([index.session()])
    assert next_together([]) == []


def test_a_listener_counts_through_the_index_too(train):
    model = HRNN(hidden=12, listener_hidden=8, epochs=1, n_negatives=32, workers=1, progress=False).fit(train)
    listener = train.listeners[0]
    found, expected = (of.session(listener).listen(7).next(5) for of in (model.index(), model))
    np.testing.assert_allclose(found["score"], expected["score"], atol=1e-4)


def test_an_index_that_misses_much_looks_wider_and_says_so(model, train, caplog):
    narrow = AnnoyIndex(trees=1, search_k=1)
    with caplog.at_level(logging.WARNING, "song2vec"):
        index = model.index(narrow, sessions=train)
    assert index.wide_ > 1 or narrow.answers_exactly_
    assert index.recall_ >= 0.5
    assert caplog.messages
