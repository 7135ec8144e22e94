"""Autoencoders: likelihood and divergence by hand, what a step does, what the kinds learn, and the vectors they give."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from song2vec import Engine
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.core.random import generator
from song2vec.models.networks.autoencoder.model import AutoEncoder
from song2vec.models.networks.autoencoder.network import Bags, Coder, divergence
from song2vec.models.networks.autoencoder.training import CoderTrainee, log_inclusion, multinomial
from song2vec.nn.training import TrainingConfig
from song2vec.sessions import Sessions
from song2vec.testing.planted import CHANCE, GROUP, SONGS, listen, recall
from tests.models.networks.planted import beats

SMALL: dict[str, Any] = {"hidden": 16, "batch_size": 16, "learning_rate": 0.1, "repeats": True, "workers": 1, "progress": False}


def coder(**given: Any) -> AutoEncoder:
    return AutoEncoder(**{**SMALL, **given})


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=6))
def test_bags_hold_every_song_of_their_owner_once(lists):
    bags = Bags.of(np.repeat(np.arange(len(lists)), [len(songs) for songs in lists]), np.concatenate(lists), len(lists))
    held = [bags.songs[begin:end].tolist() for begin, end in zip(bags.offsets[:-1], bags.offsets[1:], strict=True)]
    assert held == [sorted(set(songs)) for songs in lists]
    backwards = bags.some(np.arange(len(lists))[::-1])
    assert [songs.tolist() for songs in np.split(backwards.songs, backwards.offsets[1:-1])] == held[::-1]


def test_bags_of_histories_sessions_and_listeners():
    sessions = Sessions.from_lists([[0, 1, 1], [2], [1, 3]])
    sessions.listener[:] = [7 % 3, 0, 7 % 3]
    song = sessions.catalogue.songs
    histories = Bags.of_histories(sessions, np.array([2, 4, 0]))
    assert [sorted(song(rows)) for rows in np.split(histories.songs, histories.offsets[1:-1])] == [[0, 1], [1], [0]]
    listeners = Bags.of_owners(sessions, "listeners")
    assert [sorted(song(rows)) for rows in np.split(listeners.songs, listeners.offsets[1:-1])] == [[2], [0, 1, 3]]


def test_the_likelihood_by_hand():
    scores = torch.tensor([[0.5, -0.2, 1.0], [0.3, 0.8, -0.4]], dtype=torch.float64)
    total, _ = multinomial(scores, torch.tensor([0, 0, 1]), torch.tensor([0, 2, 1]))
    sums = [math.exp(0.5) + math.exp(-0.2) + math.exp(1.0), math.exp(0.3) + math.exp(0.8) + math.exp(-0.4)]
    assert float(total) == pytest.approx(-(0.5 + 1.0 - 2 * math.log(sums[0]) + 0.8 - math.log(sums[1])), rel=1e-12)


def test_the_gradient_of_the_likelihood_is_finite_differences():
    scores = torch.from_numpy(np.random.default_rng(0).normal(0, 1.5, (3, 5)))
    row, column = torch.tensor([0, 0, 2, 2, 2]), torch.tensor([1, 4, 0, 1, 3])  # the second bag is empty
    _, gradient = multinomial(scores, row, column)
    for i in range(3):
        for j in range(5):
            moved = [scores.clone(), scores.clone()]
            moved[0][i, j] += 1e-6
            moved[1][i, j] -= 1e-6
            difference = float(multinomial(moved[0], row, column)[0] - multinomial(moved[1], row, column)[0]) / 2e-6
            assert float(gradient[i, j]) == pytest.approx(difference, abs=1e-7)


def test_the_divergence_by_hand():
    found = divergence(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, math.log(4)]]))
    assert float(found) == pytest.approx(0.5 * 1 + 0.5 * (4 - 1 - math.log(4)))
    assert float(divergence(torch.zeros(2, 3), torch.zeros(2, 3))) == 0


def test_nothing_is_taken_off_songs_that_are_sure_to_be_scored():
    less = log_inclusion(np.array([10, 1, 0]), 10, 4, np.array([0.5, 0.3, 0.2]), 2)
    np.testing.assert_allclose(less, np.log(1 - np.exp([-(4 + 1), -(0.4 + 0.6), -0.4])), rtol=1e-6)
    np.testing.assert_allclose(log_inclusion(np.array([10, 1]), 10, 1000, np.array([0.5, 0.5]), 1000), 0, atol=1e-6)


SUPPORT = np.array([1, 1, 2, 0, 1, 1, 3])  # plays of seven songs
HISTORIES = [[0, 2], [1, 2, 5]]


def trainee(variational: bool, wide: int | None, sampled: bool, *, refeed: bool = False) -> tuple[CoderTrainee, dict[str, Any]]:
    """In the third of the four epochs in which the weight of the divergence rises; and the weights, in double precision."""
    network = Coder(7, 3, wide, variational)
    network.draw(np.random.default_rng(1))
    before = {name: torch.from_numpy(array).double().requires_grad_() for name, array in network.arrays().items()}
    bags = Bags(np.concatenate(HISTORIES), np.array([0, 2, 5]))
    config = TrainingConfig(batch_size=2, learning_rate=0.1, n_negatives=3 if sampled else None)
    made = CoderTrainee(network, config, bags, SUPPORT, kl_weight=0.3, kl_epochs=4, refeed=refeed)
    made.begin(2)
    made._order = np.arange(2)
    return made, before


def summed(weights: dict[str, Any]) -> Any:
    return torch.stack([weights["input.weight"][songs].sum(0) / math.sqrt(len(songs)) for songs in HISTORIES])


def x_of(weights: dict[str, Any], sums: Any) -> Any:
    x = sums + weights["input_bias"]
    return x if "to_code.weight" not in weights else torch.tanh(x) @ weights["to_code.weight"].T + weights["to_code.bias"]


def scores_of(weights: dict[str, Any], code: Any) -> Any:
    if "from_code.weight" in weights:
        code = torch.tanh(code @ weights["from_code.weight"].T + weights["from_code.bias"])
    return code @ weights["output.weight"].T + weights["bias.weight"][:, 0]


def assert_squared_slopes(made: CoderTrainee, before: dict[str, Any], loss: Any) -> None:
    """Squared slopes are what Adagrad adds up in a first step."""
    (loss / 2).backward()
    assert set(made.optimisers) == set(before)
    for name, optimiser in made.optimisers.items():
        np.testing.assert_allclose(optimiser.squares, before[name].grad.numpy() ** 2, rtol=1e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize(("variational", "wide"), [(False, None), (False, 5), (True, None), (True, 5)])
def test_a_step_follows_the_slope_of_the_loss(variational, wide, sampled):
    """Against autograd through the definition, in double precision."""
    made, before = trainee(variational, wide, sampled)
    total, count = made.update(0, torch.tensor([6, 2, 6]) if sampled else None)
    x = x_of(before, summed(before))
    code, paid = torch.tanh(x), torch.zeros(())
    if variational:
        mean, log_variance = x[:, :3], x[:, 3:]
        noise = torch.from_numpy(generator(0, "batch 2 0").standard_normal((2, 3), np.float32)).double()
        code = mean + noise * torch.exp(log_variance / 2)
        paid = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    scores = scores_of(before, code)
    if sampled:
        weights = np.sqrt(SUPPORT)
        correction = log_inclusion(np.array([1, 1, 2, 0, 0, 1, 0]), 2, 2, weights / weights.sum(), 3)
        absent = torch.tensor([song not in (0, 1, 2, 5, 6) for song in range(7)])
        scores = (scores - torch.from_numpy(correction)).masked_fill(absent, -torch.inf)
    logs = torch.log_softmax(scores, 1)
    loss = -sum(logs[i, songs].sum() for i, songs in enumerate(HISTORIES)) + 0.3 * (2 / 4) * paid
    assert count == 5
    assert float(total) == pytest.approx(float(loss.detach()), rel=1e-5)
    assert_squared_slopes(made, before, loss)


@pytest.mark.parametrize("some", [None, [0, 1, 2, 5, 6]])
@pytest.mark.parametrize(("variational", "wide"), [(False, None), (True, 5)])
def test_feeding_again_follows_the_slope_towards_what_came_out(variational, wide, some):
    """-n sum p log f(f(x)) with p = f(x) held still, against autograd through the definition, in double precision."""
    made, before = trainee(variational, wide, some is not None, refeed=True)
    correction = made.correction.double() if some else torch.zeros(7).double()
    made._feed_again(made.bags, None if some is None else torch.tensor(some), 0.5)

    def out(sums):
        x = x_of(before, sums)
        scores = scores_of(before, x[:, :3] if variational else torch.tanh(x)) - correction
        absent = torch.tensor([some is not None and song not in some for song in range(7)])
        return torch.log_softmax(scores.masked_fill(absent, -1e9), 1)

    counts = torch.tensor([[2.0], [3.0]]).double()
    target = out(summed(before)).exp().detach()
    assert_squared_slopes(made, before, -(counts * target * out((target * counts.sqrt()) @ before["input.weight"])).sum())


@cache
def log(sessions: int = 400) -> tuple[Sessions, Sessions]:
    return listen("group", 0.8, sessions=sessions)


@cache
def learned(**given: Any) -> AutoEncoder:
    """Fitted once for all tests that ask for the same."""
    return coder(**given).fit(log()[0])


def wander(model: AutoEncoder) -> float:
    """The divergence of f(f(x)) from f(x)."""
    test = log()[1]
    scores = torch.from_numpy(model.score(test, np.arange(100)))
    bags = Bags.of_histories(test, np.arange(100))
    spread = torch.softmax(scores, 1) * torch.from_numpy(np.sqrt(bags.counts)).float()[:, None]
    code, _ = model.network_.code(spread @ model.network_.input.weight)
    again = model.network_.scores(model.network_.decode(code))
    first = torch.log_softmax(scores, 1)
    return float((first.exp() * (first - torch.log_softmax(again, 1))).sum(1).mean())


def test_what_comes_out_comes_out_again_the_more_it_is_fed_again():
    model = learned(variant="plain", refeed=True)
    assert wander(model) < 0.85 * wander(learned(variant="plain"))
    assert recall(model, log()[1]) > 0.5


@pytest.mark.parametrize("given", [{}, {"n_negatives": 16}], ids=["all songs", "a sample"])
@pytest.mark.parametrize("variant", ["plain", "denoising", "variational"])
def test_every_variant_learns_what_goes_together(variant, given):
    model = learned(variant=variant, **given)
    assert recall(model, log()[1]) > 0.5
    groups = np.array([song // GROUP for song in model.catalogue_.ids.to_list()])
    near = model.vectors_.unit @ model.vectors_.unit.T
    np.fill_diagonal(near, -np.inf)
    assert (groups[near.argmax(1)] == groups).mean() > 0.9


@pytest.mark.parametrize("variant", ["plain", "variational"])
def test_finds_nothing_in_noise(variant):
    train, test = listen("group", 0.0, sessions=280)
    assert recall(coder(variant=variant).fit(train), test) < CHANCE + 0.04


def test_hiding_songs_teaches_what_goes_with_those_that_are_left():
    """Of a plain autoencoder only the way back is asked, and it is found in the song itself: songs not heard yet come off badly."""
    train, test = log(160)
    plain, denoising, variational = (
        coder(variant=variant, repeats=False, hidden=40).fit(train) for variant in ("plain", "denoising", "variational")
    )
    assert beats(denoising, plain, test)
    assert beats(variational, plain, test)


def test_what_was_played_comes_last_unless_it_may_come_again():
    train, test = log(160)
    played, plays = test[0], np.setdiff1d(np.arange(test.plays), test.offsets[1:] - 1)
    for repeats in (False, True):
        model = coder(epochs=2, repeats=repeats).fit(train)
        order = model.next(played, SONGS)["song"].to_list()
        assert (set(order[-len(set(played)) :]) == set(played)) is not repeats
        scores, targets = model.score(test, plays), test.songs[plays + 1]
        ahead = (scores >= scores[np.arange(len(plays)), targets][:, None]).sum(1)
        assert model.ranks(test, plays, targets, 20).tolist() == np.minimum(ahead, 21).tolist()


def test_a_dear_divergence_draws_codes_to_0():
    train, test = log(280)
    made = [coder(variant="variational", kl_weight=weight, epochs=10).fit(train) for weight in (0.0, 0.5, 20.0)]
    sizes = [np.abs(model.encode_sessions(test)).mean() for model in made]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.1 * sizes[0]


def test_vectors_serve_an_engine_and_listeners_lie_among_their_songs():
    train, test = log()
    engine = Engine.train(train, vectors=coder(), index="exact")
    assert set(engine.similar(7, k=4)["song"]) == {5, 6, 8, 9}
    model = learned(variant="denoising")
    found = Engine(model.vectors_, index="exact").index.search(model.encode([5, 6, 7]), 5)
    assert set(model.catalogue_.songs(found.rows)) == {5, 6, 7, 8, 9}
    np.testing.assert_allclose(model.encode_sessions(test.keep(np.array([3])))[0], model.encode(test[3]), rtol=1e-5)


def test_unusable_arguments_are_refused_by_name():
    model, test = learned(variant="plain"), log()[1]
    with pytest.raises(UnknownSongError, match=r"^songs"):
        model.encode([])
    with pytest.raises(ArgumentError, match="other songs"):
        model.encode_sessions(Sessions.from_lists([[1, 2]]))
    for call in (lambda: coder().encode([1]), lambda: coder().encode_sessions(test)):
        with pytest.raises(ArgumentError, match="fit"):
            call()
    for setting, value in (("wide", 0), ("n_negatives", -1), ("kl_epochs", -1), ("bags", "bands"), ("variant", "sparse")):
        with pytest.raises(ArgumentError, match=setting):
            coder(**{setting: value})


def test_bags_of_listeners():
    train, test = log()
    strangers = replace(train, listener=np.arange(len(train), dtype=np.int32) % 20)  # their sessions are unlike
    assert recall(coder(bags="listeners").fit(strangers), test) < recall(learned(variant="denoising"), test)


def test_songs_played_alone_are_learned_by_listeners():
    lists, groups = np.array_split(np.arange(60), 12), np.arange(60) // 5
    alone = Sessions.from_lists([[int(song)] for songs in lists for song in songs for _ in range(3)])
    alone = replace(alone, listener=np.repeat(groups, 3).astype(np.int32), listeners=pl.Series(range(60)))
    model = coder(bags="listeners", epochs=100, batch_size=4).fit(alone)
    codes = np.array([song // 5 for song in model.catalogue_.ids.to_list()])
    near = model.vectors_.unit @ model.vectors_.unit.T
    np.fill_diagonal(near, -np.inf)
    assert (codes[near.argmax(1)] == codes).mean() > 0.9
