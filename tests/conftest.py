"""Shared by all tests: the folder of real data, and the marker that skips visibly where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("song2vec", deadline=None)  # how long an example takes is the machine's business, and compiling takes long
settings.load_profile("song2vec")

SHARED_DATA = Path(os.environ.get("SONG2VEC_SHARED_DATA", Path(__file__).parents[1].parent / "shared" / "data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED_DATA.is_dir():
        return
    skip = pytest.mark.skip(reason=f"real data is not at {SHARED_DATA}; set SONG2VEC_SHARED_DATA to where it is")
    for item in items:
        if "shared_data" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real music data that may not be shipped."""
    return SHARED_DATA
