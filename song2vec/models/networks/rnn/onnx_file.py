"""A recurrent network as an ONNX file: one step, songs and states in, scores and next states out.

Inputs are ``songs`` (batch,) int64 rows of the catalogue and ``state_0`` ... (batch, width) float32, zero for sessions that begin;
outputs are ``scores`` (batch, m) and ``next_0`` ..., to be passed in with the next songs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError, MissingExtraError
from song2vec.core.storage import write_atomically
from song2vec.models.networks.rnn.cells import CELLS, RELU
from song2vec.models.networks.rnn.network import Network

OPSET = 17


def write_onnx(network: Network, path: str | os.PathLike[str]) -> Path:
    """Write a network for other programs.

    Raises MissingExtraError without the onnx package, and ArgumentError for a network that needs more than songs and states.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnx", "onnx", "write_onnx") from error
    if network.shape.extra:
        raise ArgumentError(
            "write_onnx: this model needs its listeners too, which the file would lack; GRU4Rec and PlaylistRNN are allowed"
        )
    content = _Graph(onnx, network).model().SerializeToString()
    return write_atomically(path, lambda file: file.write_bytes(content))


@dataclass
class _Graph:
    """An ONNX graph as it grows; values are known by their names."""

    onnx: Any
    network: Network
    nodes: list[Any] = field(default_factory=list)
    weights: dict[str, Array] = field(default_factory=dict)

    def model(self) -> Any:
        """The whole of it."""
        helper, shape, float32 = self.onnx.helper, self.network.shape, self.onnx.TensorProto.FLOAT
        self.weights = self.network.arrays()
        self.weights["bias"] = self.weights["bias"][:, 0]
        x = self._add("Gather", ["output" if shape.input == "constrained" else "input", "songs"])
        width = shape.cell.states * shape.hidden
        given = [helper.make_tensor_value_info("songs", self.onnx.TensorProto.INT64, ["batch"])]
        made = [helper.make_tensor_value_info("scores", float32, ["batch", shape.songs])]
        for layer in range(shape.layers):
            gated = self._product(x, f"W{layer}", f"a{layer}") if f"W{layer}" in self.weights else self._add("Add", [x, f"a{layer}"])
            x = self._cell(gated, layer)
            given.append(helper.make_tensor_value_info(f"state_{layer}", float32, ["batch", width]))
            made.append(helper.make_tensor_value_info(f"next_{layer}", float32, ["batch", width]))
        self._product(x, "output", "bias", "scores")
        constants = [self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in self.weights.items()]
        graph = helper.make_graph(self.nodes, "step", given, made, constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)

    def _cell(self, gated: str, layer: int) -> str:
        """The next state of a layer, as ``cells`` has it, and the name of its output."""
        cell, state = self.network.shape.cell, f"state_{layer}"
        if cell is CELLS["lstm"]:
            return self._lstm(gated, state, layer)
        carried = self._product(state, f"U{layer}", f"b{layer}")
        if cell is not CELLS["gru"]:
            return self._add("Relu" if cell is RELU else "Tanh", [self._add("Add", [gated, carried])], f"next_{layer}")
        (x_r, x_z, x_n), (h_r, h_z, h_n) = (self._split(value, 3) for value in (gated, carried))
        reset, update = (self._add("Sigmoid", [self._add("Add", pair)]) for pair in ([x_r, h_r], [x_z, h_z]))
        new = self._add("Tanh", [self._add("Add", [x_n, self._add("Mul", [reset, h_n])])])
        kept = self._add("Mul", [update, self._add("Sub", [state, new])])
        return self._add("Add", [new, kept], f"next_{layer}")

    def _lstm(self, gated: str, state: str, layer: int) -> str:
        output, memory = self._split(state, 2)
        into, keep, out, new = self._split(self._add("Add", [gated, self._product(output, f"U{layer}", f"b{layer}")]), 4)
        into, keep, out = (self._add("Sigmoid", [gate]) for gate in (into, keep, out))
        memory = self._add("Add", [self._add("Mul", [keep, memory]), self._add("Mul", [into, self._add("Tanh", [new])])])
        output = self._add("Mul", [out, self._add("Tanh", [memory])])
        self._add("Concat", [output, memory], f"next_{layer}", axis=1)
        return output

    def _product(self, x: str, weights: str, shift: str, name: str | None = None) -> str:
        """x W^T + b."""
        return self._add("Gemm", [x, weights, shift], name, transB=1)

    def _split(self, value: str, parts: int) -> list[str]:
        """Equal parts of the columns."""
        names = [f"{value}_{part}" for part in range(parts)]
        size = f"{value}_sizes"
        self.weights[size] = np.full(parts, self.network.shape.hidden, np.int64)
        self.nodes.append(self.onnx.helper.make_node("Split", [value, size], names, axis=1))
        return names

    def _add(self, kind: str, inputs: list[str], name: str | None = None, **attributes: Any) -> str:
        name = name or f"v{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], **attributes))
        return name
