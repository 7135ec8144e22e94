"""Settings declared once: defaults, checks, search space, JSON form, docstring and errors come from the fields."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from song2vec.core.checks import named_options
from song2vec.core.config import FLAG, Choice, Component, Config, FloatRange, IntRange, Text, learned, make, setting
from song2vec.core.errors import ArgumentError


class Inner(Config):
    """Something with settings."""

    name = "inner"
    size: int = setting(IntRange(1), default=8, tune=IntRange(4, 64, log=True), help="numbers in a vector")


class Other(Config):
    """Something else."""

    name = "other"


PARTS = {"inner": Inner, "other": Other}


class Stranger(Config):
    """Of another family."""

    name = "stranger"


class Outer(Config):
    """A model."""

    name = "outer"
    hidden: int = setting(IntRange(1, 512), default=100, tune=IntRange(16, 256), help="units of a layer")
    rate: float = setting(FloatRange(0, above=True), default=0.1, help="of learning")
    window: int | str = setting(IntRange(1, also=("session",)), default=3, help="songs before and after")
    cell: str = setting(Choice(("gru", "lstm")), default="gru", help="kind of cell")
    patience: int | None = setting(IntRange(1), default=None, help="epochs without gain")
    shuffle: bool = setting(FLAG, default=True, help="sessions in a new order")
    device: str = setting(Text(), default="cpu", help="where to compute")
    columns: list[str] | None = setting(Text(several=True), default=None, help="of context")
    part: Any = setting(Component(lambda: PARTS), default="inner", help="what makes vectors")
    weights_: np.ndarray = learned()

    def _check_together(self) -> None:
        if self.cell == "lstm" and self.hidden == 1:
            raise ArgumentError("hidden=1: 2 or more are allowed with cell='lstm'")


def test_defaults_are_those_of_the_fields_and_keywords_replace_them():
    assert Outer().settings["hidden"] == 100
    assert Outer(hidden=7).settings == Outer().settings | {"hidden": 7}
    with pytest.raises(TypeError):
        Outer(7)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": 0}, "hidden=0: a whole number from 1 to 512 is allowed"),
        ({"hidden": 513}, "hidden=513: a whole number from 1 to 512 is allowed"),
        ({"hidden": True}, "hidden=True: a whole number"),
        ({"hidden": None}, "hidden=None: a whole number"),
        ({"rate": 0}, "rate=0: a number above 0 is allowed"),
        ({"rate": float("nan")}, "rate=nan: a number above 0"),
        ({"window": "week"}, "window='week': a whole number"),
        ({"cell": "grü"}, "cell='grü': 'gru', 'lstm' are allowed; did you mean 'gru'?"),
        ({"shuffle": 1}, "shuffle=1: False, True are allowed"),
        ({"patience": 0}, "patience=0: a whole number from 1"),
        ({"device": 3}, "device=3: text is allowed"),
        ({"columns": "city"}, "columns='city': a list of texts is allowed"),
        ({"columns": ["city", 3]}, "columns=['city', 3]: a list of texts"),
        ({"part": "iner"}, "part='iner': 'inner', 'other' are allowed; did you mean 'inner'?"),
        ({"part": {"name": "inner", "settings": {"sise": 3}}}, "sise: not a setting of inner; size are allowed; did you mean 'size'?"),
        ({"part": Stranger()}, "part=Stranger(): one of 'inner', 'other', by name or made already, is allowed"),
        ({"part": {"kind": "inner"}}, 'a name, or {"name": ..., "settings": {...}}, is allowed'),
        ({"hiden": 3}, "hiden: not a setting of Outer; .* did you mean 'hidden'?"),
        ({"weights_": 3}, "weights_: not a setting of Outer"),
        ({"cell": "lstm", "hidden": 1}, "2 or more are allowed with cell='lstm'"),
    ],
)
def test_what_is_not_allowed_is_refused_where_it_is_given(settings, message):
    with pytest.raises(ArgumentError) as caught:
        Outer(**settings)
    import re

    assert re.search(message if ".*" in message else re.escape(message), str(caught.value))


def test_what_is_allowed_is_taken():
    made = Outer(window="session", patience=3, rate=np.float32(0.5), hidden=np.int64(4), part=Inner(size=2), columns=("city", "day"))
    assert made.settings["columns"] == ["city", "day"]
    assert made.settings["hidden"] == 4
    assert type(made.settings["hidden"]) is int
    assert made.settings["part"] == {"name": "inner", "settings": {"size": 2}}


def test_an_attribute_that_was_changed_is_checked_again():
    made = Outer()
    made.hidden = -1
    with pytest.raises(ArgumentError, match="hidden=-1"):
        made.check()


def test_settings_make_the_same_again():
    made = Outer(hidden=3, part=Inner(size=5))
    assert type(made)(**made.settings).settings == made.settings
    assert made.component("part").size == 5


def test_the_space_holds_what_tuning_tries_also_of_components():
    assert Outer().space == {"hidden": IntRange(16, 256), "part.size": IntRange(4, 64, log=True)}
    assert "part.size" not in Outer(part="other").space


def test_settings_are_replaced_by_name_also_in_components():
    made = Outer(part=Inner(size=5)).replaced({"hidden": 9, "part.size": 6})
    assert (made.hidden, made.value("part.size"), made.value("hidden")) == (9, 6, 9)
    with pytest.raises(ArgumentError, match="sise"):
        made.replaced({"part.sise": 6})


def test_the_representation_shows_what_is_not_the_default():
    assert repr(Outer(hidden=3)) == "Outer(hidden=3)"


def test_the_docstring_lists_the_settings_with_what_is_allowed():
    assert "hidden: units of a layer; a whole number from 1 to 512; default 100." in Outer.__doc__
    assert "window: songs before and after; a whole number from 1 or 'session'; default 3." in Outer.__doc__


def test_a_field_that_says_nothing_is_refused_when_the_class_is_defined():
    with pytest.raises(TypeError, match=r"Bad\.size: is declared by setting"):

        class Bad(Config):
            size: int = 3


def test_a_setting_of_a_parent_may_have_another_default():
    class Child(Inner):
        size: int = setting(IntRange(1), default=16, help="numbers in a vector")

    assert (Inner().size, Child().size) == (8, 16)


def test_make_refuses_unknown_names_with_the_nearest():
    assert make("part", PARTS, "inner", {"size": 3}).size == 3
    with pytest.raises(ArgumentError, match="did you mean 'inner'"):
        make("part", PARTS, "innner", {})
    with pytest.raises(ArgumentError, match="part=3"):
        make("part", PARTS, 3, {})


def test_options_of_functions_are_checked_by_name():
    @named_options
    def playlist(seed: str, *, length: int = 3) -> int:
        return length

    assert playlist("a", length=4) == 4
    with pytest.raises(ArgumentError, match=r"lenght: not a setting of .*playlist; seed, length are allowed; did you mean 'length'"):
        playlist("a", lenght=4)  # type: ignore[call-arg]
