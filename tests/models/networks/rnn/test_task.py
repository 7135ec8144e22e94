"""A step of training: against autograd, against the compiled one, and its states traced on a tiny set of sessions."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from song2vec.core.random import generator
from song2vec.models.networks.rnn.batches import session_parallel
from song2vec.models.networks.rnn.cells import CELLS
from song2vec.models.networks.rnn.compiled import CompiledTask, can_compile
from song2vec.models.networks.rnn.negatives import Negatives
from song2vec.models.networks.rnn.network import Network, Shape
from song2vec.models.networks.rnn.task import Recipe, Task
from song2vec.models.networks.rnn.walk import outputs
from song2vec.sessions import Sessions

SONGS = 30


def log(sessions: int = 25) -> Sessions:
    random = np.random.default_rng(0)
    return Sessions.from_lists([[*range(SONGS)], *(random.integers(0, SONGS, random.integers(2, 9)).tolist() for _ in range(sessions))])


def network(cell: str = "gru", layers: int = 1, kind: Any = "constrained", size: int = 6, hidden: int = 6) -> Network:
    made = Network(Shape(SONGS, CELLS[cell], hidden, layers, kind, size), generator(0, "weights"))
    made.flat += torch.from_numpy(np.random.default_rng(1).normal(0, 0.3, made.flat.shape).astype(np.float32))  # biases too
    made.tables["bias"] += torch.from_numpy(np.random.default_rng(2).normal(0, 0.3, (SONGS, 1)).astype(np.float32))
    return made


def recipe(sessions: Sessions, sample: int = 12, **settings: Any) -> Recipe:
    support = np.bincount(sessions.songs, minlength=SONGS)
    settings = {"loss_name": "cross-entropy", "batch_size": 4, "negatives": Negatives(support, 0.5, sample, 0), **settings}
    return Recipe(**settings)


def task(sessions: Sessions, net: Network, rules: Recipe) -> Task:
    return Task(net, rules, sessions, lambda epoch: session_parallel(sessions, np.arange(len(sessions)), rules.batch_size))


def compiled(sessions: Sessions, net: Network, rules: Recipe, lanes: int = 1) -> CompiledTask:
    order = np.arange(len(sessions))
    return CompiledTask(net, rules, sessions, lambda epoch, lane: session_parallel(sessions, order[lane::lanes], rules.batch_size), lanes)


def trained(made: Task, epochs: int = 1) -> float:
    return sum(made.run(block)[0] for epoch in range(epochs) for block in range(made.begin(epoch)))


KINDS = [("gru", 1, "constrained"), ("gru", 2, "embedding"), ("gru", 1, "one-hot"), ("lstm", 2, "constrained"), ("rnn", 1, "one-hot")]


@pytest.mark.parametrize("bptt", [1, 3])
@pytest.mark.parametrize(("cell", "layers", "kind"), KINDS)
def test_a_step_is_that_of_autograd_and_dense_adagrad(cell, layers, kind, bptt):
    """Two updates from dense tables, one optimiser for all, by autograd alone: rows that no gradient reached must agree too."""
    sessions = log()
    net, rules = network(cell, layers, kind), recipe(sessions, bptt=bptt, learning_rate=0.1, momentum=0.3, logq=0.7)
    copies = {name: torch.from_numpy(array).requires_grad_() for name, array in net.arrays().items()}
    made = task(sessions, net, rules)
    made.begin(0)
    plan = session_parallel(sessions, np.arange(len(sessions)), 4)
    negatives = torch.from_numpy(rules.negatives.block(0, 0, min(64, made.updates)))
    squares = {name: torch.zeros_like(weights) for name, weights in copies.items()}
    moving = {name: torch.zeros_like(weights) for name, weights in copies.items()}
    support = torch.from_numpy(np.bincount(sessions.songs, minlength=SONGS)).float()
    songs = torch.from_numpy(sessions.songs.astype(np.int64))
    width = CELLS[cell].states * 6
    states = [torch.zeros(4, width) for _ in range(layers)]
    for update in range(2):
        total = made._update(update * bptt, negatives[update])
        found, targets = [], []
        for step in range(update * bptt, (update + 1) * bptt):
            entries = slice(plan.begin[step], plan.begin[step + 1])
            plays = torch.from_numpy(plan.plays[entries])
            x = copies["output" if kind == "constrained" else "input"][songs[plays]]
            states = [torch.where(torch.from_numpy(plan.starts[entries] == 0)[:, None], state, 0.0) for state in states]
            for layer in range(layers):
                gated = x + copies[f"a{layer}"] if f"W{layer}" not in copies else x @ copies[f"W{layer}"].T + copies[f"a{layer}"]
                states[layer] = CELLS[cell].step(gated, states[layer], copies[f"U{layer}"], copies[f"b{layer}"])
                x = states[layer][:, :6]
            found.append(x)
            targets.append(songs[plays + 1])
        rows = torch.cat(targets)
        columns = torch.cat([rows, negatives[update]])
        less = 0.7 * torch.cat([torch.log(support[rows]), torch.log(support[negatives[update]] ** 0.5)])
        scores = torch.cat(found) @ copies["output"][columns].T + copies["bias"][columns, 0] - less
        loss = torch.nn.functional.cross_entropy(scores, torch.arange(len(rows)), reduction="sum")
        assert float(total) == pytest.approx(loss.item(), rel=1e-5)
        slopes = dict(zip(copies, torch.autograd.grad(loss / 4, list(copies.values())), strict=True))
        with torch.no_grad():
            for name, weights in copies.items():
                squares[name] += slopes[name] ** 2
                step_size = slopes[name] / torch.sqrt(squares[name] + 1e-6)
                touched = torch.ones(len(weights), dtype=bool)
                if name in net.tables:
                    reached = [columns] if name in ("bias", "output") else []
                    reached += [songs[torch.from_numpy(plan.plays[plan.begin[update * bptt] : plan.begin[(update + 1) * bptt]])]]
                    touched = torch.zeros(len(weights), dtype=bool)
                    touched[torch.cat(reached if name != "bias" and (name == "input" or kind == "constrained") else [columns])] = True
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
    ({}, {"loss_name": "bpr-max", "bpreg": 1.7, "elu": 0.5, "dropout_input": 0.2, "momentum": 0.1}),
    ({}, {"loss_name": "bpr-max", "sample": 0}),
]


@pytest.mark.parametrize(("net", "rules"), COMPILED)
def test_the_compiled_task_does_the_same(net, rules):
    sessions = log()
    one, other = network(**net), network(**net)
    rules = recipe(sessions, **rules)
    assert can_compile(one, rules)
    expected = trained(task(sessions, one, rules), epochs=2)
    assert trained(compiled(sessions, other, rules), epochs=2) == pytest.approx(expected, rel=1e-4)
    for name, array in other.arrays().items():
        np.testing.assert_allclose(array, one.arrays()[name], atol=2e-4, err_msg=name)


def test_lanes_learn_from_every_target_once():
    sessions = log()
    made = compiled(sessions, network(), recipe(sessions), lanes=3)
    events = sum(made.run(block)[1] for block in range(made.begin(0)))
    assert events == sessions.plays - len(sessions)


def test_the_states_along_a_tiny_set_of_sessions():
    """After training without learning, the state of each slot is that of its own session from its own beginning, and of nothing else."""
    sessions = Sessions.from_lists([[7, 3, 3], [5, 1], [2, 8, 4], [6, 9]])
    shape = Shape(len(sessions.catalogue), CELLS["gru"], 6, 1, "constrained", 6)
    for make in (task, compiled):
        net = Network(shape, generator(0, "weights"))
        support = np.bincount(sessions.songs)
        rules = Recipe("cross-entropy", Negatives(support, 0.5, 3, 0), batch_size=2, learning_rate=0.0)
        made = make(sessions, net, rules)
        made.begin(0)
        made.run(0)
        plays = np.array([6, 9 - 1])  # the last inputs: 8 of 2 8 4, and 6 of 6 9
        expected = outputs(net, sessions, plays).numpy()
        np.testing.assert_allclose(made.states[0].numpy()[:2][::-1], expected, atol=1e-6)


def test_a_song_twice_in_a_batch_is_squared_once():
    """Gradients 1 and 2 of one row: the step is rate 3 / sqrt(9), not 1 / sqrt(1) + 2 / sqrt(5)."""
    from song2vec.models.networks.rnn.adagrad import Adagrad

    table = torch.zeros(4, 2)
    made = Adagrad(table, 0.1, 0.0)
    made.step_rows(torch.tensor([2, 0, 2]), torch.tensor([[1.0, 1.0], [0.0, 5.0], [2.0, 2.0]]))
    np.testing.assert_allclose(table.numpy(), [[0, -0.1], [0, 0], [-0.1, -0.1], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(made.squares.numpy(), [[0, 25], [0, 0], [9, 9], [0, 0]])


def test_dropout_is_given_as_the_share_dropped_and_keeps_the_mean():
    sessions = log()
    rules = recipe(sessions, dropout_input=0.2, dropout_hidden=0.75)
    inputs, hidden = rules.masks(network(layers=2), 0, 0, 5_000)
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
    made = task(sessions, net, recipe(sessions, sample=1))
    made.begin(0)
    made._update(0, torch.tensor([3]))
    moved = np.flatnonzero((net.arrays()["output"] != before["output"]).any(axis=1))
    plan = session_parallel(sessions, np.arange(len(sessions)), 4)
    first = plan.plays[: plan.begin[1]]
    assert set(moved) <= {3, *sessions.songs[first].tolist(), *sessions.songs[first + 1].tolist()}
