"""A recurrent network as an ONNX file: one step, songs and states in, scores and next states out."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from song2vec.core.errors import ArgumentError, MissingExtraError
from song2vec.core.storage import write_atomically
from song2vec.models.networks.recurrent.network import RecurrentNetwork

OPSET = 17


def export_onnx(network: RecurrentNetwork, path: str | os.PathLike[str]) -> Path:
    """:meth:`RecurrentModel.export_onnx` of its network."""
    try:
        import onnx  # noqa: F401  (torch.onnx checks what it wrote with it)
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnx", "onnx", "export_onnx") from error
    if type(network) is not RecurrentNetwork:
        raise ArgumentError(
            "export_onnx: this model needs its listeners too, which the file would lack; GRU4Rec and PlaylistRNN are allowed"
        )
    numbers = range(len(network.widths))
    given, made = ["songs", *(f"state_{number}" for number in numbers)], ["scores", *(f"next_{number}" for number in numbers)]
    example = (torch.zeros(2, dtype=torch.int64), *network.blank_states(2))

    def write(file: Path) -> None:
        with warnings.catch_warnings():  # the newer exporter needs more packages
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                _Step(network),
                example,
                file,
                input_names=given,
                output_names=made,
                dynamic_axes={name: {0: "batch"} for name in given + made},
                opset_version=OPSET,
                dynamo=False,
            )

    return write_atomically(path, write)


class _Step(nn.Module):
    """One step, with all that goes in and comes out as tensors."""

    def __init__(self, network: RecurrentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, songs: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """(batch,) songs and states -> (batch, songs of the catalogue) scores and the next states."""
        output, after = self.network.step(self.network.embed(songs), list(states))
        return self.network.scores(output), *after
