"""Annoy's own: it is checked after build and load, and exact search answers where it cannot."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.search import AnnoyIndex, ExactIndex
from song2vec.testing.indexes import some_vectors


class Spoiled:
    """An Annoy object whose answers pass through ``spoil`` first."""

    def __init__(self, whole, spoil):
        self._whole, self._spoil = whole, spoil

    def __getattr__(self, name):
        return getattr(self._whole, name)

    def get_nns_by_vector(self, vector, n, search_k):
        return self._spoil(self._whole.get_nns_by_vector(vector, n, search_k))


@pytest.fixture
def spoil_annoy(monkeypatch):
    """Call it with a function of the rows Annoy found."""
    import annoy

    whole = annoy.AnnoyIndex

    def spoil(function):
        monkeypatch.setattr(annoy, "AnnoyIndex", lambda *arguments: Spoiled(whole(*arguments), function))

    return spoil


def same_answers(index, vectors):
    index.exact_share, index.exact_below = 1.0, 0
    exact = ExactIndex().fit(vectors)
    return all(index.similar(song, 12).rows.tolist() == exact.similar(song, 12).rows.tolist() for song in ("s0", "s5", "s299"))


def test_exact_search_answers_where_annoy_returns_too_few(spoil_annoy, caplog):
    vectors = some_vectors()
    spoil_annoy(lambda rows: rows[:3])
    index = AnnoyIndex().fit(vectors)
    assert index.answers_exactly_
    assert "fewer neighbours than asked for; exact search answers" in caplog.text
    assert same_answers(index, vectors)


def test_the_same_neighbour_again_and_again_counts_once(spoil_annoy):
    spoil_annoy(lambda rows: rows[:1] * len(rows))
    assert AnnoyIndex().fit(some_vectors()).answers_exactly_


def test_exact_search_answers_where_annoy_finds_the_wrong_songs(spoil_annoy, caplog):
    vectors = some_vectors()
    spoil_annoy(lambda rows: [(row + 150) % 300 for row in rows])
    index = AnnoyIndex().fit(vectors)
    assert index.recall_ < 0.5
    assert index.answers_exactly_
    assert "exact search answers" in caplog.text
    assert same_answers(index, vectors)


def test_found_out_after_loading_on_another_machine(spoil_annoy, caplog, tmp_path):
    vectors = some_vectors()
    whole = AnnoyIndex().fit(vectors)
    folder = whole.save(tmp_path / "index")
    assert not caplog.records
    spoil_annoy(lambda rows: rows[:3])
    index = AnnoyIndex.load(folder)
    assert index.answers_exactly_
    assert index.recall_ == whole.recall_
    assert "exact search answers" in caplog.text
    assert same_answers(index, vectors)


def test_too_few_neighbours_for_one_query_are_made_up_for(spoil_annoy):
    vectors = some_vectors()
    index = AnnoyIndex().fit(vectors)
    index._now.searcher._forest = Spoiled(index._now.searcher._forest, lambda rows: rows[:3])
    assert not index.answers_exactly_
    assert same_answers(index, vectors)


def test_a_weak_forest_warns_and_says_what_to_do(caplog):
    vectors = some_vectors(2000, size=32)
    weak = AnnoyIndex(trees=4, search_k=700).fit(vectors)
    assert 0.5 <= weak.recall_ < 0.95
    assert not weak.answers_exactly_
    assert f"recall@10 is {weak.recall_:.2f}" in caplog.text
    assert "trees=8" in caplog.text
    assert all(record.levelno == logging.WARNING and record.name == "song2vec" for record in caplog.records)


def test_a_hopeless_forest_is_not_asked(caplog):
    vectors = some_vectors(2000, size=32)
    hopeless = AnnoyIndex(trees=1, search_k=1).fit(vectors)
    assert hopeless.answers_exactly_
    assert hopeless.recall_ < 0.5
    assert "trees=2" in caplog.text or "fewer neighbours" in caplog.text


def test_search_widens_until_the_recall_is_good(caplog):
    vectors = some_vectors(4000, size=48)
    narrow = AnnoyIndex(search_k=1000).fit(vectors)
    caplog.clear()
    index = AnnoyIndex().fit(vectors)
    assert narrow.search_k_ == 1000
    assert narrow.recall_ < 0.95 <= index.recall_
    assert index.search_k_ > 1000
    assert not caplog.records


def test_neighbours_agree_with_exact_search():
    vectors = some_vectors(4000, size=32)
    index, exact = AnnoyIndex().fit(vectors), ExactIndex().fit(vectors)
    index.exact_share, index.exact_below = 1.0, 0
    songs = [f"s{row}" for row in range(0, 4000, 13)]
    found, expected = index.similar_batch(songs), exact.similar_batch(songs)
    shared = [len(set(ours) & set(theirs)) for ours, theirs in zip(found.rows.tolist(), expected.rows.tolist(), strict=True)]
    assert np.mean(shared) / 10 >= 0.95


@pytest.mark.parametrize("name", ["trees", "search_k", "workers"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "many", True])
def test_hyperparameters_are_checked(name, value):
    with pytest.raises(ArgumentError, match=f"{name}="):
        AnnoyIndex(**{name: value}).fit(some_vectors(20))


def test_several_workers_build_as_good_an_index():
    assert AnnoyIndex(workers=2).fit(some_vectors()).recall_ >= 0.95


@pytest.mark.parametrize("content", [b"", b"\0" * 44, b"\0" * 44 * 299, b"\0" * (44 * 300 + 1), b"\0" * 44 * 300, None])
def test_a_file_that_is_not_annoys_is_refused(content, tmp_path):
    vectors = some_vectors()
    parts = AnnoyIndex().fit(vectors).to_parts()
    if content is not None:
        parts["searcher"].file = tmp_path / "forest.bin"
        parts["searcher"].file.write_bytes(content)
    with pytest.raises(SavedFolderError, match="index:"):
        AnnoyIndex.from_parts(parts)
