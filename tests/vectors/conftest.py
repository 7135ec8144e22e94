"""Shared by tests of vectors: what other processes come to, asked once."""

from __future__ import annotations

import pytest

from tests.vectors import elsewhere


@pytest.fixture(scope="session")
def other_processes(tmp_path_factory):
    """See :func:`tests.vectors.elsewhere.in_other_processes`."""
    return elsewhere.in_other_processes(tmp_path_factory.mktemp("elsewhere"))
