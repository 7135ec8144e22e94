"""What auto takes, with the clock in the test's hands."""

from __future__ import annotations

import logging

import pytest

from song2vec.core.errors import ArgumentError
from song2vec.search import HNSWIndex, SongIndex, measuring
from song2vec.search.state import Searcher
from song2vec.testing.indexes import some_vectors


@pytest.fixture
def clock(monkeypatch):
    """Call it with the milliseconds that each kind takes on all songs and, in a list, on a tenth."""

    def set_clock(**milliseconds):
        def took(index, vectors, seed):
            whole = milliseconds[index.name]
            return 1e-3 * (whole if isinstance(whole, float) else whole[len(vectors) < 5000])

        monkeypatch.setattr(measuring, "seconds_a_query", took)

    return set_clock


def test_exact_while_it_is_fast(clock, caplog):
    caplog.set_level(logging.INFO, "song2vec")
    clock(exact=0.4)
    index = SongIndex.auto(some_vectors())
    assert index.name == "exact"
    assert index.why_ == "exact chosen for 300 songs: exact search takes 0.40 ms a query and misses nothing"
    assert index.why_ in caplog.text


@pytest.mark.parametrize(
    ("milliseconds", "chosen", "why"),
    [
        ({"exact": 2.0, "annoy": 0.5, "hnsw": 0.1}, "hnsw", "hnsw takes 0.10 ms"),
        ({"exact": 2.0, "annoy": 0.5, "hnsw": 0.6}, "annoy", "annoy takes 0.50 ms"),
        ({"exact": 2.0, "annoy": 1.5, "hnsw": 1.5}, "exact", "no other kind is faster"),
        ({"exact": 2.0, "annoy": 1.5, "hnsw": [1.2, 0.4]}, "exact", "hnsw takes 1.20 ms a query at recall"),
        ({"exact": 2.0, "annoy": [0.9, 0.1], "hnsw": [0.5, 0.2]}, "hnsw", "hnsw takes 0.50 ms"),
        ({"exact": 2.0, "annoy": [0.9, 0.1], "hnsw": [0.5, 0.4]}, "annoy", "annoy takes 0.90 ms"),
    ],
)
def test_the_fastest_that_is_worth_its_build(clock, milliseconds, chosen, why):
    clock(**milliseconds)
    index = SongIndex.auto(some_vectors(5000, size=16), recall=0.9, seed=3)
    assert (index.name, index.seed) == (chosen, 3)
    assert why in index.why_
    assert index.recall_ >= 0.9


def test_only_what_is_installed_and_keeps_the_recall(clock, monkeypatch):
    clock(exact=2.0, annoy=0.5, hnsw=0.1)
    vectors = some_vectors(5000, size=16)
    monkeypatch.setattr(HNSWIndex, "installed", classmethod(lambda cls: False))
    assert SongIndex.auto(vectors, recall=0.9).name == "annoy"
    monkeypatch.setattr(Searcher, "widen", lambda self: False)
    assert SongIndex.auto(vectors, recall=0.999).name == "exact"
    assert SongIndex.auto(vectors, recall=1.0).name == "exact"


def test_the_real_clock():
    assert SongIndex.auto(some_vectors(3000)).recall_ >= 0.99


@pytest.mark.parametrize("recall", [0, 1.5, "all", None])
def test_recall_is_a_share(recall):
    with pytest.raises(ArgumentError, match="recall="):
        SongIndex.auto(some_vectors(), recall=recall)
