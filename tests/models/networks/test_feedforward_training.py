"""Training of the feed-forward models that is cut short and goes on, stops early, and leaves global chance alone."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from song2vec.core.errors import ArgumentError
from song2vec.models.networks.autoencoder.model import AutoEncoder
from song2vec.models.networks.candidates.model import CandidateNetwork
from song2vec.nn import trainer as training
from song2vec.sessions import Sessions
from song2vec.testing.planted import listen
from tests.models.networks.planted import whole_and_resumed

COMMON: dict[str, Any] = {"hidden": 8, "n_negatives": 16, "batch_size": 16, "epochs": 3, "workers": 1, "progress": False}
MODELS = [
    lambda **given: CandidateNetwork(**{**COMMON, "size": 8, "dropout_input": 0.3, **given}),
    lambda **given: AutoEncoder(**{**COMMON, "variant": "variational", "wide": 9, **given}),
]
every_model = pytest.mark.parametrize("make", MODELS, ids=["youtube", "autoencoder"])


@pytest.fixture(scope="module")
def log() -> tuple[Sessions, Sessions]:
    return listen("group", 0.8, sessions=120)


def same(one: Any, other: Any) -> bool:
    return all((array == other.network_.arrays()[name]).all() for name, array in one.network_.arrays().items())


@every_model
def test_training_goes_on_where_it_was_cut_short(make, log, tmp_path, monkeypatch):
    """Killed in the middle of the second epoch: the weights and the losses come out the same to the last bit."""
    monkeypatch.setattr("song2vec.nn.training.BLOCK", 4)
    train, validation = log
    whole, resumed = whole_and_resumed(make, log, tmp_path / "here", monkeypatch, saves=6)
    assert same(resumed, whole)
    assert resumed.history_[-1].loss == whole.history_[-1].loss
    assert [epoch.scores["mrr@20"] for epoch in resumed.history_] == [epoch.scores["mrr@20"] for epoch in whole.history_]
    with pytest.raises(ArgumentError, match="learning_rate"):
        make(learning_rate=0.01).fit(train, validation=validation, checkpoint=tmp_path / "here")


@every_model
def test_the_same_seed_gives_the_same_weights_and_leaves_global_chance_alone(make, log):
    torch.manual_seed(0)
    before, threads = torch.rand(1), torch.get_num_threads()
    one = make().fit(log[0])
    torch.manual_seed(0)
    assert torch.rand(1) == before
    assert torch.get_num_threads() == threads
    assert same(make().fit(log[0]), one)
    assert not same(make(seed=1).fit(log[0]), one)


@every_model
def test_training_stops_when_nothing_more_is_found_and_keeps_the_best(make, log, monkeypatch):
    found = iter([0.1, 0.3, 0.2, 0.25, 0.9])
    kept = []

    def validate(self: Any, network: Any, sessions: Any, queries: Any) -> training.Scores:
        kept.append(network.arrays())
        return {"recall@20": next(found), "mrr@20": 0.1}

    model = make(epochs=9, patience=2)
    monkeypatch.setattr(type(model), "_validate", validate)
    model.fit(log[0], validation=log[1])
    assert [epoch.scores["recall@20"] for epoch in model.history_] == [0.1, 0.3, 0.2, 0.25]
    assert all((array == kept[1][name]).all() for name, array in model.network_.arrays().items())
    with pytest.raises(ArgumentError, match="patience"):
        make(patience=2).fit(log[0])


@every_model
def test_validation_counts_songs_of_equal_score_as_ahead(make, log):
    model = make(epochs=1).fit(log[0])
    plays = np.setdiff1d(np.arange(log[1].plays), log[1].offsets[1:] - 1)
    before = model._validate(model.network_, log[0], (log[1], plays))
    assert 0 < before["mrr@20"] < before["recall@20"]
    model.network_.load({name: 0 * array for name, array in model.network_.arrays().items()})
    found = model._validate(model.network_, log[0], (log[1], plays))
    assert found == {"recall@20": 0, "mrr@20": 0}


@every_model
def test_a_loss_that_is_no_number_is_refused(make, log):
    with pytest.raises(ArgumentError, match="learning_rate"):
        make(learning_rate=1e38).fit(log[0])
