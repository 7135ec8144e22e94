"""Shared by the benchmarks: where the data is, what machine this is, and results as JSON beside their command."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.storage import write_atomically
from song2vec.listens import read_listens
from song2vec.sessions import Sessions, cut_sessions

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
DATA = Path(os.environ.get("SONG2VEC_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
T = TypeVar("T")


def real_sessions(name: str) -> Sessions:
    """A real data set cut with the defaults: ``yes_big``, ``nowplaying/train.txt``, ``30music_200ks``, ..."""
    return cut_sessions(read_listens(DATA / name))


def clustered_vectors(songs: int, size: int = 64, clusters: int = 500, *, spread: float = 0.35, seed: int = 0) -> Array:
    """(songs, size) float32 unit vectors around random centres; ``spread`` is the noise against the centre's length 1."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((clusters, size), np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = centres[random.integers(0, clusters, songs)]
    vectors += random.standard_normal((songs, size), np.float32) * np.float32(spread / np.sqrt(size) * 2)
    unit: Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def timed(job: Callable[[], T]) -> tuple[T, float]:
    """What the job returns, and the seconds it took."""
    began = perf_counter()
    result = job()
    return result, perf_counter() - began


def peak_memory_mib() -> float:
    """The most memory this process has held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def machine() -> dict[str, Any]:
    """Processor, cores, memory and the versions that matter."""
    cpu = next((line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0.0)
    packages = ("numpy", "polars", "numba", "gensim", "annoy", "scikit-learn")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "packages": {package: version(package) for package in packages},
    }


def save_result(name: str, rows: Sequence[Mapping[str, Any]], **facts: Any) -> Path:
    """Write ``results/NAME.json``: the rows, with the command, the machine and the date they were measured by."""
    command = " ".join(["python", str(Path(sys.argv[0])), *sys.argv[1:]])
    content = {
        "benchmark": name,
        "date": datetime.now(UTC).date().isoformat(),
        "command": command,
        "machine": machine(),
        **facts,
        "rows": list(rows),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    RESULTS.mkdir(exist_ok=True)
    return write_atomically(RESULTS / f"{name}.json", lambda path: path.write_text(text))


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
