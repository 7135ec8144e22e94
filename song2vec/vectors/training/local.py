"""Numbers on the stack, which LLVM knows and numba does not."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic


def _stack(kind: Any) -> Any:
    """An intrinsic: pointer to so many numbers of a kind (a compile-time constant) on the stack; not cleared.

    What lies there cannot overlap with a matrix in memory, and LLVM knows it; and nobody counts who refers to it, which numba
    does, at the price of a locked instruction, for every array that it makes itself.
    """

    def numbers(typing: Any, count: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            number = context.get_value_type(kind)
            with builder.goto_entry_block():
                room = builder.alloca(ir.ArrayType(number, count.literal_value))
                room.align = 64
            return builder.bitcast(room, ir.PointerType(number))

        return types.CPointer(kind)(count), generate  # type: ignore[no-untyped-call]

    return intrinsic(prefer_literal=True)(numbers)


stack_floats: Any = _stack(types.float32)
stack_rows: Any = _stack(types.int64)
