"""Autoencoders: likelihood and divergence by hand, what a step does, what the kinds learn, and the vectors they give."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from song2vec import Engine
from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.models.networks.feedforward.autoencoder import AutoEncoder
from song2vec.models.networks.feedforward.bags import Bags
from song2vec.models.networks.feedforward.coder import Coder, CoderSteps, Rules
from song2vec.models.networks.feedforward.likelihood import divergence, log_inclusion, multinomial
from song2vec.models.networks.feedforward.steps import Pace
from song2vec.nn.negatives import Negatives
from song2vec.sessions import Sessions
from song2vec.testing.planted import GROUP, SONGS, K, hit_rate, listen
from tests.models.networks.feedforward.planted import beats

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
    listeners = Bags.of_users(sessions, "listeners")
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


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize(("variational", "wide"), [(False, None), (False, 5), (True, None), (True, 5)])
def test_a_step_follows_the_slope_of_the_loss(variational, wide, sampled):
    """Squared slopes are what Adagrad adds up in a first step: compared with autograd through the definition, in double precision."""
    bags = Bags(np.array([0, 2, 1, 2, 5]), np.array([0, 2, 5]))
    network = Coder(7, 3, wide, variational, np.random.default_rng(1))
    before = {name: torch.from_numpy(array).double().requires_grad_() for name, array in network.arrays().items()}
    drawn = Negatives(np.array([1, 1, 2, 0, 1, 1, 3]), 0.5, 3, 0) if sampled else None
    steps = CoderSteps(network, Pace(2, 2, 0.1, drawn, 0), bags, Rules(0.0, 0.3, 4))
    sample = torch.tensor([6, 2, 6])
    total, count = steps.learn(np.arange(2), sample if sampled else None, 2, np.random.default_rng(0))

    heard = [[0, 2], [1, 2, 5]]
    x = torch.stack([before["input"][songs].sum(0) / math.sqrt(len(songs)) for songs in heard]) + before["b_in"]
    if wide:
        x = torch.tanh(x) @ before["W_code"].T + before["b_code"]
    code, paid = torch.tanh(x), torch.zeros(())
    if variational:
        mean, log_variance = x[:, :3], x[:, 3:]
        noise = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3), np.float32)).double()
        code = mean + noise * torch.exp(log_variance / 2)
        paid = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    seen = torch.tanh(code @ before["W_wide"].T + before["b_wide"]) if wide else code
    scores = seen @ before["output"].T + before["bias"][:, 0]
    if sampled:
        weights = np.sqrt([1, 1, 2, 0, 1, 1, 3])
        less = log_inclusion(np.array([1, 1, 2, 0, 0, 1, 0]), 2, 2, weights / weights.sum(), 3)
        absent = torch.tensor([song not in (0, 1, 2, 5, 6) for song in range(7)])
        scores = (scores - torch.from_numpy(less)).masked_fill(absent, -torch.inf)
    logs = torch.log_softmax(scores, 1)
    loss = -sum(logs[i, songs].sum() for i, songs in enumerate(heard)) + 0.3 * (2 / 4) * paid
    (loss / 2).backward()
    assert count == 5
    assert float(total) == pytest.approx(float(loss.detach()), rel=1e-5)
    for name, optimiser in steps.optimisers.items():
        np.testing.assert_allclose(optimiser.squares, before[name].grad.numpy() ** 2, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("some", [None, [0, 1, 2, 5, 6]])
@pytest.mark.parametrize(("variational", "wide"), [(False, None), (True, 5)])
def test_feeding_again_follows_the_slope_towards_what_came_out(variational, wide, some):
    """-n sum p log f(f(x)) with p = f(x) held still, against autograd through the definition, in double precision."""
    bags = Bags(np.array([0, 2, 1, 2, 5]), np.array([0, 2, 5]))
    network = Coder(7, 3, wide, variational, np.random.default_rng(1))
    before = {name: torch.from_numpy(array).double().requires_grad_() for name, array in network.arrays().items()}
    drawn = Negatives(np.array([1, 1, 2, 0, 1, 1, 3]), 0.5, 3, 0) if some else None
    steps = CoderSteps(network, Pace(2, 2, 0.1, drawn, 0), bags, Rules(0.0, 0.3, 4, refeed=True))
    less = steps._less.double() if some else torch.zeros(7).double()
    steps._refeed(bags, None if some is None else torch.tensor(some), 0.5)

    def out(x):
        x = x + before["b_in"]
        if wide:
            x = torch.tanh(x) @ before["W_code"].T + before["b_code"]
        code = x[:, :3] if variational else torch.tanh(x)
        seen = torch.tanh(code @ before["W_wide"].T + before["b_wide"]) if wide else code
        scores = seen @ before["output"].T + before["bias"][:, 0] - less
        absent = torch.tensor([some is not None and song not in some for song in range(7)])
        return torch.log_softmax(scores.masked_fill(absent, -1e9), 1)

    heard, counts = [[0, 2], [1, 2, 5]], torch.tensor([[2.0], [3.0]]).double()
    target = out(torch.stack([before["input"][songs].sum(0) / math.sqrt(len(songs)) for songs in heard])).exp().detach()
    loss = -(counts * target * out((target * counts.sqrt()) @ before["input"])).sum()
    (loss / 2).backward()
    for name, optimiser in steps.optimisers.items():
        np.testing.assert_allclose(optimiser.squares, before[name].grad.numpy() ** 2, atol=1e-7, err_msg=name)


def test_what_comes_out_comes_out_again_the_more_it_is_fed_again(log):
    """The divergence of f(f(x)) from f(x) is less for who learned so, and the next song is found."""

    def wander(model):
        scores = torch.from_numpy(model.score(log[1], np.arange(100)))
        bags = Bags.of_histories(log[1], np.arange(100))
        spread = torch.softmax(scores, 1) * torch.from_numpy(np.sqrt(bags.counts)).float()[:, None]
        code, _ = model.network_.code(spread @ model.network_.tables["input"])
        again = model.network_.decode(code) @ model.network_.tables["output"].T + model.network_.tables["bias"][:, 0]
        first = torch.log_softmax(scores, 1)
        return float((first.exp() * (first - torch.log_softmax(again, 1))).sum(1).mean())

    model = coder(kind="plain", refeed=True).fit(log[0])
    assert wander(model) < 0.85 * wander(coder(kind="plain").fit(log[0]))
    assert hit_rate(model, log[1]) > 0.5


@pytest.fixture(scope="module")
def log() -> tuple[Sessions, Sessions]:
    return listen("group", 0.8)


@pytest.mark.parametrize("kind", ["plain", "denoising", "variational"])
@pytest.mark.parametrize("n_negatives", [0, 16])
def test_every_kind_learns_what_goes_together(kind, n_negatives, log):
    model = coder(kind=kind, n_negatives=n_negatives).fit(log[0])
    assert hit_rate(model, log[1]) > 0.5
    groups = np.array([song // GROUP for song in model.catalogue_.ids.to_list()])
    near = model.vectors_.unit @ model.vectors_.unit.T
    np.fill_diagonal(near, -np.inf)
    assert (groups[near.argmax(1)] == groups).mean() > 0.9


@pytest.mark.parametrize("kind", ["plain", "variational"])
def test_finds_nothing_in_noise(kind):
    train, test = listen("group", 0.0)
    assert hit_rate(coder(kind=kind).fit(train), test) < K / SONGS + 0.04


def test_hiding_songs_teaches_what_goes_with_those_that_are_left():
    """Of a plain autoencoder only the way back is asked, and it is found in the song itself: songs not heard yet come off badly."""
    train, test = listen("group", 0.8, sessions=160)
    plain, denoising, variational = (
        coder(kind=kind, repeats=False, hidden=40).fit(train) for kind in ("plain", "denoising", "variational")
    )
    assert beats(denoising, plain, test)
    assert beats(variational, plain, test)


def test_what_was_heard_comes_last_unless_it_may_come_again(log):
    heard = log[1][0]
    for repeats in (False, True):
        model = coder(epochs=2, repeats=repeats).fit(log[0])
        order = model.next(heard, SONGS)["song"].to_list()
        assert (set(order[-len(set(heard)) :]) == set(heard)) is not repeats


def test_a_dear_divergence_draws_codes_to_0(log):
    sizes = [np.abs(coder(kind="variational", kl_weight=weight).fit(log[0]).encode_sessions(log[1])).mean() for weight in (0.0, 0.5, 20.0)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.1 * sizes[0]


def test_vectors_serve_an_engine_and_listeners_lie_among_their_songs(log):
    engine = Engine.train(log[0], vectors=coder(), index="exact")
    assert set(engine.similar(7, k=4)["song"]) == {5, 6, 8, 9}
    model = coder().fit(log[0])
    found = Engine(model.vectors_, index="exact").index.search(model.encode([5, 6, 7]), 5)
    assert set(model.catalogue_.songs(found.rows)) == {5, 6, 7, 8, 9}
    np.testing.assert_allclose(model.encode_sessions(log[1].keep(np.array([3])))[0], model.encode(log[1][3]), rtol=1e-5)


def test_unusable_arguments_are_refused_by_name(log):
    model = coder(epochs=1).fit(log[0])
    with pytest.raises(UnknownSongError, match=r"^songs"):
        model.encode([])
    with pytest.raises(ArgumentError, match="other songs"):
        model.encode_sessions(Sessions.from_lists([[1, 2]]))
    for call in (lambda: coder().encode([1]), lambda: coder().encode_sessions(log[1])):
        with pytest.raises(ArgumentError, match="fit"):
            call()
    for setting, value in (("wide", 0), ("n_negatives", -1), ("kl_epochs", -1), ("users", "bands"), ("kind", "sparse")):
        with pytest.raises(ArgumentError, match=setting):
            coder(**{setting: value}).fit(log[0])


def test_bags_of_listeners(log):
    train, test = log
    train.listener[:] = np.arange(len(train)) % 20
    assert hit_rate(coder(users="listeners").fit(train), test) < hit_rate(coder().fit(train), test)  # their sessions are unlike
