"""Code below numba's language: an instruction that loops want and numba has no name for."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils  # type: ignore[attr-defined]
from numba.extending import intrinsic

LINE = 16  # float32 in a cache line
_BYTE, _INT = ir.IntType(8), ir.IntType(32)


def _prefetch(typing: Any, table: Any, row: Any, place: Any) -> Any:
    """Ask for the cache line of a number of a table, before it is needed."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        array = context.make_array(kind)(context, builder, given[0])
        address = cgutils.get_item_pointer(context, builder, kind, array, given[1:], wraparound=False)  # type: ignore[no-untyped-call]
        address = builder.bitcast(address, _BYTE.as_pointer())
        module, name = builder.module, "llvm.prefetch.p0"
        hint = module.globals.get(name) or ir.Function(module, ir.FunctionType(ir.VoidType(), [address.type, _INT, _INT, _INT]), name)
        builder.call(hint, [address, ir.Constant(_INT, 1), ir.Constant(_INT, 3), ir.Constant(_INT, 1)])
        return context.get_dummy_value()

    return types.void(table, types.intp, types.intp), generate  # type: ignore[no-untyped-call]


prefetch: Any = intrinsic(_prefetch)
