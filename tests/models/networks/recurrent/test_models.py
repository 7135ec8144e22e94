"""The recurrent models as a whole: training that goes on, states in use, what goes into them."""

# ruff: noqa: E402 (without torch the modules cannot be imported)
from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from song2vec.core.errors import ArgumentError, UnknownSongError
from song2vec.models.networks.gru4rec.model import GRU4Rec, sliced_by_dwell
from song2vec.models.networks.playlist_rnn import PlaylistRNN
from song2vec.models.networks.recurrent.live import listen_together
from song2vec.models.rules import MarkovChain
from song2vec.nn import trainer as training
from song2vec.nn.adagrad import Adagrad
from song2vec.sessions import Sessions
from song2vec.testing.planted import SONGS, listen
from song2vec.vectors import SongVectors
from tests.models.networks.planted import whole_and_resumed

SMALL: dict[str, Any] = {"hidden": 12, "batch_size": 8, "learning_rate": 0.1, "workers": 1, "progress": False}


@pytest.fixture(scope="module")
def log() -> tuple[Sessions, Sessions]:
    return listen("follows", 0.8, sessions=160)


def gru(**settings: Any) -> GRU4Rec:
    return GRU4Rec(**{**SMALL, "n_negatives": 16, "epochs": 3, **settings})


@pytest.fixture(scope="module")
def plain(log) -> GRU4Rec:
    """Not to be changed."""
    return gru().fit(log[0])


def weights(model: Any) -> dict[str, np.ndarray]:
    return model.network_.arrays()


def same(one: Any, other: Any) -> bool:
    return all((array == weights(other)[name]).all() for name, array in weights(one).items())


MODELS = [
    lambda: gru(dropout_hidden=0.2, momentum=0.1),
    lambda: gru(cell="lstm", bptt=4, dropout_input=0.3),
    lambda: PlaylistRNN(**SMALL, epochs=3),
]


@pytest.mark.parametrize("make", MODELS)
def test_training_goes_on_where_it_was_cut_short(make, log, tmp_path, monkeypatch):
    """Killed in the middle of the second epoch: the weights and the losses come out the same to the last bit."""
    monkeypatch.setattr("song2vec.nn.training.BLOCK", 4)
    monkeypatch.setattr("song2vec.models.networks.recurrent.trainee.BLOCK", 4)
    monkeypatch.setattr("song2vec.models.networks.gru4rec.compiled.BLOCK", 4)
    train, validation = log
    whole, resumed = whole_and_resumed(make, log, tmp_path / "here", monkeypatch, saves=8)
    assert same(resumed, whole)
    assert [epoch.loss for epoch in resumed.history_] == [epoch.loss for epoch in whole.history_]
    assert [epoch.scores["mrr@20"] for epoch in resumed.history_] == [epoch.scores["mrr@20"] for epoch in whole.history_]
    assert not [file for file in (tmp_path / "here").iterdir() if file.suffix not in (".json", ".safetensors")]
    model = make()
    model.learning_rate = 0.01
    with pytest.raises(ArgumentError, match="learning_rate"):
        model.fit(train, validation=validation, checkpoint=tmp_path / "here")


def test_a_finished_training_goes_on_when_there_are_more_epochs(log, tmp_path):
    gru(epochs=2).fit(log[0], checkpoint=tmp_path / "here")
    assert same(gru(epochs=3).fit(log[0], checkpoint=tmp_path / "here"), gru(epochs=3).fit(log[0]))


def test_the_same_seed_gives_the_same_bytes_and_leaves_global_chance_alone(log):
    torch.manual_seed(0)
    before, threads = torch.rand(1), torch.get_num_threads()
    one = gru(dropout_hidden=0.2).fit(log[0])
    torch.manual_seed(0)
    assert torch.rand(1) == before
    assert torch.get_num_threads() == threads
    assert same(gru(dropout_hidden=0.2).fit(log[0]), one)
    assert not same(gru(dropout_hidden=0.2, seed=1).fit(log[0]), one)


def test_training_stops_when_nothing_more_is_found_and_keeps_the_best(log, monkeypatch):
    found = iter([0.1, 0.3, 0.2, 0.25, 0.9])
    kept = []

    def validate(self: Any, network: Any, sessions: Any, queries: Any) -> training.Scores:
        kept.append(network.arrays())
        return {"recall@20": next(found), "mrr@20": 0.1}

    monkeypatch.setattr(GRU4Rec, "_validate", validate)
    model = gru(epochs=9, patience=2).fit(log[0], validation=log[1])
    assert [epoch.scores["recall@20"] for epoch in model.history_] == [0.1, 0.3, 0.2, 0.25]
    assert all((array == kept[1][name]).all() for name, array in weights(model).items())
    with pytest.raises(ArgumentError, match="patience"):
        gru(patience=2).fit(log[0])


def test_validation_counts_songs_of_equal_score_as_ahead(log):
    model = gru(epochs=1).fit(log[0])
    model.network_.load({name: 0 * array for name, array in weights(model).items()})
    plays = np.setdiff1d(np.arange(log[1].plays), log[1].offsets[1:] - 1)
    found = model._validate(model.network_, log[0], (log[1], plays))
    assert found == {"recall@20": 0, "mrr@20": 0}


def test_the_loss_is_the_mean_over_all_targets(log):
    """With zero weights and no learning every column is as likely as every other."""
    model = gru(epochs=1, learning_rate=1e-30, n_negatives=16, logq=0.0).fit(log[0])
    assert model.history_[0].loss == pytest.approx(np.log(8 + 16), abs=0.05)


def test_states_start_anew_in_each_session(plain, log):
    """A session is scored the same alone as after others: the state is neither carried over nor reset within."""
    model, test = plain, log[1]
    plays = np.arange(test.offsets[5], test.offsets[6])
    alone = model.score(test.keep(np.array([5])), np.arange(len(plays)))
    np.testing.assert_allclose(model.score(test, plays), alone, atol=1e-5)
    early = test.songs.copy()
    early[plays[0]] = (early[plays[0]] + 7) % SONGS
    changed = model.score(replace(test, songs=early), plays)
    assert (np.abs(changed - alone).max(axis=1) > 1e-5).all()  # also at the end: no state was lost on the way


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_a_live_session_is_the_session(cell, log, tmp_path):
    model, test = gru(cell=cell, layers=2).fit(log[0]), log[1]
    lists = [test[i] for i in range(3)]
    sessions = [model.session() for _ in lists]
    for step in range(8):
        listen_together(sessions, [played[step] for played in lists])
        if step == 4:
            sessions[1].save(tmp_path / "session")
            sessions[1] = model.load_session(tmp_path / "session")
    for session, played in zip(sessions, lists, strict=True):
        expected = model.next(played, 10)
        assert session.songs == played
        np.testing.assert_allclose(session.next(10)["score"], expected["score"], atol=1e-5)
    with pytest.raises(ArgumentError, match="different"):
        listen_together([sessions[0], sessions[0]], [lists[0][0]] * 2)
    with pytest.raises(UnknownSongError):
        listen_together(sessions, [lists[0][0], "nowhere", lists[0][1]])
    assert [len(session.songs) for session in sessions] == [8, 8, 8]


def test_a_session_goes_on_with_another_model_as_if_it_had_played_it_all(plain, log, tmp_path):
    train, played = log[0], log[1][0][:5]
    session, other = plain.session(), gru(seed=1).fit(train)
    for song in played:
        session.listen(song)
    session.save(tmp_path / "session")
    for model in (other, gru(cell="lstm", hidden=7, layers=2).fit(train), MarkovChain().fit(train)):
        resumed = model.load_session(tmp_path / "session")
        assert resumed.songs == played
        np.testing.assert_allclose(resumed.next(10)["score"], model.next(played, 10)["score"], atol=1e-5)
        resumed.save(tmp_path / "again")
        assert other.load_session(tmp_path / "again").songs == played
    with pytest.raises(UnknownSongError, match=f"unknown song {played[0]!r}"):
        gru().fit(Sessions.from_lists([["a", "b", "a"]])).load_session(tmp_path / "session")


@pytest.mark.parametrize("make", [gru, lambda **given: PlaylistRNN(**SMALL, epochs=3, **given)])
def test_song_vectors_as_input(make, log, tmp_path):
    train, test = log
    random = np.random.default_rng(0)
    known = np.arange(SONGS - 5)
    vectors = SongVectors(random.normal(0, 1, (len(known), 7)), train.catalogue.subset(known[::-1]))
    frozen = make(input="vectors", frozen=True).fit(train, vectors=vectors)
    np.testing.assert_array_equal(weights(frozen)["input.weight"][known[::-1]], vectors.matrix)
    tuned = make(input="vectors").fit(train, vectors=vectors)
    assert (weights(tuned)["input.weight"][known[::-1]] != vectors.matrix).any(axis=1).all()
    from song2vec.models import NextSongModel

    again = NextSongModel.load(tuned.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.score(test, np.arange(20)), tuned.score(test, np.arange(20)))
    with pytest.raises(ArgumentError, match="vectors"):
        make(input="vectors").fit(train)
    with pytest.raises(ArgumentError, match="vectors"):
        make().fit(train, vectors=vectors)


def test_rows_move_the_same_on_any_device():
    """What a GPU does, done by the processor."""
    random = np.random.default_rng(0)
    one, other = (Adagrad(torch.ones(20, 3), 0.1, 0.4) for _ in range(2))
    for _ in range(4):
        rows, slopes = torch.from_numpy(random.integers(0, 20, 30)), torch.from_numpy(random.normal(0, 1, (30, 3)).astype(np.float32))
        one.step_rows(rows, slopes.clone())
        other._step_rows_anywhere(rows, slopes.clone())
    for name in ("parameters", "squares", "velocity"):
        np.testing.assert_allclose(getattr(one, name).numpy(), getattr(other, name).numpy(), atol=1e-5)


def test_products_in_half_precision_learn_too(log):
    whole, half = gru(batch_size=16).fit(log[0]), gru(batch_size=16, precision="bfloat16").fit(log[0])
    assert half.history_[-1].loss == pytest.approx(whole.history_[-1].loss, rel=0.05)


def test_several_lanes_learn_as_well_as_one(log):
    train = log[0].keep(np.tile(np.arange(len(log[0])), 4))
    one, two = gru(batch_size=4).fit(train), gru(batch_size=4, workers=2).fit(train)
    assert two.history_[-1].loss == pytest.approx(one.history_[-1].loss, rel=0.1)


def test_dwell_slices():
    sessions = Sessions.from_lists([[7, 3, 5], [7, 7]])
    assert sliced_by_dwell(replace(sessions, dwell=np.float32([65, 130, 400, np.nan, 3])), 60).songs.tolist() == [
        *[sessions.songs[0]] * 2,
        *[sessions.songs[1]] * 3,
        sessions.songs[2],
        *sessions.songs[3:],
    ]
    by_ratio = sliced_by_dwell(replace(sessions, dwell=np.float32([100, 130, 400, 300, np.nan])), 0.5, "ratio")
    assert by_ratio.offsets.tolist() == [0, 2 + 3 + 1, 2 + 3 + 1 + 4 + 1]  # the song of 100 and 300 seconds usually lasts 200
    with pytest.raises(ArgumentError, match="dwell"):
        sliced_by_dwell(sessions, 60)


def test_dwell_slices_change_training_only(log):
    train, test = (replace(part, dwell=np.full(part.plays, 100, np.float32)) for part in log)
    sliced = gru(dwell_slice=60.0, epochs=1, learning_rate=1e-30).fit(train)
    assert sliced.score(test, np.arange(5)).shape == (5, SONGS)
    np.testing.assert_array_equal(
        sliced.score(test, np.arange(20)), gru(epochs=1, learning_rate=1e-30).fit(train).score(test, np.arange(20))
    )


def test_without_torch_the_names_are_there_and_say_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from song2vec.models import MODELS, make_model\n"
        "from song2vec.core.errors import MissingExtraError\n"
        "try:\n    make_model('gru4rec')\nexcept MissingExtraError as error:\n    print('gru4rec' in MODELS, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)
    assert done.stdout == "True the model 'gru4rec' needs torch: pip install 'song2vec[rnn]'\n", done.stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"device": "toaster"}, "^device="),
        ({"size": 5}, "^size="),
        ({"frozen": True}, "^frozen="),
        ({"dwell_slice": 0}, "^dwell_slice="),
        ({"dwell_slice": 60.0}, "dwell"),
        ({"learning_rate": 1e38}, "learning_rate"),
    ],
)
def test_bad_settings_are_refused(settings, message, log):
    with pytest.raises(ArgumentError, match=message):
        gru(**settings).fit(replace(log[0], dwell=None))


def test_hidden_and_batch_size_are_free(log):
    for hidden, batch_size in ((1, 1), (7, 3), (33, 500)):
        model = gru(hidden=hidden, batch_size=batch_size, epochs=1).fit(log[0])
        assert np.isfinite(model.score(log[1], np.arange(10))).all()


def test_what_is_given_to_fit_beside_sessions_is_refused_by_name(log):
    for given, message in (
        ({"vectors": "word2vec"}, "vectors is a str; SongVectors or None"),
        ({"validation": 0.1}, "validation is a float"),
    ):
        with pytest.raises(ArgumentError, match=message):
            gru().fit(log[0], **given)
