"""Tuning: it finds what was planted, tries the same again from the same seed, goes on where it was stopped, and says what failed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.core.arrays import Array
from song2vec.core.config import Choice, FloatRange, IntRange, Text, learned, setting
from song2vec.core.errors import ArgumentError, FormatError, MissingExtraError, NothingLeftError, SavedFolderError
from song2vec.core.storage import Part, save_folder
from song2vec.evaluation.protocol import evaluate
from song2vec.evaluation.search import distributions, from_params, space_around, to_params
from song2vec.evaluation.study import Study, Tuned, read_settings
from song2vec.evaluation.tuning import SHARES, tune
from song2vec.models import MODELS, MarkovChain, Nearest, NextSongModel
from song2vec.sessions import Sessions
from song2vec.sessions.splits import split_at_random, split_predefined
from song2vec.testing.battery import contents
from song2vec.vectors import LEARNERS

FORBIDDEN = 5


class Counting(NextSongModel):
    """Predicts the song whose number is ``shift`` higher; sessions count up, so 1 is right, and nearer is better."""

    name = "counting"
    shift: int | None = setting(IntRange(-9, 9), default=-4, tune=IntRange(-6, 6), help="how much higher")
    share: float = setting(FloatRange(0), default=1.0, tune=FloatRange(0.1, 10, log=True), help="of nothing")
    shape: object = setting(Choice(("a", None, True, 1, "more")), default=None, tune=Choice(("a", None, True, 1)), help="of nothing")
    other: str = setting(Text(), default="kept", help="not tuned")
    ids_: Array = learned()

    def _fit(self, sessions):
        if self.shift == FORBIDDEN:
            raise ArgumentError("shift=5: is not allowed")
        self.ids_ = sessions.catalogue.ids.to_numpy()

    def _scores(self, sessions, plays):
        LOG.append(plays.tolist())
        guess = self.ids_[sessions.songs[plays]] + self.shift
        return -np.abs(guess[:, None] - self.ids_).astype(np.float32)


LOG: list[list[int]] = []  # the plays that models were asked for, a block a list


def counting_up(count, seed=0):
    random = np.random.default_rng(seed)
    return Sessions.from_lists([list(range(begin, begin + random.integers(2, 9))) for begin in random.integers(0, 30, count)])


@pytest.fixture(scope="module")
def train():
    return counting_up(400)


def search(train, model=None, **options):
    return tune(model or Counting(), train, **{"trials": 12, "metric": "mrr", "progress": False, **options})


def without_seconds(tuned):
    return tuned.table.drop("seconds").rows()


def test_finds_what_is_right(train):
    tuned = search(train, trials=30)
    assert tuned.model.shift == 1
    assert tuned.score == 1
    assert tuned.settings["other"] == "kept"
    assert repr(tuned) == f"Tuned({tuned.model!r}, mrr@20 1.0000, 30 trials)"
    assert tuned.table["score"].max() == 1


def test_the_first_trial_has_the_settings_of_the_model(train):
    rows = search(train, Counting(shift=3, share=0.7, shape="a"), trials=3).table.rows(named=True)
    assert (rows[0]["trial"], rows[0]["shift"], rows[0]["share"], rows[0]["shape"]) == (0, 3, 0.7, "a")
    outside = search(train, Counting(shift=9, share=40.0, shape="more"), trials=3).table.rows(named=True)[0]
    assert (outside["shift"], outside["share"], outside["shape"]) == (9, 40.0, "more")


@pytest.mark.parametrize("metric", ["recall", "mrr", "ndcg"])
def test_the_score_is_that_of_evaluation(train, metric):
    part, validation = split_at_random(train, 0.1, seed=4)
    tuned = search(train, metric=metric, k=3, seed=4, trials=4, max_queries=100)
    answers = evaluate(tuned.model.fit(part), validation, k=3, max_queries=100, seed=4, timed=0)
    assert tuned.score == pytest.approx(answers.metrics()[metric])
    assert tuned.queries == len(answers)


def test_validation_sessions_may_be_given(train):
    other = counting_up(50, seed=9)
    tuned = search(train, validation=other, trials=3)
    part, validation = split_predefined(train, other)
    assert tuned.score == pytest.approx(evaluate(tuned.model.fit(part), validation, timed=0).metrics()["mrr"])
    assert search(part, validation=validation, trials=3).score == tuned.score


def test_the_same_seed_tries_the_same_and_another_something_else(train):
    first, again, other = (search(train, seed=seed) for seed in (1, 1, 2))
    assert without_seconds(first) == without_seconds(again)
    assert without_seconds(first) != without_seconds(other)


def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(train, tmp_path, monkeypatch):
    whole = search(train, Counting(), study=tmp_path / "whole", trials=20)
    real, fits = Counting._fit, []

    def killed(self, sessions):
        fits.append(self)
        if len(fits) in (4, 13):
            raise KeyboardInterrupt
        real(self, sessions)

    monkeypatch.setattr(Counting, "_fit", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            search(train, study=tmp_path / "study", trials=20)
    tuned = search(train, study=tmp_path / "study", trials=20)
    assert without_seconds(tuned) == without_seconds(whole)
    assert len(fits) == 22
    again = search(train, study=tmp_path / "study", trials=20)
    assert len(fits) == 22
    assert again.settings == tuned.settings == whole.settings
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["study", "whole"]


def test_values_come_back_from_a_study_as_they_were(train, tmp_path):
    study = tmp_path / "study"
    for _ in range(2):
        assert search(train, Counting(shift=1, shape="a"), study=study, trials=1).model.shape == "a"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"metric": "ndcg"}, "metric"),
        ({"k": 3}, "k"),
        ({"seed": 3}, "seed"),
        ({"validation": 0.3}, "sessions"),
        ({"max_queries": 9}, "max_queries"),
        ({"model": Counting(share=2)}, "settings"),
    ],
)
def test_the_study_of_another_search_is_refused(train, tmp_path, change, what):
    search(train, study=tmp_path / "study", trials=1)
    before = contents(tmp_path / "study")
    with pytest.raises(ArgumentError, match=f"study=.*study': was begun with {what}=.*, now it is "):
        search(train, study=tmp_path / "study", trials=1, **change)
    assert contents(tmp_path / "study") == before


def test_a_study_over_other_sessions_is_refused(train, tmp_path):
    search(train, study=tmp_path / "study", trials=1, max_queries=5)
    with pytest.raises(ArgumentError, match="was begun with sessions="):
        search(counting_up(300), study=tmp_path / "study", trials=1, max_queries=5)


def test_what_is_no_study_is_refused_and_left_alone(train, tmp_path):
    path = tmp_path / "study"
    search(train, study=path, trials=2)
    good = Study.load(path).to_parts()["study"].meta
    bad = [{"trial": []}, {**good, "trials": [{}]}, {**good, "trials": 5}, {**good, "about": 5}, {"trials": good["trials"]}]
    bad += [{**good, "trials": [{**good["trials"][0], **change}]} for change in ({"state": "x"}, {"scores": []})]
    for meta in bad:
        save_folder(path, "study", {"study": Part(meta)})
        before = contents(path)
        with pytest.raises(SavedFolderError, match="study"):
            search(train, study=path, trials=2)
        assert contents(path) == before
    for other in (train.save(tmp_path / "sessions"), Path(__file__)):
        with pytest.raises(SavedFolderError, match=str(other)):
            search(train, study=other, trials=2)


def test_a_trial_that_fails_is_told_and_the_search_goes_on(train, caplog):
    tuned = search(train, Counting(shift=FORBIDDEN), trials=8)
    failed = tuned.table.filter(pl.col("state") == "failed")
    assert failed["message"].unique().to_list() == ["shift=5: is not allowed"]
    assert failed["score"].null_count() == failed.height
    assert set(failed["shift"]) == {FORBIDDEN}
    assert tuned.table.height == 8
    assert "shift=5: is not allowed" in caplog.text


def test_when_all_trials_fail_the_last_message_is_told(train, monkeypatch):
    def fails(self, sessions):
        raise ArgumentError("nothing works")

    monkeypatch.setattr(Counting, "_fit", fails)
    with pytest.raises(NothingLeftError, match="tune: all 3 trials failed, the last so: nothing works"):
        search(train, trials=3)


def test_other_errors_are_not_hidden(train, monkeypatch):
    monkeypatch.setattr(Counting, "_scores", lambda self, sessions, plays: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        search(train)


def test_all_trials_answer_the_same_queries_in_the_same_order_and_those_behind_are_given_up(train, monkeypatch):
    seen: list[list[list[int]]] = []
    real = Counting._fit

    def begins(self, sessions):
        LOG.clear()
        seen.append([])
        real(self, sessions)

    def scored(self, sessions, plays):
        seen[-1].append(plays.tolist())
        return scores(self, sessions, plays)

    scores = Counting._scores
    monkeypatch.setattr(Counting, "_fit", begins)
    monkeypatch.setattr(Counting, "_scores", scored)
    tuned = search(train, trials=25)
    blocks = [blocks for blocks, state in zip(seen, tuned.table["state"], strict=True) if state == "complete"]
    assert all(each == blocks[0] for each in blocks)
    assert len(blocks[0]) == len(SHARES)
    assert sum(map(len, blocks[0])) == len({play for block in blocks[0] for play in block}) == tuned.queries
    done = np.cumsum([len(block) for block in blocks[0]]) / tuned.queries
    assert (done <= SHARES).all()
    assert (done > np.array(SHARES) - 0.1).all()
    given_up = [blocks for blocks, state in zip(seen, tuned.table["state"], strict=True) if state == "pruned"]
    assert given_up
    assert all(1 <= len(each) < len(SHARES) and each == blocks[0][: len(each)] for each in given_up)
    assert tuned.table.filter(pl.col("state") == "pruned")["score"].null_count() == len(given_up)
    assert tuned.score == tuned.table["score"].max()


def test_no_further_trial_begins_after_the_timeout(train):
    assert search(train, timeout=1e-9).table.height == 1


@pytest.mark.parametrize("learner", ["word2vec", "word2vec-ensemble"])
def test_vectors_are_tuned_inside_a_model(train, learner):
    class Small(Nearest):
        @property
        def space(self):
            return {"decay": FloatRange(0, 1), "learner.window": IntRange(1, 4), "learner.size": IntRange(2, 4)}

    quick = {"size": 4, "epochs": 1, "workers": 1, "progress": False}
    tuned = tune(Small(learner={"name": learner, "settings": quick}), train, trials=3, progress=False)
    rows = tuned.table.rows(named=True)
    assert (rows[0]["decay"], rows[0]["learner.window"], rows[0]["learner.size"]) == (
        0.5,
        LEARNERS[learner]().window,
        4,
    )
    assert {row["state"] for row in rows} == {"complete"}
    best, found = max(rows, key=lambda row: row["score"]), tuned.model.learner
    assert found["name"] == learner
    assert {**quick, "window": best["learner.window"], "size": best["learner.size"]}.items() <= found["settings"].items()
    own = {f"learner.{name}": dimension for name, dimension in LEARNERS[learner]().space.items()}
    assert Nearest(learner=learner).space.items() >= own.items()


def test_the_best_settings_are_saved_and_read_again(train, tmp_path):
    tuned = tune("recent-popularity", train, trials=3, progress=False)
    path = tuned.save(tmp_path / "best.json")
    content = json.loads(path.read_text())
    assert content["song2vec"] == "settings"
    assert (content["model"], content["settings"]) == ("recent-popularity", tuned.settings)
    assert (content["metric"], content["k"], content["score"], content["trials"]) == ("recall", 20, tuned.score, 3)
    again = read_settings(path)
    assert repr(again) == repr(tuned.model)
    assert not hasattr(again, "catalogue_")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", FormatError, "best.json: is no JSON"),
        ("[1]", FormatError, "is no file of song2vec settings"),
        ('{"song2vec": "study", "version": 1}', FormatError, "is no file of song2vec settings"),
        ('{"song2vec": "settings", "version": 7}', FormatError, "settings of version 7; this song2vec reads version 1"),
        ('{"song2vec": "settings", "version": 1}', FormatError, 'holds no "model" with its "settings"'),
        ('{"song2vec": "settings", "version": 1, "model": "sr", "setings": {}}', FormatError, "holds 'setings'; .* mean 'settings'"),
        ('{"song2vec": "settings", "version": 1, "model": "markov", "settings": 5}', FormatError, "holds no"),
        ('{"song2vec": "settings", "version": 1, "model": "polka"}', ArgumentError, "model='polka': 'popularity', "),
        ('{"song2vec": "settings", "version": 1, "model": "markov", "settings": {"x": 5}}', ArgumentError, "x: not a setting of markov"),
    ],
)
def test_settings_that_are_none_are_refused(tmp_path, content, error, message):
    (tmp_path / "best.json").write_text(content)
    with pytest.raises(error, match=message):
        read_settings(tmp_path / "best.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "polka"}, "model='polka'"),
        ({"model": Counting}, "model=<class .*: a next-song model such as"),
        ({"model": MarkovChain()}, r"model=MarkovChain\(\): has no setting to tune"),
        ({"metric": "hits"}, "metric='hits': 'recall', 'mrr', 'ndcg' are allowed"),
        ({"trials": 0}, "trials=0: a whole number from 1"),
        ({"k": 0}, "k=0: a whole number from 1"),
        ({"max_queries": 0}, "max_queries=0: a whole number from 1"),
        ({"validation": 1.5}, "test=1.5: a number above 0 to 1"),
        ({"seed": -1}, "seed=-1"),
        ({"timeout": 0}, "timeout=0: None, or seconds above 0"),
    ],
)
def test_bad_arguments_are_refused(train, options, message):
    with pytest.raises(ArgumentError, match=message):
        search(train, **options)


def test_without_optuna_the_extra_is_named(train, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"tune needs optuna: pip install 'song2vec\[tune\]'"):
        search(train)


def test_optuna_is_quiet_and_as_loud_as_before_afterwards(train, capfd):
    import optuna

    before = optuna.logging.get_verbosity()
    search(train, trials=3)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


# Spaces

DIMENSIONS = st.one_of(
    st.builds(lambda low, more: IntRange(low, low + more), st.integers(-9, 9), st.integers(0, 9)),
    st.builds(lambda low, more: FloatRange(low, low + more, log=True), st.floats(1e-6, 1), st.floats(0, 9)),
    st.builds(lambda values: Choice(tuple(values)), st.lists(st.sampled_from([None, True, 1, 1.5, "a"]), min_size=1, unique_by=repr)),
)


@settings(max_examples=200, deadline=None)
@given(space=st.dictionaries(st.sampled_from("abcd"), DIMENSIONS, min_size=1), data=st.data())
def test_values_go_to_optuna_and_back(space, data):
    values = {
        name: data.draw(
            st.sampled_from(each.values)
            if isinstance(each, Choice)
            else st.integers(each.low, each.high)
            if isinstance(each, IntRange)
            else st.floats(each.low, each.high)
        )
        for name, each in space.items()
    }
    params = to_params(space, values)
    made = distributions(space)
    assert all(made[name]._contains(made[name].to_internal_repr(value)) for name, value in params.items())
    assert repr(from_params(space, params)) == repr({name: values[name] for name in space})


def test_a_setting_that_is_off_is_left_out_of_the_first_try():
    class MayBeOff(Counting):
        shift: int | None = setting(IntRange(-9, 9), default=None, tune=IntRange(-6, 6), help="how much higher")

    model = MayBeOff()
    assert space_around(model)["shift"] == IntRange(-6, 6)
    assert "shift" not in to_params(space_around(model), {"shift": None})


@pytest.mark.parametrize("name", MODELS)
def test_every_model_declares_a_space_that_holds_its_defaults(name):
    try:
        model = MODELS[name]()
    except MissingExtraError as missing:
        pytest.skip(str(missing))
    space = space_around(model)
    assert space.keys() == to_params(space, {name: model.value(name) for name in space}).keys()
    assert space == model.space
    for end in ("low", "high"):
        values = {name: each.values[0] if isinstance(each, Choice) else getattr(each, end) for name, each in space.items()}
        assert isinstance(model.replaced(values), MODELS[name])


def test_what_was_found_can_be_told_without_a_search():
    assert repr(Tuned(MarkovChain(), 0.5, "mrr", 10, 7, pl.DataFrame({"trial": [0]}))) == "Tuned(MarkovChain(), mrr@10 0.5000, 1 trials)"
