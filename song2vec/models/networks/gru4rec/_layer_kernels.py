"""The inner loops of a GRU layer on a processor: gradients by hand, free of the interpreter.

Units are rows and sessions columns, so that all of a gate lies together and loops are long; they compile to vector instructions.
The same sums as in the module, which serves every other network and a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.jit import compiled
from song2vec.core.simd import float_of
from song2vec.nn import adagrad

# sums may be reordered and divisions by 0 are not checked: else loops stay scalar
_FAST = {"reassoc", "nsz", "contract", "arcp"}
jit: Callable[..., Any] = compiled(error_model="numpy", fastmath=_FAST)
ZERO, ONE, TWO, LIMIT, LOG2E = np.float32(0), np.float32(1), np.float32(2), np.float32(87), np.float32(1.4426950408889634)
EPSILON = np.float32(adagrad.EPSILON)
F2, F3, F4, F5, F6 = (np.float32(c) for c in (0.240226507, 0.0555041087, 0.00961812911, 0.00133335581, 0.000154035304))
F1 = np.float32(0.693147181)  # 2**t = 1 + F1 t + F2 t^2 + ...


@compiled(error_model="numpy", fastmath={"nsz", "contract"})
def exp(x: Any) -> Any:
    """To 3e-7; numbers beyond +-87 count as those. Sums in another order would be less exact."""
    scaled = min(max(x, -LIMIT), LIMIT) * LOG2E
    whole = np.int32(scaled + np.float32(127.5))
    t = scaled - np.float32(np.int32(whole - 127))
    return ((((((F6 * t + F5) * t + F4) * t + F3) * t + F2) * t + F1) * t + ONE) * float_of(whole << np.int32(23))


@jit
def gru_forward(gates: Array, carried: Array, before: Array, after: Array) -> None:
    """Gated inputs (3 hidden, rows) become r, z and n; ``after`` (hidden, rows) the next states."""
    r, z, n, _, _, carried_n = _thirds(gates, carried)
    flat, from_state = gates.reshape(-1), carried.reshape(-1)
    state, now = before.reshape(-1), after.reshape(-1)
    for j in range(2 * len(state)):
        flat[j] = ONE / (ONE + exp(-(flat[j] + from_state[j])))
    for j in range(len(state)):
        drive = n[j] + r[j] * carried_n[j]
        n[j] = TWO / (ONE + exp(-TWO * drive)) - ONE
    for j in range(len(state)):
        now[j] = n[j] + z[j] * (state[j] - n[j])


@jit
def gru_backward(gates: Array, carried: Array, before: Array, slope: Array) -> None:
    """From the gradient by the next state: r, z, n become the gradient by the gated input, ``carried`` that by U h + b."""
    r, z, n, carried_r, carried_z, carried_n = _thirds(gates, carried)
    state, back = before.reshape(-1), slope.reshape(-1)
    for j in range(len(state)):
        by_n = back[j] * (ONE - z[j]) * (ONE - n[j] * n[j])
        z[j] = back[j] * (state[j] - n[j]) * z[j] * (ONE - z[j])
        n[j] = by_n
    for j in range(len(state)):
        by_n_carried = n[j] * r[j]
        r[j] = n[j] * carried_n[j] * r[j] * (ONE - r[j])
        carried_n[j] = by_n_carried
    carried_r[:] = r
    carried_z[:] = z


@jit
def _thirds(gates: Array, carried: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
    """What belongs to r, z and n, flat."""
    size = gates.size // 3
    one, other = gates.reshape(-1), carried.reshape(-1)
    return one[:size], one[size : 2 * size], one[2 * size :], other[:size], other[size : 2 * size], other[2 * size :]
