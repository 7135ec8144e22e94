"""What every index does: exactly k songs when k exist, by their cosines, and never the song that was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.search import Filters, SongIndex
from song2vec.testing.battery import SHARED, Case, close, run
from song2vec.vectors import SongVectors

FILTERS = (None, Filters(exclude=[f"s{row}" for row in range(0, 300, 2)]), Filters(only=[f"s{row}" for row in range(40)]))


def some_vectors(songs: int = 300, *, size: int = 8, seed: int = 0, artists: int = 20) -> SongVectors:
    """Vectors in all directions, of songs "s0", "s1", ... by "Artist 1", ... or by nobody."""
    random = np.random.default_rng(seed)
    names = [f"Artist {code}" if code else None for code in random.integers(0, artists, songs)]
    return SongVectors(random.standard_normal((songs, size)), Catalogue([f"s{row}" for row in range(songs)], artists=names))


def asked_itself(index: Any) -> Any:
    """The index, asked however few songs there are, where exact search would step in."""
    index.exact_share, index.exact_below = 1.0, 0
    return index


def finding(case: Case) -> None:
    """Exactly k songs are found when k are allowed, the best first and none twice, with their cosines, and not the one asked for."""
    index, vectors = asked_itself(case.fitted), case.data
    assert index.recall_ >= 0.95
    for filters in FILTERS:
        allowed = filters.only if filters and filters.only is not None else vectors.catalogue.ids.to_list()
        for song in ("s0", "s77"):
            others = set(allowed) - {song} - set(filters.exclude if filters else ())
            for k in (1, 10, 60, 1000):
                found = index.similar(song, k, filters)
                assert len(found) == len(set(found.rows.tolist())) == min(k, len(others))
                assert set(vectors.catalogue.songs(found.rows)) <= others
                assert (np.diff(found.cosines) <= 0).all()
                close(found.cosines, vectors.unit[found.rows] @ vectors.unit[vectors.catalogue.row(song)])
        batch = index.similar_batch(["s0", "s77"], 10, filters)
        assert [one.rows.tolist() for one in batch] == [index.similar(song, 10, filters).rows.tolist() for song in ("s0", "s77")]


def few(case: Case) -> None:
    """A catalogue may be of one song, two or three."""
    for songs in (1, 2, 3):
        vectors = some_vectors(songs)
        index = asked_itself(case.fit(vectors))
        assert len(index.similar("s0", 10)) == songs - 1
        assert sorted(index.search(vectors["s0"], 10).rows.tolist()) == list(range(songs))
        assert index.search(vectors["s0"], 1).rows.tolist() == [0]


INDEX_CHECKS = (*SHARED, finding, few)


def index_case(index: SongIndex) -> Case:
    """An index, and vectors of 300 songs."""
    return Case(index, some_vectors(), some_vectors(20), lambda fitted: asked_itself(fitted).similar_batch(["s1", "s9"], 15).rows)


def check_index(index: SongIndex) -> None:
    """Raises AssertionError, with a sentence that says which part of the contract it breaks, unless the index keeps all of it.

    Args:
        index: before ``fit``.
    """
    run(index_case(index), INDEX_CHECKS)
