"""How many threads t-SNE may use."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_SAMPLE = 0.1  # seconds


def idle_cores() -> int:
    """Cores of this process that nothing else uses at the moment, at least one; all of them where the system does not tell.

    t-SNE's threads wait for one another at every step by spinning, so two of them that share their cores with other work
    can be ten times slower than a single one. The number of threads changes nothing else: coordinates are the same bytes.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    before = _idle_seconds()
    if cores == 1 or before is None:
        return cores
    begun = time.monotonic()
    time.sleep(_SAMPLE)
    idle = ((_idle_seconds() or before) - before) / (time.monotonic() - begun)
    return max(1, min(cores, round(idle)))


def _idle_seconds() -> float | None:
    """Seconds that all cores together have idled since the machine started; known on Linux only."""
    try:
        fields = _STAT.read_text().split("\n", 1)[0].split()
        return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")  # idle, and waiting for a disk
    except (OSError, ValueError, IndexError):
        return None
