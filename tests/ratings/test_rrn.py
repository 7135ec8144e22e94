"""Recurrent recommender networks: the steps that are fed, the equations by hand, and states that never see what they predict."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError
from song2vec.nn.module import threads
from song2vec.ratings import RRN, RatingModel, Ratings
from song2vec.ratings.rrn.network import Side, Steps
from song2vec.testing.raters import LAST, drifting
from tests.ratings.planted import errors, fitted, learned, make


def steps():
    """Ann rates songs 7 and 2 in period 0 and song 7 in period 4; Bob nothing; Cid song 2 in period 1."""
    owner, other, period = np.array([0, 2, 0, 0]), np.array([7, 2, 2, 7]), np.array([4, 1, 0, 0])
    return Steps.of(owner, other, period, np.array([1.0, 2.0, 3.0, 4.0]), 3)


def test_steps_are_periods_with_a_rating():
    found = steps()
    assert found.begin.tolist() == [0, 2, 2, 3]
    assert found.period.tolist() == [0, 4, 1]
    assert found.first.tolist() == [0, 2, 3, 4]
    assert found.other.tolist() == [2, 7, 7, 2]
    assert found.value.tolist() == [3, 4, 1, 2]


def test_steps_taken_before_a_period_do_not_count_its_own():
    owner, period = np.array([0, 0, 0, 0, 1, 2, 2]), np.array([0, 1, 4, 99, 3, 1, 2])
    assert steps().taken(owner, period).tolist() == [0, 1, 1, 2, 0, 0, 1]
    assert steps().places(owner, period).tolist() == [0, 1, 1, 2, 3, 4, 5]


def test_the_features_of_a_batch_are_new_and_when_and_when_before():
    batch = steps().batch(np.array([2, 1, 0]), 5)
    assert batch.counts.tolist() == [1, 0, 2]
    assert batch.ratings.tolist() == [3, 0, 1, 2]
    assert batch.offsets.tolist() == [0, 1, 1, 1, 1, 3]
    np.testing.assert_allclose(batch.features, [[1, 0.2, 0.2], [0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0.8, 0]])
    assert batch.row.tolist() == [0, 2, 2, 2]
    assert batch.before.tolist() == [0, 6, 6, 7]


def test_states_are_those_of_the_equations():
    """One listener, two periods: y, the gates of the LSTM and the affine map written out."""
    network = learned("rrn", epochs=3).network_
    side = Side(80, 60, size=4, hidden=32, embed=32, mean=3.0, periods=4)
    side.load_state_dict(network.listeners.state_dict())
    walk = Steps.of(np.zeros(3, int), np.array([5, 6, 5]), np.array([0, 0, 3]), np.array([4.0, 2.0, 5.0]), 1)
    with torch.no_grad():
        found = side(walk, walk.batch(np.zeros(1, int), 4))[0].numpy()
        weights = {name: tensor.numpy() for name, tensor in side.state_dict().items()}
    h = c = np.zeros(32)
    expected = [h]
    for met, features in (({5: 1 / np.sqrt(2), 6: -1 / np.sqrt(2)}, [1, 0, 0]), ({5: 2.0}, [0, 0.75, 0])):
        y = sum(value * weights["others.weight"][song] for song, value in met.items())
        y = y + weights["features.weight"] @ features + weights["features.bias"]
        gates = (
            weights["lstm.weight_ih_l0"] @ y + weights["lstm.bias_ih_l0"] + weights["lstm.weight_hh_l0"] @ h + weights["lstm.bias_hh_l0"]
        )
        i, f, g, o = np.split(gates, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        expected.append(h)
    np.testing.assert_allclose(found, np.array(expected) @ weights["dynamic.weight"].T + weights["dynamic.bias"], rtol=1e-4, atol=1e-5)


def test_a_prediction_is_the_sum_of_its_parts():
    model = learned("rrn", epochs=3)
    u, i, t = 3, 7, 5
    one, two = model.network_.sides
    walks = Steps.both(model.seen_)
    with torch.no_grad():
        states = [side.all_states(steps).numpy() for side, steps in zip((one, two), walks, strict=True)]
        still = float(one.factor.weight[u] @ two.factor.weight[i] + one.bias.weight[u] + two.bias.weight[i])
    moving = [states[side][_place(walks[side], owner, t)] for side, owner in enumerate((u, i))]
    assert model.rate("u3", ["s7"], t)["s7"] == pytest.approx(model.mean_ + still + float(moving[0] @ moving[1]), abs=1e-4)


def _place(steps, owner, period):
    """By counting: the blank states and steps of all owners before this one, and its own steps before the period."""
    return owner + int((steps.owner < owner).sum()) + int(((steps.owner == owner) & (steps.period < period)).sum())


def test_a_period_is_predicted_from_earlier_ones_alone():
    """What is seen in a period, and after it, does not change what is predicted of it."""
    ratings, model = drifting(), copy(learned("rrn", epochs=3))
    earlier, later = model.predict(ratings.during(5)), model.predict(ratings.during(6))
    value = np.where(model.seen_.period >= 5, 0, model.seen_.value).astype(np.float32)
    model.seen_, model._states = replace(model.seen_, value=value), None
    np.testing.assert_array_equal(model.predict(ratings.during(5)), earlier)
    assert np.abs(model.predict(ratings.during(6)) - later).max() > 1e-4


def test_states_go_on_with_what_is_observed():
    """Having observed period 10, the network predicts period 11 better, without learning; the model that was asked stays as it is."""
    ratings, model = drifting(), learned("rrn")
    before = model.predict(ratings.during(LAST + 1))
    went_on = model.observe(ratings.during(LAST))
    assert went_on.rmse(ratings.during(LAST + 1)) < model.rmse(ratings.during(LAST + 1))
    np.testing.assert_array_equal(model.predict(ratings.during(LAST + 1)), before)
    strangers = Ratings([0], [0], [LAST], [1.0], ["new"], Catalogue(["never played"], [1]))
    np.testing.assert_array_equal(model.observe(strangers).predict(ratings), model.predict(ratings))


def test_only_later_periods_are_observed():
    ratings, model = drifting(), learned("rrn", epochs=3)
    with pytest.raises(ArgumentError, match=f"training learned from those to {LAST - 1}; later ones are allowed"):
        model.observe(ratings.before(LAST))
    later = ratings.during(LAST)
    half = np.arange(len(later)) % 2 == 0
    with pytest.raises(ArgumentError, match=f"{half.sum():,} of {len(later):,} were observed before"):
        model.observe(later.select(half)).observe(later)
    by_halves, at_once = model.observe(later.select(half)).observe(later.select(~half)), model.observe(later)
    np.testing.assert_allclose(by_halves.predict(later), at_once.predict(later), atol=1e-5)


def test_a_network_that_was_loaded_observes_as_before(tmp_path):
    ratings, model = drifting(), learned("rrn", epochs=3)
    loaded, later = RatingModel.load(model.save(tmp_path / "model")), ratings.during(LAST)
    np.testing.assert_array_equal(loaded.observe(later).predict(later), model.observe(later).predict(later))


def test_training_by_turns_moves_one_side_and_leaves_the_other():
    model = make("rrn", epochs=1)
    turns = model._begin(drifting().before(3))
    before = [{name: weights.clone() for name, weights in side.state_dict().items()} for side in model.network_.sides]
    with threads(1):
        turns.run(1)
    assert all(torch.equal(weights, before[0][name]) for name, weights in model.network_.listeners.state_dict().items())
    assert not torch.equal(model.network_.songs.factor.weight, before[1]["factor.weight"])


def test_gradients_are_those_of_finite_differences():
    """Of the loss by one number of the map from state to factor, through the whole walk."""
    model = make("rrn", epochs=1, learning_rate=1e-12, l2=0.0, batch_size=1000)
    turns = model._begin(drifting().before(4))

    def error():
        with threads(1):
            squares, count = turns.run(0)
        return squares / count

    weights = model.network_.listeners.lstm.weight_hh_l0
    before = error()
    slope = float(weights.grad[3, 2])
    with torch.no_grad():
        weights[3, 2] += 0.05
    assert (error() - before) / 0.05 == pytest.approx(slope, rel=0.2, abs=2e-5)


@pytest.mark.parametrize(("settings", "message"), [({"hidden": 0}, "hidden=0"), ({"l2": -1}, "l2=-1"), ({"dynamic": 1}, "dynamic=1")])
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        RRN(**settings)


def test_drift_that_is_not_there_costs_little():
    ratings = drifting(drift=0.0)
    twin, model = (errors(fitted(make("rrn", epochs=15, l2=0.1, dynamic=dynamic), ratings), ratings).mean() for dynamic in (False, True))
    assert model < 1.5 * twin
