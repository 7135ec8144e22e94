"""How the inner loops are compiled: once, cached on disk, free of the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

jit: Callable[..., Any] = numba.njit(cache=True, nogil=True)
parallel_jit: Callable[..., Any] = numba.njit(cache=True, nogil=True, parallel=True)
