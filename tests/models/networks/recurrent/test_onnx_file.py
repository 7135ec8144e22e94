# ruff: noqa: E402 (without torch the modules cannot be imported)
"""The ONNX file, run by onnxruntime step by step, scores as the model does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from song2vec.core.errors import ArgumentError
from song2vec.models.networks.gru4rec.model import GRU4Rec
from song2vec.models.networks.hrnn import HRNN
from song2vec.models.networks.playlist_rnn import PlaylistRNN
from song2vec.testing.planted import listen

SMALL: dict[str, Any] = {"hidden": 6, "epochs": 1, "workers": 1, "progress": False}
MADE = [
    GRU4Rec(**SMALL, n_negatives=8, layers=2, input="embedding", size=5),
    GRU4Rec(**SMALL, n_negatives=8, cell="lstm", layers=2),
    GRU4Rec(**SMALL, n_negatives=8, cell="rnn", input="one-hot"),
    PlaylistRNN(**SMALL),
]


@pytest.mark.parametrize("model", MADE)
def test_runs_as_the_model_does(model, tmp_path):
    train, test = listen("follows", 0.8, sessions=60)
    model.fit(train)
    session = onnxruntime.InferenceSession(model.export_onnx(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    states = {f"state_{layer}": np.zeros((3, width), np.float32) for layer, width in enumerate(model.network_.widths)}
    for step in range(8):
        plays = test.offsets[:3] + step
        scores, *after = session.run(None, {"songs": test.songs[plays].astype(np.int64), **states})
        states = dict(zip(states, after, strict=True))
        np.testing.assert_allclose(scores, model.score(test, plays), atol=1e-5)


def test_a_network_over_listeners_is_refused(tmp_path):
    model = HRNN(**SMALL, n_negatives=8).fit(listen("follows", 0.8, sessions=20)[0])
    with pytest.raises(ArgumentError, match="listeners"):
        model.export_onnx(tmp_path / "model.onnx")
