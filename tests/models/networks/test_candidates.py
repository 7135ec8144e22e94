"""The candidate network: its features, what a step does, what it finds with them, and how it serves."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")

from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.models import NextSongModel
from song2vec.models.networks.candidates.context import ContextEncoder, ages, clock
from song2vec.models.networks.candidates.model import CandidateNetwork
from song2vec.models.networks.candidates.network import Examples, Tower, TowerTrainee
from song2vec.nn.training import TrainingConfig
from song2vec.sessions import Sessions
from song2vec.testing.planted import CHANCE, SONGS, K, listen, recall
from song2vec.vectors import SongVectors
from tests.models.networks.planted import EVENING, HITS, MORNING, beats, by_context, by_hour

SMALL: dict[str, Any] = {"hidden": 16, "size": 16, "n_negatives": 32, "batch_size": 16, "epochs": 5, "workers": 1, "progress": False}


def youtube(**settings: Any) -> CandidateNetwork:
    return CandidateNetwork(**{**SMALL, **settings})


@cache
def learned(log: Any, predictability: float, **settings: Any) -> CandidateNetwork:
    """Fitted once for all tests that ask for the same."""
    return youtube(**settings).fit(log(predictability)[0])


def test_the_clock_by_hand():
    found = clock(np.array([0, 3 * 86_400 + 23 * 3600 + 3599, -1]), 3)
    assert [np.flatnonzero(row).tolist() for row in found] == [[0, 24 + 3], [23, 24 + 6], [23, 24 + 2]]  # Thursday, Sunday, Wednesday
    assert not clock(None, 2).any()


def test_ages_by_hand():
    np.testing.assert_allclose(ages(np.array([100, 200, 175]), 3), [[1, 1, 1], [0, 0, 0], [0.25, 0.0625, 0.5]])
    assert not ages(np.array([7, 7]), 2).any()
    assert not ages(None, 2).any()


class Encoder:
    """Features and words of two sessions."""

    def __init__(self, features: list[list[float]], words: list[int], lengths: list[int]) -> None:
        self._features, self._queries = np.array(features, np.float32), (np.array(words), np.array(lengths))

    def features(self, sessions: Sessions, which: np.ndarray, age: np.ndarray) -> np.ndarray:
        return self._features[which]

    def queries(self, sessions: Sessions, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._queries


def test_histories_are_the_last_songs_of_the_window():
    sessions = Sessions.from_lists([[1, 1, 2, 3], [3, 1]])
    rows = dict(zip(sessions.catalogue.ids.to_list(), range(3), strict=True))
    encoder = Encoder([[0.5], [2.0]], [7, 8, 9], [1, 2])
    examples = Examples.of(sessions, np.array([2, 4, 0]), 2, encoder)
    history, begin = examples.history()
    assert history.tolist() == [rows[1], rows[2], rows[3], rows[1]]
    assert begin.tolist() == [0, 2, 3]
    assert examples.features[examples.session].tolist() == [[0.5], [2.0], [0.5]]
    words, begin = examples.queries()
    assert words.tolist() == [7, 8, 9, 7]
    assert begin.tolist() == [0, 1, 3]
    assert examples.some(np.array([1])).queries()[0].tolist() == [8, 9]
    assert len(Examples.of(sessions, np.array([3]), None, encoder).history()[0]) == 4


def test_a_tower_by_hand():
    tower = Tower(3, 2, 1, 1, 2)
    tower.load(
        {
            "input.weight": np.array([[1, 0], [3, 2], [9, 9]]),
            "layers.0.weight": np.array([[1, 1, 1], [1, -1, -9]]),
            "layers.0.bias": np.array([0.5, 0]),
            "layers.1.weight": np.array([[2.0, 7]]),
            "layers.1.bias": np.array([-1.0]),
            "output.weight": np.zeros((3, 1)),
            "bias.weight": np.zeros((3, 1)),
        }
    )
    one = Examples(
        np.array([0, 1, 2]), np.array([0]), np.array([2]), np.array([0]), np.array([[4]], np.float32), np.array([]), np.array([0])
    )
    assert tower.users(one).tolist() == [[2 * (2 + 1 + 4 + 0.5) - 1]]  # the mean is (2, 1); the second unit is below 0
    with pytest.raises(ValueError, match=r"layers\.0\.weight"):
        tower.load({name: np.zeros(1) for name in tower.arrays()})


def test_a_step_follows_the_slope_of_the_loss():
    """Squared slopes are what Adagrad adds up in a first step: compared with autograd through the definition, in double precision."""
    sessions = Sessions.from_lists([[1, 2, 3, 1], [3, 4, 5]])
    support, words = np.bincount(sessions.songs, minlength=5), [1, 1, 0]
    examples = Examples.of(sessions, np.array([0, 1, 2, 4]), None, Encoder([[0.3], [1.0]], words, [3, 0]))
    tower = Tower(5, 3, 1, 4, 2, words=2)
    tower.draw(np.random.default_rng(2))
    before = {name: torch.from_numpy(array).double().requires_grad_() for name, array in tower.arrays().items()}
    trainee = TowerTrainee(tower, TrainingConfig(batch_size=4, learning_rate=0.1, n_negatives=3, logq=0.7), examples)
    trainee.begin(0)
    trainee._order, negatives = np.arange(4), torch.tensor([4, 0, 0])
    total, count = trainee.update(0, negatives)

    histories = [sessions.songs[begin:end].astype(np.int64) for begin, end in zip(examples.begin, examples.end, strict=True)]
    x = torch.stack([before["input.weight"][songs].mean(0) for songs in histories])
    query = torch.stack([before["words.weight"][words].mean(0), torch.zeros(3).double()])[examples.session]
    x = torch.cat([x, query, torch.from_numpy(examples.features[examples.session]).double()], 1)
    for layer in range(2):
        x = torch.relu(x @ before[f"layers.{layer}.weight"].T + before[f"layers.{layer}.bias"])
    targets = torch.from_numpy(sessions.songs[examples.end].astype(np.int64))
    columns = torch.cat([targets, negatives])
    plays = torch.from_numpy(support).double()
    correction = 0.7 * torch.cat([torch.log(plays[targets]), 0.5 * torch.log(plays[negatives])])
    scores = x @ before["output.weight"][columns].T + before["bias.weight"][columns, 0] - correction
    loss = -torch.log_softmax(scores, 1).diagonal().sum()
    (loss / 4).backward()
    assert count == 4
    assert float(total) == pytest.approx(float(loss.detach()), rel=1e-5)
    assert set(trainee.optimisers) == set(before)
    for name, optimiser in trainee.optimisers.items():
        np.testing.assert_allclose(optimiser.squares, before[name].grad.numpy() ** 2, atol=1e-7, err_msg=name)


def test_what_comes_next_depends_on_the_hour():
    train, test = by_hour(0.8)
    knows, blind = learned(by_hour, 0.8), learned(by_hour, 0.8, clock=False)
    assert recall(knows, test) > 0.7
    assert beats(knows, blind, test)
    song = test[0][:1]
    for hour, hits in ((MORNING, range(HITS)), (EVENING, range(HITS, 2 * HITS))):
        when = datetime(2024, 5, 1, hour, tzinfo=UTC)
        found = knows.index("exact").search(knows.user_vector(song, at=when), K)
        assert set(train.catalogue.songs(found.rows)) == set(hits)
        assert set(knows.session(at=when).listen(song[0]).next(K)["song"]) == set(hits)


def test_the_hour_adds_nothing_where_nothing_depends_on_it():
    test = by_hour(0.0)[1]
    assert recall(learned(by_hour, 0.0), test) < CHANCE + 0.04
    assert not beats(learned(by_hour, 0.0), learned(by_hour, 0.0, clock=False), test)


@pytest.mark.parametrize("given", [{"context": ["country"]}, {"query": "search"}])
def test_what_comes_next_depends_on_the_context(given, tmp_path):
    """On a column, and on a word of a query; without them, and where nothing depends on them, nothing is gained."""
    train, test = by_context(0.8)
    model, blind = youtube(**given).fit(train), learned(by_context, 0.8)
    assert recall(model, test) > 0.7
    assert beats(model, blind, test)
    song = test[0][:1]
    for late, hits in ((False, range(HITS)), (True, range(HITS, 2 * HITS))):
        values = {"country": "SE" if late else "FI", "search": "SAD!" if late else "a happy one"}
        context = {name: values[name] for name in [*given.get("context", []), *filter(None, [given.get("query")])]}
        found = model.index("exact").search(model.user_vector(song, context=context), K)
        assert set(train.catalogue.songs(found.rows)) == set(hits)
        session = model.session(context=context).listen(song[0])
        again = model.load_session(session.save(tmp_path / "session"))
        for table in (model.next(song, K, context=context), session.next(K), again.next(K)):
            assert set(table["song"]) == set(hits)
        assert blind.load_session(tmp_path / "session").songs == song  # it knows nothing of the context
        assert again.scores().argmax() == session.scores().argmax() == train.catalogue.row(table["song"][0])
    without = model.score(replace(test, context=None), np.arange(5))
    assert np.isfinite(without).all()
    loaded = NextSongModel.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.score(test, np.arange(20)), model.score(test, np.arange(20)))
    train, test = by_context(0.0)
    assert not beats(youtube(**given).fit(train), learned(by_context, 0.0), test)


def test_words_and_values_that_are_not_known_are_left_out():
    train, _ = by_context(0.8, sessions=40)
    encoder = ContextEncoder.learned(train, clock=False, age=False, columns=["country"], query="search")
    asked = replace(
        train.keep(np.arange(3)), context=pl.DataFrame({"country": ["XX", None, "SE"], "search": ["any songs nobody knows", None, "?"]})
    )
    words, counts = encoder.queries(asked, np.arange(3))
    assert [encoder.words[word] for word in words] == ["any", "songs"]
    assert counts.tolist() == [2, 0, 0]
    assert encoder.features(asked, np.arange(3), np.zeros((3, 3))).sum(1).tolist() == [0, 0, 1]


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


def test_with_ages_it_predicts_the_hits_of_the_end():
    train, test = listen("recent", 0.8)
    test = test.keep(np.arange(50))  # then the hits change once more
    with_ages, without = (youtube(clock=False, age=age, epochs=6).fit(train) for age in (True, False))
    assert recall(with_ages, test) > recall(without, test) + 0.1
    assert beats(with_ages, without, test)


@pytest.fixture(scope="module")
def model() -> CandidateNetwork:
    return youtube(epochs=4).fit(listen("follows", 0.8, sessions=160)[0])


def test_the_index_orders_songs_as_the_scores_do(model):
    test = listen("follows", 0.8, sessions=160)[1]
    exact, annoy = model.index("exact"), model.index()
    recalls = []
    for session in range(20):
        played = test[session][:4]
        vector = model.user_vector(played)
        expected = model.catalogue_.rows(model.next(played, 10)["song"].to_list()).tolist()
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
        with pytest.raises(ArgumentError, match=r"context: 'country' is no column that the model has learned from; .* from no context"):
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
    np.testing.assert_array_equal(frozen.network_.arrays()["input.weight"][known[::-1]], vectors.matrix)
    tuned = youtube(input="vectors", epochs=1).fit(train, vectors=vectors)
    assert (tuned.network_.arrays()["input.weight"][known[::-1]] != vectors.matrix).any()
    with pytest.raises(ArgumentError, match="vectors"):
        youtube(input="vectors").fit(train)
    with pytest.raises(ArgumentError, match="vectors"):
        youtube().fit(train, vectors=vectors)
    assert np.isfinite(tuned.score(replace(test, start=None), np.arange(5))).all()
