"""Ids to codes, against a Python dict."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.sessions import numbering
from song2vec.sessions.numbering import encode

INT64 = st.integers(-(2**63), 2**63 - 1)


def check(ids):
    code_of = {}
    expected = [code_of.setdefault(value, len(code_of)) for value in ids]
    codes = encode(pl.Series(ids))
    assert codes.codes.tolist() == expected
    assert codes.codes.dtype == np.int32
    assert codes.values.to_list() == list(code_of)
    first = {}
    for row, value in enumerate(ids):
        first.setdefault(value, row)
    assert codes.first.tolist() == list(first.values())
    assert len(codes) == len(code_of)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), min_size=1)
    | st.lists(st.integers(-3, 20), min_size=1)
    | st.lists(INT64, min_size=1)
    | st.lists(st.sampled_from([-(2**63), 2**63 - 1, 0, -1, 2**20, 2**40, 2**44, 2**60]), min_size=1)
)
def test_codes_are_numbered_by_first_appearance(ids):
    check(ids)


@pytest.mark.parametrize("kind", ["dense", "wide", "upper bits only", "negative", "strings"])
def test_more_ids_than_the_first_table_holds(kind):
    random = np.random.default_rng(0)
    numbers = random.permutation(np.repeat(np.arange(150_000), 2))
    if kind == "wide":
        numbers = random.integers(-(2**63), 2**63 - 1, 150_000)[numbers]
    elif kind == "upper bits only":
        numbers = numbers << 40
    elif kind == "negative":
        numbers = -numbers * 1_000_003 - 5
    check([f"song {number}" for number in numbers] if kind == "strings" else numbers.tolist())


def test_dense_and_hashed_codes_agree():
    values = np.random.default_rng(0).integers(0, 50_000, 200_000)
    dense, hashed = np.empty((2, len(values)), np.int32)
    firsts = numbering._renumber(values, 0, 50_000, dense), numbering._hash(values, hashed)
    np.testing.assert_array_equal(dense, hashed)
    np.testing.assert_array_equal(*firsts)


def test_dense_ids_far_from_zero_are_encoded():
    check([2**63 - 1, 2**63 - 2, 2**63 - 1])
    check([-(2**63), -(2**63) + 2])
