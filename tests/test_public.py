"""Every public name says what it is, and every setting what it does; none takes what is not allowed."""

from __future__ import annotations

import inspect
import math
import re

import pytest

import song2vec
from song2vec.core.config import Choice, Component, FloatRange, IntRange, Text, settings_of
from song2vec.core.errors import ArgumentError
from song2vec.models import MODELS
from song2vec.ratings import RATERS
from song2vec.search import INDEXES
from song2vec.vectors import LEARNERS

CLASSES = {kind.__name__: kind for registry in (MODELS, LEARNERS, INDEXES, RATERS) for kind in registry.values()}
SETTINGS = [(name, setting) for name, kind in CLASSES.items() for setting in settings_of(kind)]


@pytest.mark.parametrize("name", song2vec.__all__)
def test_every_public_name_has_a_docstring(name):
    thing = getattr(song2vec, name)
    if callable(thing):
        first = inspect.getdoc(thing).split("\n\n")[0]
        assert re.search(r"[.:]$", first), first
        assert not first.startswith(f"{name}("), "dataclasses write this where nobody has written anything"
        assert not inspect.isclass(thing) or vars(thing).get("__doc__"), "it has only that of its base"


@pytest.mark.parametrize("name", song2vec.__all__)
def test_every_public_method_has_a_docstring(name):
    thing = getattr(song2vec, name)
    members = inspect.getmembers(thing, lambda one: inspect.isroutine(one) or isinstance(one, property)) if inspect.isclass(thing) else []
    public = [(method, one) for method, one in members if not method.startswith("_")]
    assert [method for method, one in public if not inspect.getdoc(one)] == []


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_every_setting_says_what_it_does_and_refuses_what_is_not_allowed_by_name(name, setting):
    kind = CLASSES[name]
    default, allowed, help = settings_of(kind)[setting]
    assert re.match(r"\S.+[^.\s]$", help)
    assert f"        {setting}: {help}" in kind.__doc__
    refused = [object(), *([None] if default is not None and None not in getattr(allowed, "also", ()) else [])]
    if isinstance(allowed, IntRange | FloatRange):
        refused += ["x", True, math.nan, math.inf, *([allowed.low - 1] if math.isfinite(allowed.low) else [])]
        refused += [allowed.high + 1] if allowed.high is not None and math.isfinite(allowed.high) else []
    if isinstance(allowed, IntRange):
        refused.append(1.5)
    if isinstance(allowed, Choice):
        refused += ["no such", 17, 1.5]
    if isinstance(allowed, Component):
        refused += ["no such", 3, {"name": "no such"}]
    if isinstance(allowed, Text):
        refused.append(3)
    for value in refused:
        with pytest.raises(ArgumentError, match=rf"\b{setting}\b"):
            kind(**{setting: value})
