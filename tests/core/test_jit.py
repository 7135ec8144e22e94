"""Compiled code: never stale, kept where a folder can be written and done without where not, and its seconds are counted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import song2vec
from song2vec.core.jit import taken_from_others

SITE = Path(song2vec.__file__).parents[1]

HELPER = "from song2vec.core.jit import jit\nBASE = {base}\n@jit\ndef inner(x):\n    return x + {added}\n"
KERNEL = """
from planted.helper import BASE, inner
from song2vec.core.jit import jit

@jit
def outer(x):
    return BASE * inner(x)
"""


@pytest.fixture
def package(tmp_path):
    """A package with a kernel that takes another from another file; returns a function that writes it and one that runs it."""
    folder = tmp_path / "planted"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "kernel.py").write_text(KERNEL)

    def write(base: int, added: int) -> None:
        (folder / "helper.py").write_text(HELPER.format(base=base, added=added))

    def run(code: str = "print(outer(1), len(outer.stats.cache_hits))") -> str:
        paths = os.pathsep.join([str(tmp_path), str(SITE)])
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", f"from planted.kernel import outer; {code}"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    return write, run


def test_code_on_disk_is_used_until_something_that_is_compiled_into_it_changes(package):
    write, run = package
    write(base=10, added=1)
    assert run() == "20 0"
    assert run() == "20 1"
    write(base=10, added=2)  # the other file alone
    assert run() == "30 0"
    write(base=100, added=2)  # a constant of the other file
    assert run() == "300 0"
    assert run() == "300 1"


def test_code_on_disk_for_a_named_tuple_that_is_gone_is_compiled_anew(package, tmp_path):
    write, run = package
    write(base=10, added=1)
    for name in ("Before", "After"):
        made = f"from typing import NamedTuple\nclass {name}(NamedTuple):\n    x: int\nvalue = {name}(1)\n"
        kernel = "from song2vec.core.jit import jit\n@jit\ndef outer(one):\n    return one.x\n"
        (tmp_path / "planted" / "kernel.py").write_text(made + kernel)
        assert run("from planted.kernel import value; print(outer(value))") == "1"


def test_what_is_taken_from_files_that_a_kernel_does_not_know_changes_nothing():
    from song2vec.models import _session_kernels as session_kernels
    from song2vec.sessions import _kernels

    assert taken_from_others(_kernels) == taken_from_others(_kernels) != taken_from_others(session_kernels)


def test_seconds_of_compiling_are_counted(package):
    write, run = package
    write(base=1, added=1)
    code = "from song2vec.core.jit import compile_seconds as s; a = s(); outer(1); b = s(); outer(2); print(a == 0, b > 0, s() == b)"
    assert run(code) == "True True True"


def test_an_installation_that_cannot_be_written_without_a_home_runs(tmp_path):
    """numba finds no folder anywhere: code is compiled once a process."""
    code = """
import numba.core.caching as caching
def nowhere(self): raise PermissionError("read-only")
for kind in (caching._CacheLocator,): kind.ensure_cache_path = nowhere
import song2vec as s2v
from song2vec.core.jit import compile_seconds
print(len(s2v.Sessions.from_lists([["a", "b"], ["b", "a"]])), s2v.cut_sessions(s2v.classic_rock()).plays > 0, compile_seconds() > 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SITE)}, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("2 True True", "")
