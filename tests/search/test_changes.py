"""Songs added and removed: results as of one index, through saving too."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.search import INDEXES, Filters
from song2vec.testing.indexes import some_vectors
from song2vec.vectors.song_vectors import SongVectors
from tests.search.test_contract import brute_force, every_index


def songs_from(first, count, seed=0, size=4):
    """New songs under the names first, first + 1, ..., some of them equal."""
    grid = np.random.default_rng(seed).integers(-3, 4, (count, size)).astype(np.float32)
    artists = [f"Artist {row % 5}" for row in range(first, first + count)]
    return SongVectors(grid, Catalogue([f"s{row}" for row in range(first, first + count)], artists=artists))


steps = st.lists(st.sampled_from(["add", "remove", "search", "search", "filter", "batch", "merge", "save"]), min_size=3, max_size=12)


@every_index
@pytest.mark.parametrize("asked_itself", [True, False])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(steps=steps, data=st.data())
def test_any_sequence_of_changes_finds_what_brute_force_finds(name, asked_itself, steps, data, tmp_path):
    index = INDEXES[name]().fit(songs_from(0, 30))
    if asked_itself:
        index.exact_share, index.exact_below = 1.0, 0
    total, removed = 30, set()
    for step in steps:
        here = [f"s{row}" for row in range(total) if f"s{row}" not in removed]
        if step == "add":
            count = data.draw(st.integers(0, 8))
            index.add(songs_from(total, count, seed=total))
            total += count
        elif step == "remove" and len(here) > 3:
            gone = data.draw(st.lists(st.sampled_from(here), max_size=3, unique=True))
            index.remove(gone)
            removed |= set(gone)
        elif step == "merge":
            index.merge()
        elif step == "save":
            index = type(index).load(index.save(tmp_path / "index"))
            if asked_itself:
                index.exact_share, index.exact_below = 1.0, 0
        else:
            _compare(index, data.draw(st.sampled_from(here)), data.draw(st.integers(1, 40)), removed, step, asked_itself)
    assert len(index.vectors_) == total


def _compare(index, song, k, removed, step, asked_itself):
    vectors = index.vectors_
    filters = Filters(max_per_artist=3, exclude=["s1", "s2"]) if step == "filter" else None
    found = index.similar_batch([song], k)[0] if step == "batch" else index.similar(song, k, filters)
    rows, cosines = brute_force(vectors, vectors[song], k, filters, {song} | removed)
    np.testing.assert_allclose(found.cosines, cosines, atol=1e-6)
    assert not removed & set(vectors.catalogue.songs(found.rows))
    if index.answers_exactly_ or not asked_itself:
        assert found.rows.tolist() == rows


@every_index
def test_new_songs_are_found_and_ask(name):
    vectors, more = some_vectors(600), some_vectors(40, seed=5)
    more = SongVectors(more.matrix, Catalogue([f"new {row}" for row in range(40)], plays=np.arange(40)))
    index = INDEXES[name]().fit(vectors)
    before = index.vectors_
    assert index.add(more) is index
    assert len(before) == 600
    joined = index.vectors_
    assert joined.unit.tobytes() == SongVectors(joined.matrix, joined.catalogue).unit.tobytes()
    assert (len(joined), joined.catalogue.plays[-1], joined.catalogue.artists[639]) == (640, 39, None)
    for song in ("new 3", "s5"):
        rows, _ = brute_force(joined, joined[song], 600, None, [song])
        assert index.similar(song, 600).rows.tolist() == rows
        assert index.search(joined[song], 1).rows.tolist() == [joined.catalogue.row(song)]
    assert index.similar("s5", 20, Filters(only=["new 1", "new 2", "s7"])).rows.tolist() != []


@every_index
def test_removed_songs_are_gone(name):
    index = INDEXES[name]().fit(some_vectors(600))
    nearest = index.vectors_.catalogue.songs(index.similar("s5", 3).rows)
    assert index.remove(nearest[0]) is index
    index.remove(nearest[1:])
    assert not set(nearest) & set(index.vectors_.catalogue.songs(index.similar("s5", 599).rows))
    assert len(index.similar("s5", 599)) == 596
    for call in (
        lambda: index.similar(nearest[0]),
        lambda: index.similar_batch([nearest[1]]),
        lambda: index.similar("s5", unlike=nearest[2]),
        lambda: index.remove(nearest[0]),
    ):
        with pytest.raises(UnknownSongError, match="was removed"):
            call()
    assert len(index.similar("s5", 9, Filters(only=[nearest[0], "s6"], exclude=[nearest[1]]))) == 1
    assert index.remove([f"s{row}" for row in range(600) if row != 5 and f"s{row}" not in nearest]) is index
    assert len(index.similar("s5")) == 0


@every_index
def test_unusable_changes_are_refused_and_change_nothing(name):
    index = INDEXES[name]().fit(some_vectors(20))
    refused = (
        (lambda: index.add(some_vectors(3)), ArgumentError, "'s0' has a row"),
        (lambda: index.add(SongVectors(np.ones((1, 7)), ["new"])), ArgumentError, "7 numbers"),
        (lambda: index.add(SongVectors(np.ones((1, 8)), [99])), ArgumentError, "strings"),
        (lambda: index.add(np.ones((1, 8))), ArgumentError, "ndarray"),
        (lambda: index.remove(["s1", "who"]), UnknownSongError, "'who'"),
        (lambda: index.remove(3), UnknownSongError, "strings"),
        (lambda: INDEXES[name]().add(some_vectors(3)), ArgumentError, r"call fit\(vectors\)"),
        (lambda: INDEXES[name]().remove("s1"), ArgumentError, r"call fit\(vectors\)"),
    )
    for call, error, message in refused:
        with pytest.raises(error, match=message):
            call()
    assert len(index.vectors_) == 20
    assert len(index.similar("s1", 99)) == 19


@every_index
def test_saving_merges(name, tmp_path):
    index = INDEXES[name]().fit(some_vectors(300)).add(songs_from(300, 20, size=8)).remove(["s3", "s310"])
    folder = index.save(tmp_path / "index")
    assert index._now.built == 320
    loaded = INDEXES[name].load(folder)
    assert loaded.removed_.tolist() == [3, 310]
    again = loaded.save(tmp_path / "again")
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(loaded.vectors_) == 320


@every_index
def test_searches_go_on_while_songs_come_and_go(name):
    index = INDEXES[name]().fit(songs_from(0, 600))
    index.exact_share, index.exact_below = 1.0, 0
    problems, done = [], threading.Event()

    def search():
        while not done.is_set():
            found = index.similar("s5", 15)
            if len(found) != 15 or len(set(found.rows.tolist())) != 15:
                problems.append(found)
            time.sleep(0.001)  # threads that never rest take turns of 5 ms, and merging waits for minutes

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for first in range(600, 700, 20):
        index.add(songs_from(first, 20, seed=first)).remove(f"s{first - 600 + 6}").merge()
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
