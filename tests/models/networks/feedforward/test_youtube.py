"""The candidate network: what it is told, what a step does, what it finds with it, and how it serves."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")

from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.models import NextSongModel
from song2vec.models.networks.feedforward.context import Teller, ages, clock
from song2vec.models.networks.feedforward.steps import Pace
from song2vec.models.networks.feedforward.tower import Examples, Tower, TowerSteps
from song2vec.models.networks.feedforward.youtube import CandidateNetwork
from song2vec.nn.negatives import Negatives
from song2vec.sessions import Sessions
from song2vec.testing.planted import SONGS, K, hit_rate, listen
from song2vec.vectors import SongVectors
from tests.models.networks.feedforward.planted import EVENING, HITS, MORNING, beats, by_context, by_hour

SMALL: dict[str, Any] = {"hidden": 16, "size": 16, "n_negatives": 32, "batch_size": 16, "workers": 1, "progress": False}


def youtube(**settings: Any) -> CandidateNetwork:
    return CandidateNetwork(**{**SMALL, **settings})


def test_the_clock_by_hand():
    told = clock(np.array([0, 3 * 86_400 + 23 * 3600 + 3599, -1]), 3)
    assert [np.flatnonzero(row).tolist() for row in told] == [[0, 24 + 3], [23, 24 + 6], [23, 24 + 2]]  # Thursday, Sunday, Wednesday
    assert not clock(None, 2).any()


def test_ages_by_hand():
    np.testing.assert_allclose(ages(np.array([100, 200, 175]), 3), [[1, 1, 1], [0, 0, 0], [0.25, 0.0625, 0.5]])
    assert not ages(np.array([7, 7]), 2).any()
    assert not ages(None, 2).any()


def test_histories_are_the_last_songs_of_the_window():
    sessions = Sessions.from_lists([[1, 1, 2, 3], [3, 1]])
    rows = dict(zip(sessions.catalogue.ids.to_list(), range(3), strict=True))
    told = np.array([[0.5], [2.0]], np.float32)
    words = np.array([7, 8, 9]), np.array([1, 2])
    examples = Examples.of(sessions, np.array([2, 4, 0]), 2, lambda which: (told[which], *words))
    heard, counts = examples.heard()
    assert heard.tolist() == [rows[1], rows[2], rows[3], rows[1]]
    assert counts.tolist() == [2, 1, 1]
    assert examples.told[examples.row].tolist() == [[0.5], [2.0], [0.5]]
    said, spoken = examples.said()
    assert said.tolist() == [7, 8, 9, 7]
    assert spoken.tolist() == [1, 2, 1]
    assert examples.some(np.array([1])).said()[0].tolist() == [8, 9]
    assert Examples.of(sessions, np.array([3]), None, lambda which: (told[which], *words)).heard()[1].tolist() == [4]


def test_a_tower_by_hand():
    tower = Tower(3, 2, 1, 1, 2, np.random.default_rng(0))
    tower.load(
        {
            "input": np.array([[1, 0], [3, 2], [9, 9]]),
            "W0": np.array([[1, 1, 1], [1, -1, -9]]),
            "b0": np.array([0.5, 0]),
            "W1": np.array([[2.0, 7]]),
            "b1": np.array([-1.0]),
            "output": np.zeros((3, 1)),
            "bias": np.zeros((3, 1)),
        }
    )
    means = tower.means(torch.tensor([0, 1]), torch.tensor([2]))
    assert means.tolist() == [[2, 1]]
    assert tower.climb(means, torch.tensor([[4.0]])).tolist() == [[2 * (2 + 1 + 4 + 0.5) - 1]]  # the second unit is below 0
    with pytest.raises(ValueError, match="W0"):
        tower.load({name: np.zeros(1) for name in tower.all})


def test_a_step_follows_the_slope_of_the_loss():
    """Squared slopes are what Adagrad adds up in a first step: compared with autograd through the definition, in double precision."""
    sessions = Sessions.from_lists([[1, 2, 3, 1], [3, 4, 5]])
    support = np.bincount(sessions.songs, minlength=5)
    told = np.array([[0.3], [1.0]], np.float32)
    words, spoken = np.array([1, 1, 0]), np.array([3, 0])
    examples = Examples.of(sessions, np.array([0, 1, 2, 4]), None, lambda which: (told[which], words, spoken))
    tower = Tower(5, 3, 1, 4, 2, np.random.default_rng(2), words=2)
    before = {name: torch.from_numpy(array).double().requires_grad_() for name, array in tower.arrays().items()}
    steps = TowerSteps(tower, Pace(4, 4, 0.1, Negatives(support, 0.5, 3, 0), 0), examples, support, logq=0.7, dropout=0, frozen=False)
    sample = torch.tensor([4, 0, 0])
    total, count = steps.learn(np.arange(4), sample, 0, np.random.default_rng(0))

    heard = [sessions.songs[begin:end].astype(np.int64) for begin, end in zip(examples.begin, examples.end, strict=True)]
    x = torch.stack([before["input"][songs].mean(0) for songs in heard])
    said = torch.stack([before["words"][words].mean(0), torch.zeros(3).double()])[examples.row]
    x = torch.cat([x, said, torch.from_numpy(examples.told[examples.row]).double()], 1)
    for layer in range(2):
        x = torch.relu(x @ before[f"W{layer}"].T + before[f"b{layer}"])
    targets = torch.from_numpy(sessions.songs[examples.end].astype(np.int64))
    columns = torch.cat([targets, sample])
    plays = torch.from_numpy(support).double()
    less = 0.7 * torch.cat([torch.log(plays[targets]), 0.5 * torch.log(plays[sample])])
    scores = x @ before["output"][columns].T + before["bias"][columns, 0] - less
    loss = -torch.log_softmax(scores, 1).diagonal().sum()
    (loss / 4).backward()
    assert count == 4
    assert float(total) == pytest.approx(float(loss.detach()), rel=1e-5)
    for name, optimiser in steps.optimisers.items():
        np.testing.assert_allclose(optimiser.squares, before[name].grad.numpy() ** 2, atol=1e-7, err_msg=name)


def test_what_comes_next_depends_on_the_hour():
    train, test = by_hour(0.8)
    told, untold = youtube().fit(train), youtube(clock=False).fit(train)
    assert hit_rate(told, test) > 0.7
    assert beats(told, untold, test)
    song = test[0][:1]
    for hour, hits in ((MORNING, range(HITS)), (EVENING, range(HITS, 2 * HITS))):
        when = datetime(2024, 5, 1, hour, tzinfo=UTC)
        found = told.index("exact").search(told.user_vector(song, at=when), K)
        assert set(train.catalogue.songs(found.rows)) == set(hits)
        assert set(told.session(at=when).listen(song[0]).next(K)["song"]) == set(hits)


def test_the_hour_tells_nothing_where_nothing_depends_on_it():
    train, test = by_hour(0.0)
    assert hit_rate(youtube().fit(train), test) < K / SONGS + 0.04
    assert not beats(youtube().fit(train), youtube(clock=False).fit(train), test)


@pytest.mark.parametrize("told", [{"context": ["country"]}, {"query": "search"}])
def test_what_comes_next_depends_on_the_context(told, tmp_path):
    """On a column, and on a word of a query; without them, and where they tell nothing, nothing is gained."""
    train, test = by_context(0.8)
    model, blind = youtube(**told).fit(train), youtube().fit(train)
    assert hit_rate(model, test) > 0.7
    assert beats(model, blind, test)
    song = test[0][:1]
    for late, hits in ((False, range(HITS)), (True, range(HITS, 2 * HITS))):
        values = {"country": "SE" if late else "FI", "search": "SAD!" if late else "a happy one"}
        context = {name: values[name] for name in [*told.get("context", []), *filter(None, [told.get("query")])]}
        found = model.index("exact").search(model.user_vector(song, context=context), K)
        assert set(train.catalogue.songs(found.rows)) == set(hits)
        session = model.session(context=context).listen(song[0])
        again = model.load_session(session.save(tmp_path / "session"))
        for table in (model.next(song, K, context=context), session.next(K), again.next(K)):
            assert set(table["song"]) == set(hits)
        assert blind.load_session(tmp_path / "session").songs == song  # it is told nothing of the context
        assert again.scores().argmax() == session.scores().argmax() == train.catalogue.row(table["song"][0])
    untold = model.score(replace(test, context=None), np.arange(5))
    assert np.isfinite(untold).all()
    loaded = NextSongModel.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.score(test, np.arange(20)), model.score(test, np.arange(20)))
    train, test = by_context(0.0)
    assert not beats(youtube(**told).fit(train), youtube().fit(train), test)


def test_words_and_values_that_are_not_known_are_left_out():
    train, _ = by_context(0.8, sessions=40)
    teller = Teller.learned(train, clock=False, age=False, columns=["country"], query="search")
    asked = replace(
        train.keep(np.arange(3)), context=pl.DataFrame({"country": ["XX", None, "SE"], "search": ["any songs nobody knows", None, "?"]})
    )
    words, counts = teller.say(asked, np.arange(3))
    assert [teller.words[word] for word in words] == ["any", "songs"]
    assert counts.tolist() == [2, 0, 0]
    assert teller.tell(asked, np.arange(3), np.zeros((3, 3))).sum(1).tolist() == [0, 0, 1]


def test_context_that_is_not_there_is_refused_by_name():
    train, _ = by_context(0.8, sessions=40)
    for settings, message in (
        ({"context": ["device"]}, "'device' is no context of the sessions, which have country, search"),
        ({"query": "words"}, "query: 'words'"),
        ({"context": "country"}, "^context='country'"),
        ({"query": 3}, "^query=3"),
    ):
        with pytest.raises(ArgumentError, match=message):
            youtube(**settings).fit(train)
    with pytest.raises(ArgumentError, match="have no context"):
        youtube(query="search").fit(replace(train, context=None))
    with pytest.raises(ArgumentError, match=r"^context="):
        youtube(epochs=1).fit(train).user_vector([1], context={"country": 3})


def test_told_of_ages_it_foretells_the_hits_of_the_end():
    train, test = listen("recent", 0.8)
    test = test.keep(np.arange(50))  # then the hits change once more
    told, untold = youtube(clock=False).fit(train), youtube(clock=False, age=False).fit(train)
    assert hit_rate(told, test) > hit_rate(untold, test) + 0.1
    assert beats(told, untold, test)


@pytest.fixture(scope="module")
def model() -> CandidateNetwork:
    return youtube(epochs=4).fit(listen("follows", 0.8, sessions=160)[0])


def test_the_index_orders_songs_as_the_scores_do(model):
    test = listen("follows", 0.8, sessions=160)[1]
    exact, annoy = model.index("exact"), model.index()
    recalls = []
    for session in range(20):
        heard = test[session][:4]
        vector = model.user_vector(heard)
        expected = model.catalogue_.rows(model.next(heard, 10)["song"].to_list()).tolist()
        assert exact.search(vector, 10).rows.tolist() == expected
        recalls.append(len(set(annoy.search(vector, 10).rows.tolist()) & set(expected)) / 10)
    assert np.mean(recalls) > 0.9
    np.testing.assert_allclose(np.linalg.norm(exact.vectors_.matrix, axis=1), np.linalg.norm(exact.vectors_.matrix[0]), rtol=1e-5)


def test_user_vectors_are_refused_by_name(model):
    with pytest.raises(UnknownSongError, match=r"^songs"):
        model.user_vector([])
    with pytest.raises(UnknownSongError, match="999"):
        model.user_vector([999])
    for at in ("noon", True, 10**30):
        with pytest.raises(ArgumentError, match=f"^at={at!r}"):
            model.user_vector([1], at=at)
    for call in (model.user_vector, model.next, model.score_after):
        with pytest.raises(ArgumentError, match="context: 'country' is no column that the model was told of; this model was told of no"):
            call([1], context={"country": "SE"})
    with pytest.raises(ArgumentError, match=r"^context='SE'"):
        model.session(context="SE")
    for call in (lambda: youtube().user_vector([1]), lambda: youtube().index(), lambda: youtube().vectors_):
        with pytest.raises(ArgumentError, match="fit"):
            call()
    with pytest.raises(ArgumentError, match=r"^frozen"):
        youtube(frozen=True).fit(listen("follows", 0.8, sessions=8)[0])


def test_song_vectors_as_input():
    train, test = listen("follows", 0.8, sessions=80)
    known = np.arange(SONGS - 5)
    vectors = SongVectors(np.random.default_rng(0).normal(0, 1, (len(known), 7)), train.catalogue.subset(known[::-1]))
    frozen = youtube(input="vectors", frozen=True, epochs=1).fit(train, vectors=vectors)
    np.testing.assert_array_equal(frozen.network_.arrays()["input"][known[::-1]], vectors.matrix)
    tuned = youtube(input="vectors", epochs=1).fit(train, vectors=vectors)
    assert (tuned.network_.arrays()["input"][known[::-1]] != vectors.matrix).any()
    with pytest.raises(ArgumentError, match="vectors"):
        youtube(input="vectors").fit(train)
    with pytest.raises(ArgumentError, match="vectors"):
        youtube().fit(train, vectors=vectors)
    assert np.isfinite(tuned.score(replace(test, start=None), np.arange(5))).all()
