"""Products of the small matrices of a training step, which BLAS, made for large ones, serves at half of the machine's speed.

Nothing is packed first: a tile of the product stays in registers while one matrix gives numbers and the other rows of vectors,
and both are small enough for a near cache (Goto and van de Geijn 2008, without their copies).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils  # type: ignore[attr-defined]
from numba.extending import intrinsic

from song2vec.core.arrays import Array
from song2vec.core.jit import compiled

LANES = 8  # float32 in a vector register
TALL = 6  # rows of a tile: with 16 columns all of 12 registers, which hides the time that an addition takes
DEPTH = 64  # rows of the right matrix at a time
_FLOAT, _INT = ir.FloatType(), ir.IntType(32)
_FUSED = ("contract",)
jit: Callable[..., Any] = compiled(error_model="numpy")


def _tile(typing: Any, out: Any, left: Any, right: Any, row: Any, place: Any, first: Any, last: Any, height: Any, width: Any) -> Any:
    """``out[row : row + height, place : place + width]`` is, or from the second stretch on grows by, ``left @ right`` of a stretch.

    A stretch is steps ``first`` to ``last``: columns of ``left`` and rows of ``right``. Height and width are constants.
    """
    tall, lanes = height.literal_value, min(width.literal_value, LANES)
    vectors = range(0, width.literal_value, lanes)
    kind = ir.VectorType(_FLOAT, lanes)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        matrices = [context.make_array(of)(context, builder, value) for of, value in zip(signature.args[:3], given[:3], strict=True)]
        row, place, first, last = given[3:7]

        def number(value: int) -> Any:
            return ir.Constant(row.type, value)

        def at(matrix: int, i: Any, j: Any) -> Any:
            pointed = (signature.args[matrix], matrices[matrix], [i, j])
            return cgutils.get_item_pointer(context, builder, *pointed, wraparound=False)  # type: ignore[no-untyped-call]

        def vectors_from(pointer: Any) -> list[Any]:
            return [builder.bitcast(builder.gep(pointer, [number(lane)]), kind.as_pointer()) for lane in vectors]

        def everywhere(value: Any) -> Any:
            blank = ir.Constant(kind, ir.Undefined)
            one = builder.insert_element(blank, value, ir.Constant(_INT, 0))
            return builder.shuffle_vector(one, blank, ir.Constant(ir.VectorType(_INT, lanes), [0] * lanes))

        rows = [builder.add(row, number(i)) for i in range(tall)]
        targets = [vectors_from(at(0, each, place)) for each in rows]
        # registers, once compiled
        sums = [[cgutils.alloca_once(builder, kind) for _ in vectors] for _ in rows]  # type: ignore[no-untyped-call]
        begun = builder.icmp_signed("!=", first, number(0))
        for pointers, kept in zip(targets, sums, strict=True):
            for pointer, total in zip(pointers, kept, strict=True):
                before = builder.select(begun, builder.load(pointer, align=4), ir.Constant(kind, [0.0] * lanes))
                builder.store(before, total)
        with cgutils.for_range_slice(builder, first, last, number(1)) as (step, _):  # type: ignore[no-untyped-call]
            others = [builder.load(pointer, align=4) for pointer in vectors_from(at(2, step, place))]
            for each, kept in zip(rows, sums, strict=True):
                factor = everywhere(builder.load(at(1, each, step)))
                for other, total in zip(others, kept, strict=True):
                    more = builder.fmul(factor, other, flags=_FUSED)
                    builder.store(builder.fadd(builder.load(total), more, flags=_FUSED), total)
        for pointers, kept in zip(targets, sums, strict=True):
            for pointer, total in zip(pointers, kept, strict=True):
                builder.store(builder.load(total), pointer, align=4)
        return context.get_dummy_value()

    return types.void(out, left, right, row, place, first, last, height, width), generate  # type: ignore[no-untyped-call]


tile: Callable[..., None] = intrinsic(prefer_literal=True)(_tile)


def _strip_of(height: int) -> Callable[..., None]:
    """What fills so many rows of a product, tile after tile."""

    @jit
    def strip(out: Array, left: Array, right: Array, row: int, first: int, last: int) -> None:
        width, place = out.shape[1], 0
        while place + 16 <= width:
            tile(out, left, right, row, place, first, last, height, 16)
            place += 16
        if place + 8 <= width:
            tile(out, left, right, row, place, first, last, height, 8)
            place += 8
        if place + 4 <= width:
            tile(out, left, right, row, place, first, last, height, 4)
            place += 4
        while place < width:
            tile(out, left, right, row, place, first, last, height, 1)
            place += 1

    return strip  # type: ignore[no-any-return]


_tall_strip, _flat_strip = _strip_of(TALL), _strip_of(1)


@jit
def multiply(left: Array, right: Array, out: Array) -> None:
    """``out = left @ right`` of float32.

    Args:
        left: (n, steps or more), in memory by rows or by columns.
        right: (steps, m), by rows; at least one step.
        out: (n, m), by rows; other memory than the two.
    """
    steps = len(right)
    for first in range(0, steps, DEPTH):
        last = min(first + DEPTH, steps)
        row = 0
        while row + TALL <= len(out):
            _tall_strip(out, left, right, row, first, last)
            row += TALL
        while row < len(out):
            _flat_strip(out, left, right, row, first, last)
            row += 1


@jit
def transpose(matrix: Array, out: Array) -> None:
    """``out[j, i] = matrix[i, j]``; ``out`` may be larger."""
    for i in range(len(matrix)):
        for j in range(matrix.shape[1]):
            out[j, i] = matrix[i, j]
