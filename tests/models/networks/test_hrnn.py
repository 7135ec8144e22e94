# ruff: noqa: E402 (without torch the modules cannot be imported)
"""HRNN: listeners beside sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")

from song2vec.core.errors import ArgumentError
from song2vec.models import NextSongModel
from song2vec.models.networks.hrnn import HRNN, ListenerNetwork
from song2vec.sessions import Sessions

LISTS = [[7, 3, 3], [5, 1], [2, 8, 4, 7], [6, 9], [1], [3, 5]]
LISTENER = np.array([1, 0, 1, 1, 0, 2], np.int32)


def log() -> Sessions:
    made = Sessions.from_lists(LISTS)
    return replace(made, listener=LISTENER, listeners=pl.Series("listener", ["a", "b", "c", "d"]))


def hrnn(**settings: Any) -> HRNN:
    small = {"hidden": 6, "listener_hidden": 4, "n_negatives": 5, "batch_size": 2, "epochs": 2, "workers": 1, "progress": False}
    return HRNN(**{**small, "learning_rate": 0.1, **settings})


def walked(network: ListenerNetwork, sessions: Sessions, listener: int) -> torch.Tensor:
    """The state of one listener, song by song as it is defined."""
    listened, first = torch.zeros(1, 4), True
    for session in np.flatnonzero(sessions.listener == listener):
        songs = sessions.songs[sessions.offsets[session] : sessions.offsets[session + 1]]
        if len(songs) < 2:
            continue
        state = torch.zeros(1, 6) if first else network.first_state(listened)
        for song in songs[:-1]:
            state = network.step(network.embed(torch.tensor([int(song)])), [state, listened])[0]
        listened, first = network.after_session(state, listened), False
    return listened


@pytest.mark.parametrize("variant", ["init", "all"])
def test_listeners_are_warmed_on_their_sessions(variant):
    sessions = log()
    model = hrnn(variant=variant).fit(sessions)
    for listener in range(4):
        with torch.inference_mode():
            expected = walked(model.network_, sessions, listener)[0]
        np.testing.assert_allclose(model.listener_states_[listener], expected.numpy(), atol=1e-6)
    assert (model.listener_states_[3] == 0).all()


@pytest.mark.parametrize("variant", ["init", "all"])
def test_training_carries_listeners_from_session_to_session_as_use_does(variant):
    """With nothing learned, the listener's state that a slot ends with is theirs up to the last session begun."""
    sessions = log()
    model = hrnn(variant=variant, batch_size=4, learning_rate=1e-30)
    network = model._new_network(sessions, None)
    trainee = model._trainee(network, sessions)
    trainee.begin(0)
    trainee.run(0)
    # listener "b" has most steps, 2 + 3 + 1, so its slot is the last to go; its third session began with the first two behind it
    only = replace(sessions, listener=np.array([1, 0, 1, 3, 0, 2], np.int32))
    with torch.inference_mode():
        listened = walked(network, only, 1)
        first = network.embed(torch.tensor([int(sessions.songs[sessions.offsets[3]])]))
        state = network.step(first, [network.first_state(listened), listened])[0]
    np.testing.assert_allclose(trainee.states[1].numpy(), listened.numpy(), atol=1e-6)
    np.testing.assert_allclose(trainee.states[0].numpy(), state.numpy(), atol=1e-6)


def test_the_network_over_listeners_learns():
    sessions = log()
    model = hrnn(variant="all")
    before = model._new_network(sessions, None).arrays()
    after = model.fit(sessions).network_.arrays()
    for name in ("listener.weight_ih", "initial.weight", "everywhere.weight"):
        assert (before[name] != after[name]).any(), name


def test_listeners_differ_and_strangers_begin_at_zero(tmp_path):
    sessions = log()
    model = hrnn().fit(sessions)
    by = {who: model.session(who).listen(3).next(9)["score"].to_numpy() for who in ("a", "b", "d", "never seen", None)}
    assert np.abs(by["a"] - by["b"]).max() > 1e-6
    for stranger in ("d", "never seen"):
        np.testing.assert_array_equal(by[stranger], by[None])
    again = NextSongModel.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.session("b").listen(3).next(9)["score"], by["b"])
    plays = np.array([int(sessions.offsets[2])])
    in_session = model.score(sessions, plays)[0]
    live = model.session("b").listen(2).next(1)
    assert live["score"][0] == pytest.approx(in_session.max(), abs=1e-6)


def test_a_session_that_is_over_moves_its_listener_on():
    sessions = log()
    model, more = hrnn().fit(sessions), [4, 2, 6]
    model.session("a").finish()  # nothing was played
    session = model.session("a")
    for song in more:
        session.listen(song)
    session.finish()
    longer = Sessions.from_lists([*LISTS, more])
    rows = longer.catalogue.songs(longer.songs)
    longer = replace(
        longer, songs=sessions.catalogue.rows(rows).astype(np.int32), catalogue=sessions.catalogue, listener=np.append(LISTENER, 0)
    )
    with torch.inference_mode():
        expected = walked(model.network_, longer, 0)[0]
    np.testing.assert_allclose(model.listener_states_[0], expected.numpy(), atol=1e-6)
    for song in more:
        stranger = model.session("new").listen(song)
    stranger.listen(4).finish()
    assert (model.listener_states_[-1] != 0).any()
    assert model.listeners_[-1] == "new"
    with pytest.raises(ArgumentError, match="listener"):
        model.session().finish()


@pytest.mark.parametrize("variant", ["init", "all"])
def test_a_session_that_was_saved_goes_on_as_its_listeners(variant, tmp_path):
    sessions = log()
    model = hrnn(variant=variant).fit(sessions)
    session = model.session("a").listen(2).listen(6)
    again = model.load_session(session.save(tmp_path / "session"))
    assert again.listener == "a"
    np.testing.assert_array_equal(again.listen(4).scores(), session.listen(4).scores())
    finished = []
    for one in (model.load_session(session.save(tmp_path / "session")), session):
        one.finish()
        finished.append(model.listener_states_[0].copy())
        model.fit(sessions)
    np.testing.assert_array_equal(*finished)


def test_validation_begins_with_what_is_known_of_the_listeners():
    """The score of an epoch is that of the model as it is used, not of strangers."""
    sessions = log()
    model = hrnn(epochs=1).fit(sessions, validation=sessions)
    plays = np.setdiff1d(np.arange(sessions.plays), sessions.offsets[1:] - 1)
    scores = model.score(sessions, plays)
    targets = sessions.songs[plays + 1]
    ranks = (scores >= scores[np.arange(len(plays)), targets][:, None]).sum(axis=1)
    assert model.history_[0].scores["mrr@20"] == pytest.approx((1 / ranks).mean(), rel=1e-6)
