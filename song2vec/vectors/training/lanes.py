"""A row against several rows, written as the vector instructions that it is.

As loops, whether LLVM vectorises them hangs on what it can prove of the memory and on its version; so eight numbers at a
time are said here to be one value, which becomes one AVX2 register, two of NEON or half a one of AVX-512. Rows are known
by their addresses, multiples of 32; ``size`` is a compile-time constant, a multiple of 8. A row is taken in panels of 64
numbers, which stay in registers while the other rows pass by.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils  # type: ignore[attr-defined]
from numba.extending import intrinsic

WIDTH, PANEL = 8, 8  # numbers in a value, values in a panel
_FAST = ("fast",)
_FLOAT, _BYTE, _INT, _INDEX = ir.FloatType(), ir.IntType(8), ir.IntType(32), ir.IntType(64)
_LANES = ir.VectorType(_FLOAT, WIDTH)
_ZEROS = ir.Constant(_LANES, [0.0] * WIDTH)


class Code:
    """Writes the instructions of one product; arguments are known by their numbers."""

    def __init__(self, context: Any, builder: Any, signature: Any, given: Any) -> None:
        self._context, self.builder, self._signature, self.given = context, builder, signature, given

    def array(self, which: int) -> Any:
        """Pointer to the first number of an array."""
        return self._context.make_array(self._signature.args[which])(self._context, self.builder, self.given[which]).data

    def row(self, address: Any) -> Any:
        """Pointer to a row."""
        return self.builder.inttoptr(address, _LANES.as_pointer())

    def number(self, array: Any, place: Any) -> Any:
        """The number at a place of an array."""
        return self.builder.load(self.builder.gep(array, [place]))

    def load(self, row: Any, eight: int) -> Any:
        """Eight numbers of a row."""
        return self.builder.load(self._eight(row, eight), align=4 * WIDTH)

    def store(self, value: Any, row: Any, eight: int) -> None:
        """The inverse of :meth:`load`."""
        self.builder.store(value, self._eight(row, eight), align=4 * WIDTH)

    def splat(self, value: Any) -> Any:
        """One number, eight times."""
        undefined = ir.Constant(_LANES, ir.Undefined)
        one = self.builder.insert_element(undefined, value, ir.Constant(_INT, 0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH))

    def add(self, a: Any, b: Any) -> Any:
        """a + b; None counts as zeros."""
        return b if a is None else a if b is None else self.builder.fadd(a, b, flags=_FAST)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """a b + c."""
        return self.add(self.builder.fmul(a, b, flags=_FAST), c)

    def total(self, value: Any) -> Any:
        """The sum of eight numbers."""
        function = self._function(f"llvm.vector.reduce.fadd.v{WIDTH}f32", _FLOAT, [_FLOAT, _LANES])
        return self.builder.call(function, [ir.Constant(_FLOAT, 0.0), value], fastmath=_FAST)

    def prefetch(self, row: Any, place: int) -> None:
        """Ask for the cache line of a number of a row, for writing."""
        address = self.builder.bitcast(row, _BYTE.as_pointer())
        address = self.builder.gep(address, [ir.Constant(_INDEX, 4 * place)])
        function = self._function("llvm.prefetch.p0", ir.VoidType(), [address.type, _INT, _INT, _INT])
        self.builder.call(function, [address, ir.Constant(_INT, 1), ir.Constant(_INT, 3), ir.Constant(_INT, 1)])

    def _eight(self, row: Any, eight: int) -> Any:
        return self.builder.gep(row, [ir.Constant(_INDEX, eight)])

    def _function(self, name: str, returned: Any, given: list[Any]) -> Any:
        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, ir.FunctionType(returned, given), name)


def panels(size: int) -> Iterator[range]:
    """The eights of each panel of a row."""
    return (range(begin, min(begin + PANEL, size // WIDTH)) for begin in range(0, size // WIDTH, PANEL))


def _find_scores(typing: Any, near: Any, rows: Any, count: Any, scores: Any, size: Any) -> Any:
    """scores[k] = near . rows[k] for k below ``count``."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        code = Code(context, builder, signature, given)
        near_row, addresses, found = code.row(given[0]), code.array(1), code.array(3)
        for panel in panels(size.literal_value):
            held = [code.load(near_row, eight) for eight in panel]
            with cgutils.for_range(builder, given[2]) as k:
                row, score = code.row(code.number(addresses, k.index)), None
                for numbers, eight in zip(held, panel, strict=True):
                    score = code.multiply_add(numbers, code.load(row, eight), score)
                before = code.number(found, k.index) if panel.start else None
                builder.store(code.add(code.total(score), before), builder.gep(found, [k.index]))
        return context.get_dummy_value()

    return types.void(near, rows, count, scores, size), generate  # type: ignore[no-untyped-call]


def _move(typing: Any, near: Any, rows: Any, count: Any, errors: Any, moves: Any, size: Any) -> Any:
    """near += the sum of errors[k] rows[k], and rows[k] += moves[k] near, as near was before, for k below ``count``."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        code = Code(context, builder, signature, given)
        near_row, (addresses, error, pace) = code.row(given[0]), map(code.array, (1, 3, 4))
        for panel in panels(size.literal_value):
            _move_panel(code, panel, near_row, given[2], (addresses, error, pace), None)
        return context.get_dummy_value()

    return types.void(near, rows, count, errors, moves, size), generate  # type: ignore[no-untyped-call]


def _move_on(typing: Any, near: Any, following: Any, rows: Any, count: Any, errors: Any, scores: Any, size: Any) -> Any:
    """:func:`move` by the errors alone, and at once scores[k] = following . rows[k] of the rows as they are then."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        code = Code(context, builder, signature, given)
        near_row, next_row, (addresses, error, found) = code.row(given[0]), code.row(given[1]), map(code.array, (2, 4, 5))
        for panel in panels(size.literal_value):
            _move_panel(code, panel, near_row, given[3], (addresses, error, error), (next_row, found))
        return context.get_dummy_value()

    return types.void(near, following, rows, count, errors, scores, size), generate  # type: ignore[no-untyped-call]


def _move_panel(code: Code, panel: range, near_row: Any, count: Any, arrays: tuple[Any, Any, Any], after: tuple[Any, Any] | None) -> None:
    """One panel of :func:`_move`, or of :func:`_move_on` where ``after`` says what is next and where its scores go."""
    builder, (addresses, error, pace) = code.builder, arrays
    near = [code.load(near_row, eight) for eight in panel]
    follow = [code.load(after[0], eight) for eight in panel] if after else near
    gains = [cgutils.alloca_once(builder, _LANES) for _ in panel]  # type: ignore[no-untyped-call]
    for gain in gains:
        builder.store(_ZEROS, gain)
    with cgutils.for_range(builder, count) as k:
        row, score = code.row(code.number(addresses, k.index)), None
        wrong, step = (code.splat(code.number(each, k.index)) for each in (error, pace))
        for gain, eight, mine, other in zip(gains, panel, near, follow, strict=True):
            numbers = code.load(row, eight)
            builder.store(code.multiply_add(wrong, numbers, builder.load(gain)), gain)
            moved = code.multiply_add(step, mine, numbers)
            code.store(moved, row, eight)
            score = code.multiply_add(other, moved, score)
        if after:
            before = code.number(after[1], k.index) if panel.start else None
            builder.store(code.add(code.total(score), before), builder.gep(after[1], [k.index]))
    for gain, eight, mine in zip(gains, panel, near, strict=True):
        code.store(code.add(mine, builder.load(gain)), near_row, eight)


def _clear(typing: Any, target: Any, size: Any) -> Any:
    """target = 0."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        code = Code(context, builder, signature, given)
        for eight in range(size.literal_value // WIDTH):
            code.store(_ZEROS, code.row(given[0]), eight)
        return context.get_dummy_value()

    return types.void(target, size), generate  # type: ignore[no-untyped-call]


def _copy(typing: Any, target: Any, source: Any, size: Any) -> Any:
    """target = source."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        code = Code(context, builder, signature, given)
        for eight in range(size.literal_value // WIDTH):
            code.store(code.load(code.row(given[1]), eight), code.row(given[0]), eight)
        return context.get_dummy_value()

    return types.void(target, source, size), generate  # type: ignore[no-untyped-call]


def _add(typing: Any, target: Any, source: Any, share: Any, size: Any) -> Any:
    """target += share source."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        code = Code(context, builder, signature, given)
        here, there, times = code.row(given[0]), code.row(given[1]), code.splat(given[2])
        for eight in range(size.literal_value // WIDTH):
            code.store(code.multiply_add(times, code.load(there, eight), code.load(here, eight)), here, eight)
        return context.get_dummy_value()

    return types.void(target, source, share, size), generate  # type: ignore[no-untyped-call]


def _give(typing: Any, target: Any, held: Any, share: Any, size: Any) -> Any:
    """target += share (held - the row behind held), in one step: others read the target meanwhile."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        code, eights = Code(context, builder, signature, given), size.literal_value // WIDTH
        here, there, times = code.row(given[0]), code.row(given[1]), code.splat(given[2])
        for eight in range(eights):
            change = builder.fsub(code.load(there, eight), code.load(there, eights + eight), flags=_FAST)
            code.store(code.multiply_add(times, change, code.load(here, eight)), here, eight)
        return context.get_dummy_value()

    return types.void(target, held, share, size), generate  # type: ignore[no-untyped-call]


def _fetch(typing: Any, row: Any, size: Any) -> Any:
    """Ask for a row that is needed soon."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        code = Code(context, builder, signature, given)
        for place in range(0, size.literal_value, 16):  # in a cache line
            code.prefetch(code.row(given[0]), place)
        return context.get_dummy_value()

    return types.void(row, size), generate  # type: ignore[no-untyped-call]


_all = (_find_scores, _move, _move_on, _clear, _copy, _add, _give, _fetch)
find_scores, move, move_on, clear, copy, add, give, fetch = (intrinsic(prefer_literal=True)(each) for each in _all)
