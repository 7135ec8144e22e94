"""The contract of every learner of song vectors: a learner passes by being in ``LEARNERS``."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import song2vec
from song2vec import Engine
from song2vec.core.errors import ArgumentError
from song2vec.testing.battery import run
from song2vec.testing.learners import LEARNER_CHECKS, learner_case
from song2vec.vectors import LEARNERS
from tests.vectors.planted import LEARNING
from tests.vectors.test_word2vec import fingerprint, planted

every_learner = pytest.mark.parametrize("name", LEARNERS)
QUICK = LEARNING | {"size": 8, "epochs": 2}


@cache
def case(name):
    return learner_case(LEARNERS[name](**LEARNING))


@every_learner
@pytest.mark.parametrize("check", LEARNER_CHECKS, ids=lambda check: check.__name__)
def test_keeps_the_contract(name, check):
    run(case(name), [check])


@every_learner
def test_is_a_public_name_and_takes_settings_by_name(name):
    assert LEARNERS[name](**QUICK).settings.items() >= QUICK.items()
    assert getattr(song2vec, LEARNERS[name].__name__) is LEARNERS[name]
    with pytest.raises(TypeError):
        LEARNERS[name](8)


@every_learner
def test_an_engine_takes_a_learner_by_its_name(name, tmp_path):
    common = {"size": 8, "epochs": 2, "workers": 1}
    made = Engine.train(planted(50), vectors=name, index="exact", **common)
    learner = LEARNERS[name](**common).fit(planted(50))
    assert fingerprint(made.vectors) == fingerprint(learner.vectors_)
    assert made.info().learner == {"name": type(learner).__name__, **learner.settings}
    assert Engine.load(made.save(tmp_path / "engine")).info() == made.info()


def test_an_engine_takes_vectors_as_they_are():
    vectors = LEARNERS["word2vec"](**QUICK).fit(planted(50)).vectors_
    made = Engine.train(planted(50), vectors=vectors, index="exact", next_song="nearest")
    assert made.vectors is vectors
    assert made.info().learner == {}
    np.testing.assert_array_equal(made.next_song.unit_, vectors.unit)
    with pytest.raises(ArgumentError, match=r"^size: settings of a learner"):
        Engine.train(planted(50), vectors=vectors, size=8)
