"""sknn, vsknn, stan and vstan against a slow reading of their definitions, with dictionaries and one query at a time."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, log, log10, sqrt

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError
from song2vec.models import MODELS, SKNN, STAN, VSKNN, VSTAN, NextSongModel, make_model
from song2vec.models._session_kernels import DAY, build_index
from song2vec.sessions import Sessions

SONGS = 8  # the last is never played in training
NAMES = ("sknn", "vsknn", "stan", "vstan")
DECAYS = st.sampled_from([None, 0.3, 1.02, 5.0])
PLACE = {
    "same": lambda i, n: 1.0,
    "div": lambda i, n: i / n,
    "quadratic": lambda i, n: (i / n) ** 2,
    "linear": lambda i, n: max(0.0, 1 - 0.1 * (n - i)),
    "log": lambda i, n: 1 / log10(n - i + 1.7),
}
STEP = {
    "same": lambda i: 1.0,
    "div": lambda i: 1 / i,
    "quadratic": lambda i: 1 / i**2,
    "linear": lambda i: max(0.0, 1 - 0.1 * i),
    "log": lambda i: 1 / log10(i + 1.7),
}
SIMILARITY = {
    "vec": lambda shared, weights, other: sum(shared) / len(weights),
    "cosine": lambda shared, weights, other: sum(shared) / (sqrt(sum(w * w for w in weights)) * sqrt(len(other))),
    "jaccard": lambda shared, weights, other: len(shared) / (len(weights) + len(other) - len(shared)),
    "dice": lambda shared, weights, other: 2 * len(shared) / (len(weights) + len(other)),
}


def fade(distance, decay):
    return 1.0 if decay is None else exp(-distance / decay)


def reference(model, training, starts, history):
    """Scores by song of one session so far: training sessions, when they began in seconds or None, and the history, as lists."""
    chosen = model.settings
    n = len(history)
    last = {song: i for i, song in enumerate(history, 1)}
    place = (lambda i: PLACE[chosen["weighting"]](i, n)) if "weighting" in chosen else lambda i: fade(n - i, chosen.get("lambda_spw"))
    weights = {song: place(last[song]) for song in sorted(last, key=last.get, reverse=True)}
    starts = starts or [0] * len(training)
    recent = sorted(range(len(training)), key=lambda s: (starts[s], s), reverse=True)
    sample = [s for s in recent if set(training[s]) & set(history)][: chosen["sample_size"] or None]
    near = {}
    for s in sample:
        shared = [weight for song, weight in weights.items() if song in training[s]]
        near[s] = SIMILARITY[chosen.get("similarity", "cosine")](shared, list(weights.values()), set(training[s]))
        near[s] *= fade((starts[sample[0]] - starts[s]) / DAY, chosen.get("lambda_snh"))
    scores = dict.fromkeys(range(SONGS), 0.0)
    for s in sorted(sample, key=lambda s: -near[s])[: chosen["k"]]:
        for song in set(training[s]):
            if chosen.get("remind", True) or song not in history:
                scores[song] += near[s] * vote(chosen, training, s, song, history, last)
    return [scores[song] for song in range(SONGS)]


def vote(chosen, training, s, song, history, last):
    """What a neighbour's similarity is multiplied by for one of its songs."""
    places = {other: i for i, other in enumerate(training[s], 1)}
    shared = max(places[other] for other in places if other in last)
    back = len(history) - max(last[other] for other in places if other in last)
    weight = fade(abs(places[song] - shared), chosen.get("lambda_inh")) * fade(back, chosen.get("lambda_ipw"))
    if "weighting_score" in chosen:
        weight *= STEP[chosen["weighting_score"]](back + 1)
    idf = max(0.0, log(len(training) / sum(session.count(song) for session in training)))
    return weight * (1 + chosen.get("lambda_idf", chosen.get("idf_weighting", 0)) * idf)


def as_sessions(lists, starts=None):
    """Sessions over songs 0 .. SONGS - 1, where a song's id is its row."""
    every = Sessions.from_lists([[song] * (SONGS - song) for song in range(SONGS)])
    songs = np.array([song for session in lists for song in session], np.int32)
    offsets = np.cumsum([0, *map(len, lists)])
    start = None if starts is None else np.array(starts, np.int64)
    return replace(every, songs=songs, offsets=offsets, listener=np.zeros(len(lists), np.int32), start=start)


@st.composite
def models(draw):
    chosen = {"k": draw(st.integers(1, 5)), "sample_size": draw(st.integers(0, 8))}
    name = draw(st.sampled_from(NAMES))
    space = MODELS[name]().space
    for setting in space:
        if setting.startswith("lambda") and setting != "lambda_idf":
            chosen[setting] = draw(DECAYS)
        elif setting not in chosen:
            chosen[setting] = draw(st.sampled_from(space[setting].values))
    return make_model(name, chosen | ({"remind": draw(st.booleans())} if name == "vsknn" else {}))


session_lists = st.lists(st.lists(st.integers(0, SONGS - 2), min_size=1, max_size=14), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(models(), session_lists, st.lists(st.integers(0, SONGS - 1), min_size=1, max_size=14), st.data())
def test_scores_are_those_of_the_definitions(model, training, history, data):
    starts = data.draw(st.none() | st.lists(st.integers(0, 6).map(lambda i: i * DAY // 2), min_size=len(training), max_size=len(training)))
    asked = as_sessions([[0, 1], history])
    model.fit(as_sessions(training, starts))
    scores = model.score(asked, np.arange(2, asked.plays))
    expected = [reference(model, training, starts, history[: i + 1]) for i in range(len(history))]
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-30)


def test_the_reference_tells_the_settings_apart():
    training = [[0, 1, 2, 1], [3, 1, 0], [2, 4, 5, 1, 0], [5, 2], [6, 0, 4]]
    starts = [0, DAY, 3 * DAY, 4 * DAY, 9 * DAY]
    plain = {"k": 5, "sample_size": 0}
    variants = [SKNN(**plain, similarity=kind) for kind in ("cosine", "jaccard", "dice")]
    variants += [VSKNN(**plain, weighting=kind) for kind in PLACE] + [
        VSKNN(**plain, weighting_score=kind) for kind in STEP if kind != "quadratic"
    ]
    variants += [VSKNN(**plain, idf_weighting=0), STAN(**plain), STAN(**plain, lambda_snh=None), STAN(**plain, lambda_inh=None)]
    variants += [VSTAN(**plain), VSTAN(**plain, lambda_ipw=None), VSTAN(**plain, similarity="cosine")]
    found = {tuple(np.round(reference(model, training, starts, [2, 6, 0, 1]), 9)) for model in variants}
    assert len(found) == len(variants)


def test_the_index_is_the_one_drawn_above_it():
    index = build_index(as_sessions([[7, 3, 7], [3, 5], [7, 5]]))
    assert index.offsets.tolist() == [0, 2, 4, 6]
    assert index.songs.tolist() == [5, 7, 5, 3, 7, 3]
    assert index.places.tolist() == [2, 1, 2, 1, 3, 2]
    assert [index.sessions[index.listing[song] : index.listing[song + 1]].tolist() for song in (3, 5, 7, 0)] == [[1, 2], [0, 1], [0, 2], []]
    assert index.ages.tolist() == [0, 0, 0]


def test_times_decide_what_is_recent_and_the_log_where_they_are_equal():
    model = SKNN(k=1, sample_size=1)
    sessions = [[0, 1], [0, 2], [0, 3]]
    asked = as_sessions([[0]])
    for starts, winner in ((None, 3), ([5, 5, 5], 3), ([5, 9, 1], 2), ([5, 5, 1], 2), ([DAY, 0, 0], 1)):
        scores = model.fit(as_sessions(sessions, starts)).score(asked, np.array([0]))[0]
        assert np.flatnonzero(scores).tolist() == [0, winner]


def test_of_equally_similar_sessions_the_more_recent_vote():
    model = SKNN(k=2, sample_size=0).fit(as_sessions([[0, 1], [0, 2], [0, 3], [0, 4, 5]]))
    assert np.flatnonzero(model.score(as_sessions([[0]]), np.array([0]))[0]).tolist() == [0, 2, 3]


def test_what_has_the_same_voters_ties():
    scores = VSTAN(lambda_idf=0, lambda_inh=None).fit(as_sessions([[0, 1, 2], [2, 1, 0]])).score(as_sessions([[0]]), np.array([0]))[0]
    assert scores[1] == scores[2] > 0 == scores[3]


def test_without_times_the_age_decay_is_off():
    sessions = [[0, 1], [0, 2], [3, 0, 3]]
    on, off = (STAN(lambda_snh=days).fit(as_sessions(sessions)).score(as_sessions([[0]]), np.array([0])) for days in (0.1, None))
    assert on.tolist() == off.tolist()


def test_sessions_of_long_ago_still_have_their_order():
    ages = [0, 9000 * DAY, 9100 * DAY]  # the last two count e^-18000 and e^-18200 of a session today
    model = STAN(lambda_snh=0.5).fit(as_sessions([[1, 2], [0, 3], [0, 4]], [ages[2] - age for age in ages]))
    scores = model.score(as_sessions([[0]]), np.array([0]))[0]
    assert scores[3] > 0


@pytest.mark.parametrize("name", NAMES)
def test_scores_depend_on_neither_threads_nor_what_was_asked_before(name):
    random = np.random.default_rng(0)
    training = as_sessions([random.integers(0, SONGS, random.integers(1, 40)).tolist() for _ in range(300)])
    asked = as_sessions([random.integers(0, SONGS, 30).tolist() for _ in range(5)])
    model = make_model(name, {"k": 7, "sample_size": 50}).fit(training)
    plays = np.arange(asked.plays)
    together = model.score(asked, plays)
    alone = np.concatenate([model.score(asked, plays[i : i + 1]) for i in plays])
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        narrow = make_model(name, {"k": 7, "sample_size": 50}).fit(training).score(asked, plays[::-1])[::-1]
    finally:
        numba.set_num_threads(threads)
    assert together.tobytes() == alone.tobytes() == narrow.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_scores_the_same(name, tmp_path):
    sessions = as_sessions([[0, 1, 2], [2, 1, 0, 3], [4, 1]], [0, DAY, 2 * DAY])
    model = make_model(name).fit(sessions)
    loaded = NextSongModel.load(model.save(tmp_path / "model"))
    plays = np.arange(sessions.plays)
    assert loaded.settings == model.settings
    assert loaded.score(sessions, plays).tobytes() == model.score(sessions, plays).tobytes()
    assert loaded.next([1, 2], k=3).equals(model.next([1, 2], k=3))


def test_no_query_gives_no_scores():
    sessions = as_sessions([[0, 1]])
    assert VSTAN().fit(sessions).score(sessions, np.array([], np.int64)).shape == (0, SONGS)


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("sknn", {"k": 0}),
        ("sknn", {"k": 2.5}),
        ("sknn", {"sample_size": -1}),
        ("sknn", {"similarity": "vec"}),
        ("vsknn", {"similarity": "dice"}),
        ("vsknn", {"weighting": "cubic"}),
        ("vsknn", {"weighting_score": None}),
        ("vsknn", {"idf_weighting": -1}),
        ("vsknn", {"remind": "yes"}),
        ("stan", {"lambda_spw": 0}),
        ("stan", {"lambda_snh": inf}),
        ("stan", {"lambda_inh": True}),
        ("stan", {"remind": None}),
        ("vstan", {"lambda_ipw": -1.0}),
        ("vstan", {"lambda_idf": "much"}),
        ("vstan", {"similarity": "jaccard"}),
    ],
)
def test_bad_settings_are_named(name, chosen):
    with pytest.raises(ArgumentError, match=f"^{next(iter(chosen))}="):
        make_model(name, chosen).fit(as_sessions([[0, 1]]))
