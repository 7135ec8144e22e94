"""The contract of every next-song model: a model passes by being in ``MODELS``."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import song2vec.models as room
from song2vec.core.config import Choice, IntRange
from song2vec.core.errors import ArgumentError, SavedFolderError, Song2VecError, UnknownSongError
from song2vec.evaluation.space import own_values, with_settings
from song2vec.models import MODELS, make_model
from song2vec.sessions import Sessions
from tests.models.models import CLOSE, NAMES, NEED_PAIRS, fitted, log, make, some_plays
from tests.planted import SONGS, with_string_ids

every_model = pytest.mark.parametrize("name", NAMES)


@every_model
def test_constructor_stores_its_settings_and_nothing_else(name):
    model = make(name)
    assert vars(model).keys() - {"fit_seconds_"} == model.settings.keys()
    json.dumps(model.settings)
    assert make_model(name, model.settings).settings == model.settings
    again = eval(repr(model), {kind.__name__: kind for kind in MODELS.values()})
    assert type(again) is type(model)
    assert again.settings == model.settings
    assert repr(MODELS[name]()) == f"{MODELS[name].__name__}()"


@every_model
def test_is_a_public_name(name):
    assert getattr(room, MODELS[name].__name__) is MODELS[name]
    assert MODELS[name].__name__ in room.__all__


@every_model
def test_fit_returns_the_model_and_leaves_sessions_and_settings_alone(name):
    train, _ = log()
    arrays = {key: getattr(train, key).copy() for key in ("songs", "offsets", "listener", "start")}
    model = make(name)
    before = model.settings
    assert model.fit(train) is model
    assert model.settings == before
    assert model.fit_seconds_ > 0
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(train, key), array)


@every_model
def test_scores_are_finite_float32_one_a_song(name):
    _, test = log()
    scores = fitted(name).score(test, some_plays(test))
    assert scores.shape == (40, SONGS)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert fitted(name).score(test, np.empty(0, np.int64)).shape == (0, SONGS)


@every_model
def test_scores_are_the_same_in_any_block_and_order(name, monkeypatch):
    _, test = log()
    plays = some_plays(test)
    expected = fitted(name).score(test, plays)
    one_by_one = np.concatenate([fitted(name).score(test, plays[i : i + 1]) for i in range(len(plays))])
    np.testing.assert_allclose(one_by_one, expected, **CLOSE)
    monkeypatch.setattr("song2vec.models.base.BLOCK_BYTES", 7 * 4 * SONGS)
    place = {int(play): i for i, play in enumerate(plays)}
    seen = []
    for block, scores in fitted(name).score_blocks(test, plays):
        seen += block.tolist()
        np.testing.assert_allclose(scores, expected[[place[int(play)] for play in block]], **CLOSE)
    assert sorted(seen) == sorted(plays.tolist())


@every_model
def test_ranks_are_those_of_the_scores_as_far_as_asked(name):
    _, test = log()
    plays = np.setdiff1d(np.arange(test.plays), test.offsets[1:] - 1)
    targets = test.songs[plays + 1]
    scores = fitted(name).score(test, plays)
    ahead = (scores >= scores[np.arange(len(plays)), targets][:, None]).sum(1)
    for cut_off in (5, SONGS):
        found = fitted(name).ranks(test, plays, targets, cut_off)
        assert (found >= np.minimum(ahead, cut_off + 1)).all()  # what rounding cannot tell apart counts as ahead
        assert (found == np.minimum(ahead, cut_off + 1)).mean() > 0.98


@every_model
def test_what_comes_later_and_elsewhere_does_not_matter(name):
    _, test = log()
    session = 5
    begin, end = test.offsets[session : session + 2]
    expected = fitted(name).score(test, np.arange(begin, end))
    alone = test.keep(np.array([session]))
    np.testing.assert_allclose(fitted(name).score(alone, np.arange(end - begin)), expected, **CLOSE)
    for length in range(1, end - begin):
        cut = replace(alone, songs=alone.songs[:length], offsets=np.array([0, length]))
        np.testing.assert_allclose(fitted(name).score(cut, np.array([length - 1]))[0], expected[length - 1], **CLOSE)


@every_model
def test_next_gives_exactly_k(name):
    model, (_, test) = fitted(name), log()
    heard = test[3]
    for k in (1, 10, SONGS, 1000):
        table = model.next(heard, k)
        assert len(table) == min(k, SONGS)
        assert table.columns == ["song", "artist", "title", "score"]
        assert (np.diff(table["score"].to_numpy()) <= 0).all()
        assert table["song"].n_unique() == len(table)
    hidden = model.next(heard, 20)["song"].to_list()
    assert set(model.next(heard, 30, exclude=hidden)["song"]).isdisjoint(hidden)
    assert len(model.next(heard, 1000, exclude=[*hidden, "never heard of"])) == SONGS - 20


@every_model
def test_unknown_songs_raise_or_are_skipped(name):
    model = fitted(name)
    with pytest.raises(UnknownSongError, match="999"):
        model.next([3, 999])
    assert model.next([3, 999], 5, unknown="skip").equals(model.next([3], 5))
    for nothing in ([], [999]):
        with pytest.raises(UnknownSongError, match="at least one"):
            model.next(nothing, unknown="skip")


@every_model
def test_unusable_arguments_are_refused_by_name(name):
    model, (train, test) = fitted(name), log()
    other = Sessions.from_lists([[1, 2], [2, 3]])
    refused = (
        *((lambda k=k: model.next([1], k), "^k=") for k in (0, -1, 2.0, "3", None, True)),
        (lambda: model.next(7), "^songs="),
        (lambda: make(name).next([1]), "fit"),
        (lambda: make(name).session(), "fit"),
        (lambda: make(name).save("nowhere"), "fit"),
        (lambda: make(name).score(test, np.array([0])), "fit"),
        (lambda: model.score(other, np.array([0])), "other songs"),
        (lambda: model.score(test, np.array([test.plays])), "^plays"),
        (lambda: model.score(test, np.array([-1])), "^plays"),
        (lambda: make(name).fit([[1, 2]]), "^sessions"),
        (lambda: make(name).fit(train.keep(np.empty(0, np.int64))), "^sessions"),
    )
    for call, message in refused:
        with pytest.raises(ArgumentError, match=message):
            call()


@every_model
def test_settings_outside_their_range_are_refused_by_name(name):
    train = log()[0].keep(np.arange(8))
    wrong = {int: ("x", -1, float("nan"), True), float: ("x", float("nan"), -1.0, True), bool: ("x", 2, None), str: ("x", 3)}
    for setting, value in MODELS[name]().settings.items():
        halves = (1.5,) if isinstance(MODELS[name]().space.get(setting), IntRange) else ()
        for bad in (*wrong.get(type(value), ()), *halves):
            with pytest.raises(ArgumentError, match=setting):
                make(name, **{setting: bad}).fit(train)


@every_model
def test_what_tuning_tries_is_allowed(name):
    train, test = log()[0].keep(np.arange(20)), log()[1]
    for setting, tried in MODELS[name]().space.items():
        for value in tried.values if isinstance(tried, Choice) else (tried.low, tried.high):
            model = with_settings(make(name), {setting: value})
            assert own_values(model)[setting] == value
            if "." not in setting:  # else it is a learner's own, and tested there
                assert np.isfinite(model.fit(train).score(test, np.arange(8))).all()


@every_model
def test_ids_are_whatever_the_log_calls_its_songs(name):
    train, test = (with_string_ids(sessions) for sessions in log())
    model = make(name).fit(train)
    np.testing.assert_allclose(model.score(test, np.arange(20)), fitted(name).score(log()[1], np.arange(20)), **CLOSE)
    assert set(model.next(["song 3"], 60)["song"]) == {f"song {number}" for number in range(SONGS)}
    with pytest.raises(UnknownSongError, match="strings"):
        model.next([3])


@every_model
@pytest.mark.parametrize(("times", "artists"), [*product((True, False), repeat=2)])
def test_logs_with_and_without_times_and_artists(name, times, artists):
    train, test = log()
    catalogue = train.catalogue if artists else Sessions.from_lists([train.catalogue.ids.to_list()]).catalogue
    train, test = (replace(part, catalogue=catalogue, start=part.start if times else None) for part in (train, test))
    scores = make(name).fit(train).score(test, np.arange(20))
    assert np.isfinite(scores).all()


@every_model
def test_songs_never_played_and_sessions_of_one_song(name):
    lists = [[1, 2, 3], [4], [2, 3, 1], [1], [3, 1, 2, 2]]
    everything = Sessions.from_lists([*lists, [9, 1, 9], [8]])
    train, test = everything.keep(np.arange(len(lists))), everything.keep(np.array([5, 6]))
    model = make(name).fit(train)
    assert np.isfinite(model.score(test, np.arange(4))).all()
    assert len(model.next([8, 9], 6)) == 6
    alone = Sessions.from_lists([[1], [2], [1]])
    if name in NEED_PAIRS:
        with pytest.raises(ArgumentError, match="two plays"):
            make(name).fit(alone)
    else:
        assert len(make(name).fit(alone).next([1], 5)) == 2


@every_model
def test_a_session_longer_than_any_in_training(name):
    _, test = log()
    long = replace(test, offsets=np.array([0, test.plays]), listener=test.listener[:1], start=test.start[:1])
    assert np.isfinite(fitted(name).score(long, np.array([test.plays - 1, 0]))).all()


@every_model
def test_a_live_session_answers_as_the_whole_history_does(name):
    model, (_, test) = fitted(name), log()
    session = model.session()
    with pytest.raises(Song2VecError, match="song"):
        session.next()
    for i, song in enumerate(test[0], 1):
        found, expected = session.listen(song).next(5), model.next(test[0][:i], 5)
        np.testing.assert_allclose(found["score"], expected["score"], **CLOSE)
    with pytest.raises(UnknownSongError):
        session.listen(999)
    assert session.songs == test[0]
    assert len(session.next(5, exclude=test[0])) == 5


@every_model
def test_a_live_session_that_was_saved_goes_on(name, tmp_path):
    model, (_, test) = fitted(name), log()
    *heard, last = test[0]
    session = model.session()
    model.load_session(session.save(tmp_path / "new")).listen(last)  # nothing was heard yet
    for song in heard:
        session.listen(song)
    again = model.load_session(session.save(tmp_path / "session"))
    assert again.songs == heard
    np.testing.assert_allclose(again.listen(last).scores(), session.listen(last).scores(), **CLOSE)
    assert session.songs == again.songs == test[0]
    with pytest.raises(SavedFolderError, match="where 'live session' is asked for"):
        model.load_session(model.save(tmp_path / "model"))
