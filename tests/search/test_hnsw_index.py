"""The HNSW index's own: what its settings do, files that are not Voyager's, and doing without Voyager."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from song2vec.core.errors import ArgumentError, MissingExtraError, SavedFolderError
from song2vec.search import ExactIndex, HNSWIndex, SongIndex, make_index
from song2vec.testing.indexes import some_vectors
from song2vec.vectors.song_vectors import SongVectors


def test_neighbours_agree_with_exact_search():
    vectors = some_vectors(4000, size=32)
    index, exact = HNSWIndex(recall=0.99, workers=2).fit(vectors), ExactIndex().fit(vectors)
    assert index.recall_ >= 0.99
    songs = [f"s{row}" for row in range(0, 4000, 13)]
    for k in (10, 100):
        found, expected = index.similar_batch(songs, k), exact.similar_batch(songs, k)
        shared = [len(set(ours) & set(theirs)) for ours, theirs in zip(found.rows.tolist(), expected.rows.tolist(), strict=True)]
        assert np.mean(shared) / k >= 0.97


def test_a_wider_search_finds_more():
    vectors = some_vectors(4000, size=48)
    narrow = HNSWIndex(links=4, ef_construction=10, ef=1).fit(vectors)
    wide = HNSWIndex(links=4, ef_construction=10).fit(vectors)
    assert narrow.ef_ == 1
    assert narrow.recall_ < 0.95 <= wide.recall_
    assert wide.ef_ > 16


@pytest.mark.parametrize("name", ["links", "ef_construction", "ef", "workers"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "many", True])
def test_counts_are_checked(name, value):
    with pytest.raises(ArgumentError, match=f"{name}="):
        HNSWIndex(**{name: value}).fit(some_vectors(20))


@pytest.mark.parametrize("value", [0, -0.1, 1.01, "high", True, None])
def test_the_recall_wanted_is_checked(value):
    with pytest.raises(ArgumentError, match="recall="):
        HNSWIndex(recall=value).fit(some_vectors(20))


def test_songs_that_the_graph_cannot_reach_are_made_up_for():
    vectors = SongVectors(np.repeat(np.eye(4, dtype=np.float32), 250, axis=0), list(range(1000)))
    index = HNSWIndex(links=2, ef_construction=2, ef=10).fit(vectors)
    assert len(index.similar(7, 400)) == 400
    assert [len(index.similar_batch([7, 300], 400)[i]) for i in (0, 1)] == [400, 400]


@pytest.mark.parametrize("content", [b"", b"VOYA", b"\0" * 1000, "of other songs", None])
def test_a_file_that_is_not_voyagers_is_refused(content, tmp_path):
    vectors = some_vectors()
    parts = HNSWIndex().fit(vectors).to_parts()
    if content is not None:
        part = parts["searcher"]
        part.file = tmp_path / "graph.bin"
        if isinstance(content, bytes):
            part.file.write_bytes(content)
        else:
            HNSWIndex().fit(some_vectors(299)).to_parts()["searcher"].write_file(part.file)
    with pytest.raises(SavedFolderError, match="index:"):
        HNSWIndex.from_parts(parts)


def test_without_voyager_says_what_to_install(monkeypatch, tmp_path):
    vectors = some_vectors()
    folder = HNSWIndex().fit(vectors).save(tmp_path / "index")
    monkeypatch.setitem(sys.modules, "voyager", None)
    for attempt in (lambda: make_index("hnsw", vectors), lambda: HNSWIndex.load(folder)):
        with pytest.raises(MissingExtraError, match=r"voyager: pip install 'song2vec\[hnsw\]'"):
            attempt()
    assert SongIndex.auto(vectors).name == "exact"
