"""Shared by all tests: the folder of real data, the marker that skips visibly where it is absent, and how tests run side by side."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("song2vec.testing")

settings.register_profile("song2vec", deadline=None)  # how long an example takes is the machine's business, and compiling takes long
settings.load_profile("song2vec")

if "PYTEST_XDIST_WORKER" in os.environ:  # one process a core: more threads in each would only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED_DATA = Path(os.environ.get("SONG2VEC_SHARED_DATA", Path(__file__).parents[1].parent / "shared" / "data"))


FIRST = ("test_docs.py", "test_plugin.py")  # a few long tests each: begun last, one process would wait for them


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in FIRST)
    skip = pytest.mark.skip(reason=f"real data is not at {SHARED_DATA}; set SONG2VEC_SHARED_DATA to where it is")
    for item in items:
        if "shared_data" in item.keywords and not SHARED_DATA.is_dir():
            item.add_marker(skip)
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.no_cover)  # a hundred examples of the same lines, and counting lines takes its time


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real music data that may not be shipped."""
    return SHARED_DATA
