"""A battery is a list of checks; each is a function whose docstring says what must hold. Those that all batteries share are here."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from inspect import getdoc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from song2vec.core.config import Choice, settings_of
from song2vec.core.errors import ArgumentError, SavedFolderError
from song2vec.core.estimator import MAIN
from song2vec.core.storage import understood


@dataclass
class Case:
    """What checks ask: a thing before ``fit``, data that it can learn from, a few of them, and what it answers once it is fitted."""

    thing: Any
    data: Any
    few: Any
    answers: Callable[[Any], Any]

    def fit(self, data: Any, **settings: Any) -> Any:
        """A new one with some settings changed, fitted to this."""
        return self.thing.replaced(settings).fit(data)

    @cached_property
    def fitted(self) -> Any:
        """Fitted to the data; no check changes it."""
        return self.fit(self.data)


def run(case: Any, checks: Sequence[Callable[[Any], None]]) -> None:
    """Raises AssertionError with the docstring of the first check that fails, and with what it found."""
    if not __debug__:
        raise ArgumentError("python -O leaves out what the checks assert; run them without it")
    for check in checks:
        try:
            check(case)
        except Exception as error:
            found = f"{type(error).__name__}: {error}" if str(error) else traceback.extract_tb(error.__traceback__)[-1].line
            raise AssertionError(f"{case.thing!r} breaks the contract. {getdoc(check)} Found: {found}") from error


@contextmanager
def refused(*kinds: type[Exception], text: str = "") -> Iterator[None]:
    """What is done within raises an error of one of these kinds, with this text in its message."""
    try:
        yield
    except kinds as error:
        assert text in str(error), f"{error!r} does not say {text!r}"
    else:
        raise AssertionError(f"no {kinds[0].__name__} was raised" + f" that says {text!r}" * bool(text))


def close(found: Any, expected: Any) -> None:
    """The same but for the last bits, which differ with the shape of matrix products."""
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def settings(case: Case) -> None:
    """Settings make the same again, from JSON and from what repr writes, and each says what it does."""
    kind, own = type(case.thing), case.thing.settings
    for again in (kind(**json.loads(json.dumps(own))), eval(repr(case.thing), {kind.__name__: kind}), case.thing.replaced({})):
        assert (type(again), again.settings) == (kind, own)
    assert repr(kind()) == f"{kind.__name__}()"
    assert all(help for _, _, help in settings_of(kind).values())


def tuning(case: Case) -> None:
    """With every setting that tuning tries it learns, and answers in finite numbers."""
    for name, tried in case.thing.space.items():
        for value in tried.values if isinstance(tried, Choice) else (tried.low, tried.high):
            assert case.thing.replaced({name: value}).value(name) == value
            if "." not in name:  # settings of a part are the part's own business
                assert np.isfinite(case.answers(case.fit(case.few, **{name: value}))).all(), f"{name}={value}"


def fitting(case: Case) -> None:
    """Fit returns the thing itself, and leaves its settings and the data alone; nothing is saved or answered before it."""
    unfitted, before = case.thing.replaced({}), _arrays(case.data)
    with refused(ArgumentError, text="fit"):
        unfitted.save("nowhere")
    with refused(ArgumentError, AttributeError):
        case.answers(unfitted)
    assert unfitted.fit(case.data) is unfitted
    assert unfitted.settings == case.thing.settings
    assert _arrays(case.data) == before


def _arrays(data: Any) -> list[bytes]:
    return [array.tobytes() for part in data.to_parts().values() for array in part.arrays.values()]


def saving(case: Case) -> None:
    """What is saved loads by the base class of its family, and answers and is saved alike; what is damaged is refused."""
    fitted, kind = case.fitted, type(case.thing)
    family: Any = next(base for base in kind.__mro__ if "registry" in vars(base))
    assert kind.registry().get(kind.name) is kind, f"register it under its name, {kind.name!r}, by register(...) or an entry point"
    with TemporaryDirectory() as temporary:
        folder = fitted.save(Path(temporary) / "first")
        loaded = family.load(folder)
        assert (type(loaded), loaded.settings, loaded.nbytes) == (kind, fitted.settings, fitted.nbytes)
        np.testing.assert_array_equal(case.answers(loaded), case.answers(fitted))
        assert contents(loaded.save(Path(temporary) / "second")) == contents(folder)
        for name, whole in contents(folder).items():
            middle = len(whole) // 2
            for damaged in (whole[:middle], whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :], b""):
                (folder / name).write_bytes(damaged)
                with refused(SavedFolderError):
                    family.load(folder)
            (folder / name).write_bytes(whole)
    parts = fitted.to_parts()
    for lost in parts[MAIN].arrays:
        arrays = {name: array for name, array in parts[MAIN].arrays.items() if name != lost}
        with refused(SavedFolderError), understood(fitted):
            case.answers(family.from_parts({**parts, MAIN: replace(parts[MAIN], arrays=arrays)}))


def seeds(case: Case) -> None:
    """The same seed gives the same bytes, and another seed others."""
    with TemporaryDirectory() as temporary:

        def saved(**seed: int) -> Mapping[str, bytes]:
            return contents(case.fit(case.data, **seed).save(Path(temporary) / "thing"))

        assert saved() == saved() == contents(case.fitted.save(Path(temporary) / "thing"))
        assert "seed" not in case.thing.settings or saved(seed=1) != saved(seed=2)


def contents(folder: Path) -> Mapping[str, bytes]:
    """Names and bytes of the files of a folder."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


SHARED: tuple[Callable[[Any], None], ...] = (settings, fitting, saving, seeds, tuning)
