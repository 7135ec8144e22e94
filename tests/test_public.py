"""What ``import song2vec`` offers: names that completion finds, and functions that refuse a wrong name of an option."""

from __future__ import annotations

import inspect

import pytest

import song2vec
from song2vec import Engine
from song2vec.core.errors import ArgumentError

FUNCTIONS = [getattr(song2vec, name) for name in song2vec.__all__ if inspect.isfunction(getattr(song2vec, name))]
METHODS = [
    getattr(Engine, name) for name in ("similar", "similar_batch", "recommend", "next", "listener", "playlist", "radio", "bridge", "map")
]


def test_every_public_name_is_there_for_completion():
    assert set(song2vec.__all__) <= set(dir(song2vec))
    for name in song2vec.__all__:
        assert getattr(song2vec, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'GRU4rec'; did you mean 'GRU4Rec'"):
        song2vec.GRU4rec  # noqa: B018


@pytest.mark.parametrize("function", [*FUNCTIONS, Engine.train], ids=lambda function: function.__qualname__)
def test_a_wrong_name_of_an_option_is_refused(function):
    assert len(FUNCTIONS) >= 15
    with pytest.raises(ArgumentError, match=rf"^polka: not a setting of {function.__qualname__}; .* allowed"):
        function(polka=1)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
def test_a_wrong_name_of_an_option_of_an_engine_is_refused(method):
    with pytest.raises(ArgumentError, match=rf"^polka: not a setting of {method.__qualname__}; .* allowed"):
        method(None, polka=1)


@pytest.mark.parametrize("function", [*FUNCTIONS, *METHODS, Engine.train], ids=lambda function: function.__qualname__)
def test_options_are_spelt_out(function):
    kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
    assert not kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
