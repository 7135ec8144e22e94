"""Two things LLVM knows and numba does not: numbers on the stack, and fetching memory before it is needed."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

_INT, _BYTE = ir.IntType(32), ir.IntType(8)


def _stack_floats(typing: Any, count: Any) -> Any:
    """Pointer to ``count`` float32 (a compile-time constant) on the stack; not cleared.

    A row copied there cannot overlap with one in memory, and LLVM knows it: without this no loop over rows is vectorised
    unless both are compared first.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        with builder.goto_entry_block():
            room = builder.alloca(ir.ArrayType(ir.FloatType(), count.literal_value))
            room.align = 64
        return builder.bitcast(room, ir.PointerType(ir.FloatType()))

    return types.CPointer(types.float32)(count), generate  # type: ignore[no-untyped-call]


def _prefetch(typing: Any, matrix: Any, place: Any) -> Any:
    """Ask for the cache line of the number at ``place`` (counted row by row) of a C-contiguous matrix, for writing."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), ir.PointerType(_BYTE))
        kind = ir.FunctionType(ir.VoidType(), [address.type, _INT, _INT, _INT])
        module = builder.module
        function = module.globals.get("llvm.prefetch.p0") or ir.Function(module, kind, "llvm.prefetch.p0")
        builder.call(function, [address, ir.Constant(_INT, 1), ir.Constant(_INT, 3), ir.Constant(_INT, 1)])
        return context.get_dummy_value()

    return types.void(matrix, place), generate


stack_floats: Any = intrinsic(prefer_literal=True)(_stack_floats)
prefetch: Any = intrinsic(_prefetch)
