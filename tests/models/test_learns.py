"""Every registered next-song model learns the structure that it can learn, and finds none where there is none."""

from __future__ import annotations

import pytest

from song2vec.models import Popularity
from tests.models.models import NAMES, learns, make
from tests.planted import SONGS, STRUCTURES, K, hit_rate, listen

every_model = pytest.mark.parametrize("name", NAMES)
CHANCE = K / SONGS
MARGIN = 0.04  # four standard deviations at 700 queries


@every_model
def test_learns_planted_structure(name):
    train, test = listen(learns(name), 0.8)
    found = hit_rate(make(name).fit(train), test)
    floor = 0.6 if learns(name) == "popular" else hit_rate(Popularity().fit(train), test) + 0.25
    assert found >= floor


@every_model
def test_finds_nothing_in_noise(name):
    train, test = listen("follows", 0.0)
    assert hit_rate(make(name).fit(train), test) <= CHANCE + MARGIN


@every_model
def test_finds_more_where_there_is_more(name):
    rates = []
    for predictability in (0.2, 0.5, 0.9):
        train, test = listen(learns(name), predictability)
        rates.append(hit_rate(make(name).fit(train), test))
    assert rates == sorted(rates)
    assert rates[-1] > rates[0] + 0.2


@pytest.mark.parametrize("structure", [structure for structure in STRUCTURES if structure != "popular"])
def test_popularity_learns_popularity_only(structure):
    train, test = listen(structure, 0.8)
    assert hit_rate(Popularity().fit(train), test) <= CHANCE + MARGIN
