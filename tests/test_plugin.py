"""A package of somebody else's, installed beside song2vec, is found by its entry points and does all that our own do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import song2vec

HERE = Path(__file__).parent


@pytest.fixture
def installed(tmp_path):
    """A folder that the package is installed into, as pip does it and without a network."""
    shutil.copytree(HERE / "plugin", tmp_path / "source")
    shutil.copy(HERE / "models" / "networks" / "toy.py", tmp_path / "source" / "own_music" / "network.py")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--target", tmp_path / "site", tmp_path / "source"], check=True)
    return tmp_path / "site"


def test_a_package_of_somebody_else_is_found_and_keeps_the_contracts(installed, tmp_path):
    pytest.importorskip("torch")
    paths = {"PYTHONPATH": os.pathsep.join([str(installed), str(Path(song2vec.__file__).parents[1])])}
    script = shutil.copy(HERE / "plugin" / "use.py", tmp_path)  # beside the source, it would find that
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env=os.environ | paths, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("all of it keeps the contracts\n"), done.stdout + done.stderr
    assert "running-mean" in done.stdout
    formats = subprocess.run(
        [sys.executable, "-m", "song2vec.cli", "formats"], env=os.environ | paths, capture_output=True, text=True, check=True
    )
    assert "jukebox" in formats.stdout
