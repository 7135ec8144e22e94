"""How the inner loops are compiled: once, kept on disk, free of the interpreter's lock.

numba keeps compiled code under a key of the function's own file. Kernels of other files are compiled into it all the same, so here the
key covers the files of all kernels that a file takes from others, and the constants that come with them. Where no folder can be
written, code is compiled once a process.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import logging
import sys
from collections.abc import Callable
from functools import cache
from threading import RLock
from time import perf_counter
from types import ModuleType
from typing import Any

import numba
import numpy as np
from numba.core import event
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.dispatcher import Dispatcher

from song2vec.core.progress import say

logger = logging.getLogger("song2vec")


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator with options of ``numba.njit``: the function is compiled at its first call, without the interpreter's lock."""

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher: Any = numba.njit(nogil=True, **options)(function)
        try:
            dispatcher._cache = _Cache(function)
        except RuntimeError:  # numba's word for a folder that cannot be written
            logger.debug("%s.%s: no folder to keep compiled code in", function.__module__, function.__qualname__)
        return dispatcher

    return decorate


jit = compiled()
parallel_jit = compiled(parallel=True)


class _Cache(FunctionCache):  # type: ignore[misc]
    """numba's, with a key that covers the kernels of other files too."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        stamp = self._impl.locator.get_source_stamp(), taken_from_others(sys.modules[function.__module__])
        self._cache_file = _CacheFile(self._cache_path, self._impl.filename_base, stamp)  # type: ignore[no-untyped-call]


class _CacheFile(IndexDataCacheFile):  # type: ignore[misc]
    """numba's, which reads whatever an earlier version has kept before it asks whether that is stale."""

    def _load_index(self) -> Any:
        try:
            return super()._load_index()  # type: ignore[no-untyped-call]
        except (AttributeError, ImportError):  # of a named tuple that is gone
            return {}


@cache
def taken_from_others(module: ModuleType) -> str:
    """A digest of all that a module imports from its package and from song2vec, and that may be compiled into its functions.

    Of a kernel, and of what makes kernels, that is the whole file and what it takes from others in turn; of a constant its value.
    """
    digest, packages = hashlib.sha256(), (__name__.split(".")[0], module.__name__.split(".")[0])
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in packages:
            for alias in node.names:
                thing = getattr(sys.modules[str(node.module)], alias.name, None)
                digest.update(f"{alias.name}={_contents(thing, packages)};".encode())
    return digest.hexdigest()


def _contents(thing: Any, packages: tuple[str, ...]) -> str:
    origin = thing.py_func if isinstance(thing, Dispatcher) else thing
    if isinstance(origin, int | float | str | tuple | np.generic):
        return repr(origin)
    if isinstance(origin, type):
        return repr(getattr(origin, "_fields", ""))  # of a named tuple, whose layout is compiled in
    home = origin if isinstance(origin, ModuleType) else sys.modules.get(getattr(origin, "__module__", ""))
    if home is None or home.__name__ == __name__ or home.__name__.split(".")[0] not in packages:
        return ""
    return hashlib.sha256(inspect.getsource(home).encode()).hexdigest() + taken_from_others(home)


class _Watch(event.Listener):
    """Counts the seconds spent on compiling, and says once a process that they are spent."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock, self._under_way, self._began = RLock(), 0, 0.0

    def on_start(self, event: Any) -> None:
        with self._lock:
            if not self.seconds and not self._under_way:
                say("Compiling the inner loops; the result is kept, so that this is done once.")
            if not self._under_way:
                self._began = perf_counter()
            self._under_way += 1

    def on_end(self, event: Any) -> None:
        with self._lock:
            self._under_way -= 1
            if not self._under_way:
                self.seconds += perf_counter() - self._began


_watch = _Watch()
event.register("numba:compile", _watch)  # type: ignore[no-untyped-call]


def compile_seconds() -> float:
    """How long this process has been compiling so far, in seconds: what a time that is measured is to be less by."""
    return _watch.seconds
