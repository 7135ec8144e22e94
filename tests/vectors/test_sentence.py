"""Sessions as vectors: against a plain loop, and where hits drown what a session is about."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.search.listeners import listener
from song2vec.sessions import Sessions
from song2vec.vectors import SIF, SongVectors
from tests.vectors.planted import own_cluster, surely_more

VECTORS = SongVectors(np.random.default_rng(0).standard_normal((10, 6)), list(range(10)))
LISTS = st.lists(st.lists(st.integers(0, 9), min_size=1), min_size=1)
HITS, GROUPS = 40, 5


def of_groups(share, sessions=300, seed=0):
    """Sessions of 8 songs, each with probability ``share`` one of its group, else one of two hits; their vectors; the groups.

    A song's vector is its group's and as much of its own; hits have vectors of nobody's group.
    """
    random = np.random.default_rng(seed)
    groups = random.integers(0, GROUPS, sessions)
    own = random.random((sessions, 8)) < share
    songs = np.where(own, groups[:, None] * 8 + random.integers(0, 8, own.shape), HITS + random.integers(0, 2, own.shape))
    centres = np.repeat(random.standard_normal((GROUPS, 12)), 8, axis=0)
    matrix = np.concatenate([centres + random.standard_normal(centres.shape), 4 * random.standard_normal((2, 12))])
    return Sessions.from_lists(songs.tolist()), SongVectors(matrix, list(range(len(matrix)))), groups


def found(sif, log):
    """Of each session, how many of its 5 nearest are of its group."""
    sessions, vectors, groups = log
    return own_cluster(sif.fit(sessions, vectors).vectors_of(sessions), groups, k=5)


@given(LISTS, st.none() | st.floats(1e-4, 1), st.integers(0, 2))
def test_vectors_are_those_of_a_plain_loop(lists, a, components):
    sif, sessions = SIF(a=a, components=components), Sessions.from_lists(lists)
    shares = np.bincount([song for session in lists for song in session], minlength=10) / sum(map(len, lists))
    weights = np.ones(10) if a is None else a / (a + shares)
    means = np.array([np.mean([weights[song] * VECTORS.unit[song] for song in session], axis=0) for session in lists])
    found = sif.fit(sessions, VECTORS).vectors_of(sessions)
    left = np.linalg.svd(means, compute_uv=False)[components:]  # which directions go is anyone's guess where lengths are equal
    np.testing.assert_allclose((found**2).sum(), (left**2).sum(), atol=1e-4)
    np.testing.assert_allclose(found, means - means @ sif.components_.T @ sif.components_, atol=1e-5)
    np.testing.assert_allclose(found @ sif.components_.T, 0, atol=1e-5)
    np.testing.assert_allclose(sif.components_ @ sif.components_.T, np.eye(components), atol=1e-5)
    np.testing.assert_allclose(sif.vector(lists[0]), found[0], atol=1e-6)


@given(st.lists(st.integers(0, 9), min_size=1))
def test_the_plain_mean_is_that_of_a_listener(songs):
    sif = SIF(a=None, components=0).fit(Sessions.from_lists([songs]), VECTORS)
    np.testing.assert_allclose(sif.vector(songs), listener(VECTORS, songs).vector, atol=1e-6)


@pytest.mark.parametrize("sif", [SIF(a=0.01, components=0), SIF(a=None), SIF(a=0.01)], ids=repr)
def test_what_sessions_are_about_is_found_beneath_the_hits_that_all_of_them_play(sif):
    plain = found(SIF(a=None, components=0), of_groups(0.3))
    assert found(sif, of_groups(0.3)).mean() > 0.7
    assert surely_more(found(sif, of_groups(0.3)), plain)


def test_where_sessions_are_about_nothing_nothing_is_found():
    assert found(SIF(a=0.01), of_groups(0)).mean() < 0.35


def test_songs_without_a_vector_are_left_out_and_sessions_of_none_but_such_are_refused():
    sif = SIF(a=None, components=0).fit(Sessions.from_lists([[1, 99], [2]]), VECTORS)
    np.testing.assert_allclose(sif.vectors_of(Sessions.from_lists([[99, 3]])), VECTORS.unit[[3]])
    np.testing.assert_allclose(sif.vector([99, 3], unknown="skip"), VECTORS.unit[3])
    with pytest.raises(UnknownSongError, match="99"):
        sif.vector([99, 3])
    for call in (lambda: sif.vectors_of(Sessions.from_lists([[1], [99]])), lambda: sif.vector([99], unknown="skip")):
        with pytest.raises(UnknownSongError, match="at least one"):
            call()


@pytest.mark.parametrize(("setting", "values"), [("a", (0, -1.0, float("nan"), float("inf"))), ("components", (-1, 6, 1.0, None, True))])
def test_a_setting_outside_its_range_is_refused_by_name(setting, values):
    for value in values:
        with pytest.raises(ArgumentError, match=f"{setting}={value!r}: a"):
            SIF(**{setting: value}).fit(Sessions.from_lists([[1]]), VECTORS)
    with pytest.raises(ArgumentError, match="call fit"):
        SIF().vector([1])
