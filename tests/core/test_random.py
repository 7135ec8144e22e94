"""One seed in, every generator out."""

from __future__ import annotations

import numpy as np
import pytest

from song2vec.core.checks import MAX_SEED, check_seed
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator


@pytest.mark.parametrize("seed", [0, 1, MAX_SEED, np.int64(7), np.uint8(3)])
def test_a_seed_comes_back_as_a_plain_integer(seed):
    assert check_seed(seed) == seed
    assert type(check_seed(seed)) is int


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1, 1.0, "1", None, True, np.float64(2)])
def test_what_is_no_seed_is_refused_by_name(seed):
    for use in (check_seed, lambda seed: generator(seed, "test")):
        with pytest.raises(ArgumentError) as raised:
            use(seed)
        assert str(raised.value) == f"seed={seed!r}: a whole number from 0 to {MAX_SEED} is allowed"


def test_the_same_seed_and_purpose_give_the_same_numbers():
    assert generator(3, "split").random(5).tolist() == generator(np.int32(3), "split").random(5).tolist()


def test_another_seed_or_purpose_gives_unrelated_numbers():
    streams = [generator(seed, purpose).random(2000) for seed, purpose in ((0, "a"), (1, "a"), (0, "b"), (1, "b"), (97, ""), (0, "ab"))]
    correlations = np.corrcoef(streams)
    assert np.abs(correlations - np.eye(len(streams))).max() < 0.1


def test_global_generators_stay_untouched():
    before = np.random.get_state()[1].tolist()
    generator(0, "test").random(10)
    assert np.random.get_state()[1].tolist() == before
