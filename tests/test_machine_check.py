"""make says which system package is missing, instead of a page of compiler output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECK = Path(__file__).parents[1] / ".ci" / "check_machine.py"


def _check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(CHECK)], env=environment, capture_output=True, text=True, check=False)


def test_a_missing_compiler_is_named_with_the_package_that_brings_it(tmp_path):
    result = _check(PATH=str(tmp_path))
    assert result.returncode == 1
    assert "C++ compiler" in result.stderr
    assert "apt-get install g++" in result.stderr


def test_a_compiler_named_by_the_environment_will_do(tmp_path):
    assert "C++ compiler" not in _check(PATH=str(tmp_path), CXX="/opt/bin/clang++").stderr
