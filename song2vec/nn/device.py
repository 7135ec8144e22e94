"""Where to compute, and on how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from song2vec.core.errors import ArgumentError


def device_named(name: str, *, or_cpu: bool = False) -> torch.device:
    """The device of this name. Raises ArgumentError when it is not there, unless the processor will do."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        if or_cpu:
            return torch.device("cpu")
        reason = str(error).splitlines()[0]
        raise ArgumentError(f"device={name!r}: 'cpu', or a device that torch has, is allowed ({reason})") from error
    return device


@contextmanager
def threads(workers: int | None) -> Iterator[None]:
    """Let torch use so many threads, and as many as before afterwards; None leaves it its own."""
    before = torch.get_num_threads()
    torch.set_num_threads(workers or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
