"""The weight of a blend: the best of those tried, as evaluation itself would find, from one pass over the models."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec import Blend, evaluate, tune_weight
from song2vec.core.errors import ArgumentError
from song2vec.evaluation.study import read_settings
from song2vec.models import MarkovChain
from tests.models.test_blend import TWO, two_habits


@pytest.fixture(scope="module")
def parts():
    return two_habits()


@pytest.mark.parametrize("metric", ["recall", "mrr", "ndcg"])
def test_each_score_is_what_evaluation_finds_at_that_weight(parts, metric):
    train, test = parts
    blend = Blend(models=TWO).fit(train)
    tuned = tune_weight(blend, test, metric=metric, k=3, steps=4, max_queries=200)
    assert tuned.table["weight"].to_list() == [0, 0.25, 0.5, 0.75, 1]
    for weight, score in tuned.table.select("weight", "score").rows():
        found = evaluate(blend.weighted(weight), test, k=3, max_queries=200, timed=0)
        assert score == pytest.approx(found.metrics()[metric], abs=1e-9)
    assert tuned.score == tuned.table["score"].max()
    assert tuned.queries == len(found)


def test_two_habits_need_both_models(parts):
    train, test = parts
    assert 0 < tune_weight(Blend(models=TWO).fit(train), test, k=3).model.weight < 1


def test_what_was_found_is_kept(parts, tmp_path):
    train, test = parts
    tuned = tune_weight(Blend(models=TWO).fit(train), test, steps=3)
    again = read_settings(tuned.save(tmp_path / "best.json"))
    assert again.settings == tuned.settings
    assert np.isfinite(again.fit(train).score(test, np.arange(5))).all()


def test_unusable_arguments_are_refused(parts):
    train, test = parts
    blend = Blend(models=TWO)
    refused = (
        (lambda: tune_weight(MarkovChain().fit(train), test), "^blend="),  # type: ignore[arg-type]
        (lambda: tune_weight(blend, test), "fitted"),
        (lambda: tune_weight(Blend(models=TWO).fit(train), test, metric="luck"), "^metric="),
        (lambda: tune_weight(Blend(models=TWO).fit(train), test, k=0), "^k="),
        (lambda: tune_weight(Blend(models=TWO).fit(train), test, steps=0), "^steps="),
    )
    for call, message in refused:
        with pytest.raises(ArgumentError, match=message):
            call()
