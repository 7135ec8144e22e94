"""A step of training: against autograd, against the compiled one, and its states traced on a tiny set of sessions."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from song2vec.core.random import generator
from song2vec.models.networks.gru4rec.compiled import CompiledTrainee, can_compile
from song2vec.models.networks.recurrent.network import RecurrentNetwork
from song2vec.models.networks.recurrent.trainee import RecurrentTrainee, masks_of
from song2vec.nn.adagrad import Adagrad
from song2vec.nn.batching import session_parallel
from song2vec.nn.training import TrainingConfig
from song2vec.sessions import Sessions

SONGS = 30


def log(sessions: int = 25) -> Sessions:
    random = np.random.default_rng(0)
    return Sessions.from_lists([[*range(SONGS)], *(random.integers(0, SONGS, random.integers(2, 9)).tolist() for _ in range(sessions))])


def network(cell: Any = "gru", layers: int = 1, kind: Any = "constrained", size: int = 6, hidden: int = 6) -> RecurrentNetwork:
    made = RecurrentNetwork(SONGS, hidden, cell=cell, layers=layers, input=kind, size=size)
    made.draw(generator(0, "weights"))
    random = np.random.default_rng(1)
    for name, weights in made.named_parameters():
        if "output" not in name:  # biases too
            weights.data += torch.from_numpy(random.normal(0, 0.3, tuple(weights.shape)).astype(np.float32))
    return made


def config(**settings: Any) -> TrainingConfig:
    return TrainingConfig(**{"batch_size": 4, "learning_rate": 0.05, "n_negatives": 12, **settings})


def trainee(sessions: Sessions, net: RecurrentNetwork, rules: TrainingConfig) -> RecurrentTrainee:
    return RecurrentTrainee(net, rules, sessions, lambda epoch: session_parallel(sessions, np.arange(len(sessions)), rules.batch_size))


def compiled(sessions: Sessions, net: RecurrentNetwork, rules: TrainingConfig, lanes: int = 1) -> CompiledTrainee:
    return CompiledTrainee(net, rules, sessions, lambda epoch: np.arange(len(sessions)), lanes)


def trained(made: RecurrentTrainee, epochs: int = 1) -> float:
    return sum(made.run(block)[0] for epoch in range(epochs) for block in range(made.begin(epoch)))


KINDS = [("gru", 1, "constrained"), ("gru", 2, "embedding"), ("gru", 1, "one-hot"), ("lstm", 2, "constrained"), ("rnn", 1, "one-hot")]


@pytest.mark.parametrize("bptt", [1, 3])
@pytest.mark.parametrize(("cell", "layers", "kind"), KINDS)
def test_a_step_is_that_of_autograd_and_dense_adagrad(cell, layers, kind, bptt):
    """Two updates from dense tables, one optimiser for all, by autograd alone: rows that no gradient reached must agree too."""
    sessions = log()
    net, rules = network(cell, layers, kind), config(bptt=bptt, learning_rate=0.1, momentum=0.3, logq=0.7)
    copies = {name: torch.from_numpy(array).requires_grad_() for name, array in net.arrays().items()}
    made = trainee(sessions, net, rules)
    made.begin(0)
    plan = session_parallel(sessions, np.arange(len(sessions)), 4)
    negatives = torch.from_numpy(made.negatives.block(0, 0, min(64, made.updates)))
    squares = {name: torch.zeros_like(weights) for name, weights in copies.items()}
    moving = {name: torch.zeros_like(weights) for name, weights in copies.items()}
    support = torch.from_numpy(np.bincount(sessions.songs, minlength=SONGS)).float()
    songs = torch.from_numpy(sessions.songs.astype(np.int64))
    states = net.blank_states(4)
    for update in range(2):
        total, _ = made.update(update, negatives[update])
        found, targets = [], []
        for step in range(update * bptt, (update + 1) * bptt):
            entries = slice(plan.begin[step], plan.begin[step + 1])
            plays = torch.from_numpy(plan.plays[entries])
            x = copies["output.weight" if kind == "constrained" else "input.weight"][songs[plays]]
            states = [torch.where(torch.from_numpy(plan.starts[entries] == 0)[:, None], state, 0.0) for state in states]
            for layer in range(layers):
                own = {name.rpartition(".")[2]: weights for name, weights in copies.items() if name.startswith(f"layers.{layer}.")}
                states[layer] = torch.func.functional_call(net.layers[layer], own, (x, states[layer]))
                x = states[layer][:, :6]
            found.append(x)
            targets.append(songs[plays + 1])
        rows = torch.cat(targets)
        columns = torch.cat([rows, negatives[update]])
        correction = 0.7 * torch.cat([torch.log(support[rows]), torch.log(support[negatives[update]] ** 0.5)])
        scores = torch.cat(found) @ copies["output.weight"][columns].T + copies["bias.weight"][columns, 0] - correction
        loss = torch.nn.functional.cross_entropy(scores, torch.arange(len(rows)), reduction="sum")
        assert float(total) == pytest.approx(loss.item(), rel=1e-5)
        slopes = dict(zip(copies, torch.autograd.grad(loss / 4, list(copies.values())), strict=True))
        with torch.no_grad():
            for name, weights in copies.items():
                squares[name] += slopes[name] ** 2
                step_size = slopes[name] / torch.sqrt(squares[name] + 1e-6)
                touched = torch.ones(len(weights), dtype=bool)
                if name in net.tables():
                    first, last = (plan.begin[step] for step in (update * bptt, (update + 1) * bptt))
                    inputs = songs[torch.from_numpy(plan.plays[first:last])]
                    both = torch.cat([columns, inputs]) if kind == "constrained" else columns
                    touched = torch.zeros(len(weights), dtype=bool)
                    touched[{"bias.weight": columns, "input.weight": inputs}.get(name, both)] = True
                moved = 0.3 * moving[name] - 0.1 * step_size
                moving[name][touched] = moved[touched]
                weights[touched] += moved[touched]
        states = [state.detach() for state in states]
        for name, array in net.arrays().items():
            np.testing.assert_allclose(array, copies[name].detach().numpy(), atol=2e-5, err_msg=name)


COMPILED = [
    ({}, {}),
    ({"kind": "embedding", "size": 5}, {"momentum": 0.3, "logq": 1.0}),
    ({"kind": "vectors", "size": 7}, {"frozen": True}),
    ({"kind": "vectors", "size": 7}, {"dropout_input": 0.4, "dropout_hidden": 0.3}),
    ({}, {"loss": "bpr-max", "bpreg": 1.7, "elu_param": 0.5, "dropout_input": 0.2, "momentum": 0.1}),
    ({}, {"loss": "bpr-max", "n_negatives": 0}),
]


@pytest.mark.parametrize(("net", "rules"), COMPILED)
def test_the_compiled_trainee_does_the_same(net, rules):
    sessions = log()
    one, other = network(**net), network(**net)
    rules = config(**rules)
    assert can_compile(one, rules)
    expected = trained(trainee(sessions, one, rules), epochs=2)
    assert trained(compiled(sessions, other, rules), epochs=2) == pytest.approx(expected, rel=1e-4)
    for name, array in other.arrays().items():
        np.testing.assert_allclose(array, one.arrays()[name], atol=2e-4, err_msg=name)


def test_lanes_learn_from_every_target_once():
    sessions = log()
    made = compiled(sessions, network(), config(), lanes=3)
    events = sum(made.run(block)[1] for block in range(made.begin(0)))
    assert events == sessions.plays - len(sessions)


def test_the_states_along_a_tiny_set_of_sessions():
    """After training without learning, the state of each slot is that of its own session from its own beginning, and of nothing else."""
    sessions = Sessions.from_lists([[7, 3, 3], [5, 1], [2, 8, 4], [6, 9]])
    for make in (trainee, compiled):
        net = RecurrentNetwork(len(sessions.catalogue), 6, input="constrained", size=6)
        made = make(sessions, net, config(n_negatives=3, batch_size=2, learning_rate=0.0))
        made.begin(0)
        made.run(0)
        plays = np.array([6, 9 - 1])  # the last inputs: 8 of 2 8 4, and 6 of 6 9
        expected = net.walk(sessions, plays).numpy()
        np.testing.assert_allclose(made.states[0].numpy()[:2][::-1], expected, atol=1e-6)


def test_a_song_twice_in_a_batch_is_squared_once():
    """Gradients 1 and 2 of one row: the step is rate 3 / sqrt(9), not 1 / sqrt(1) + 2 / sqrt(5)."""
    table = torch.zeros(4, 2)
    made = Adagrad(table, 0.1, 0.0)
    made.step_rows(torch.tensor([2, 0, 2]), torch.tensor([[1.0, 1.0], [0.0, 5.0], [2.0, 2.0]]))
    np.testing.assert_allclose(table.numpy(), [[0, -0.1], [0, 0], [-0.1, -0.1], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(made.squares.numpy(), [[0, 25], [0, 0], [9, 9], [0, 0]])


def test_dropout_is_given_as_the_share_dropped_and_keeps_the_mean():
    inputs, hidden = masks_of(network(layers=2), config(dropout_input=0.2, dropout_hidden=0.75), 0, 0, 5_000)
    assert inputs.shape == (5_000, 6)
    assert hidden.shape == (2, 5_000, 6)
    assert (inputs == 0).mean() == pytest.approx(0.2, abs=0.02)
    assert (hidden == 0).mean() == pytest.approx(0.75, abs=0.02)
    assert inputs.mean() == pytest.approx(1, abs=0.02)
    assert hidden.mean() == pytest.approx(1, abs=0.04)


def test_only_the_songs_that_count_are_scored():
    """A song that is neither target nor drawn keeps its weights to the last bit."""
    sessions = log(3)
    net = network()
    before = net.arrays()
    made = trainee(sessions, net, config(n_negatives=1))
    made.begin(0)
    made.update(0, torch.tensor([3]))
    moved = np.flatnonzero((net.arrays()["output.weight"] != before["output.weight"]).any(axis=1))
    plan = session_parallel(sessions, np.arange(len(sessions)), 4)
    first = plan.plays[: plan.begin[1]]
    assert set(moved) <= {3, *sessions.songs[first].tolist(), *sessions.songs[first + 1].tolist()}
