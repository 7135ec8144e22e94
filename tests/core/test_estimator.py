"""Things that learn: what is declared is saved and comes back, of whichever class of the family; nameless classes are refused."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.config import IntRange, learned, setting
from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.core.estimator import Estimator
from song2vec.core.registry import Registry
from song2vec.core.storage import Part, save_folder

KINDS: Registry[Any] = Registry("counter", {})


class Steps(NamedTuple):
    """How far, and in which order."""

    far: np.ndarray[Any, Any]
    order: str


class Base(Estimator):
    """A family of counters."""

    kind = "counter"

    @classmethod
    def registry(cls) -> Registry[Any]:
        return KINDS

    @abstractmethod
    def fit(self, values: list[int]) -> Base:
        """Learn."""


@KINDS.register
class Counter(Base):
    """Counts."""

    name = "counter"
    low: int = setting(IntRange(0), default=0, help="where to begin")
    counts_: Array = learned()
    total_: int = learned()
    who_: pl.Series = learned()
    steps_: Steps = learned(Steps)
    catalogue_: Catalogue = learned(Catalogue)
    seconds_: float | None = learned(saved=False, default=None)

    def fit(self, values: list[int]) -> Counter:
        self.counts_ = np.bincount(values)
        self.total_, self.who_ = self.low + len(values), pl.Series("who", ["a", "é"])
        self.steps_ = Steps(np.array([0.5, 2]), "up")
        self.catalogue_, self.seconds_ = Catalogue(["x", "y"], [3, 4]), 1.5
        return self


def test_what_was_learned_comes_back(tmp_path):
    fitted = Counter(low=2).fit([1, 1, 3])
    assert fitted.seconds_ == 1.5
    for loaded in (Base.load(fitted.save(tmp_path / "c")), Counter.load(tmp_path / "c")):
        assert isinstance(loaded, Counter)
        assert (loaded.low, loaded.total_, loaded.who_.to_list(), loaded.seconds_) == (2, 5, ["a", "é"], None)
        assert loaded.counts_.tolist() == [0, 2, 0, 1]
        assert (loaded.steps_.far.tolist(), loaded.steps_.order) == ([0.5, 2], "up")
        assert loaded.catalogue_ == fitted.catalogue_
        assert loaded.nbytes == fitted.nbytes > 0


def test_nothing_is_saved_before_fit(tmp_path):
    with pytest.raises(ArgumentError, match="this Counter has learned nothing yet; call fit first"):
        Counter().save(tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_class_of_another_kind_is_refused(tmp_path):
    @KINDS.register
    class Another(Counter):
        name = "another"

    Counter().fit([1]).save(tmp_path / "c")
    with pytest.raises(SavedFolderError, match="holds a Counter, where Another is asked for"):
        Another.load(tmp_path / "c")


@pytest.mark.parametrize(
    "meta", [{}, {"name": "nobody", "settings": {}, "learned": {}}, {"name": "counter", "settings": {"lo": 3}, "learned": {}}]
)
def test_folders_that_cannot_be_understood_are_refused(tmp_path, meta):
    save_folder(tmp_path / "c", "counter", {"estimator": Part(meta)})
    with pytest.raises(SavedFolderError):
        Base.load(tmp_path / "c")


def test_a_class_without_a_name_is_an_error_when_it_is_defined():
    with pytest.raises(TypeError, match="Nameless: has no name"):

        class Nameless(Base):
            def fit(self, values: list[int]) -> Nameless:
                return self

    assert "nameless" not in KINDS


def test_names_are_given_once():
    with pytest.raises(ArgumentError, match="name='counter': another counter has this name"):

        @KINDS.register
        class Second(Base):
            name = "counter"
