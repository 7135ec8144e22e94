"""Input and output vectors of word2vec added up, against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vectors.test_objective import tiny_model


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_unit_outputs_are_added_to_unit_inputs_by_their_weight():
    model, weights = tiny_model(hierarchical=False)
    inputs, outputs = unit(model.wv.vectors), unit(model.syn1neg)
    for weight in (0.3, 1.0):
        found = weights.with_context(weight)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, inputs + weight * outputs, atol=1e-6)


def test_the_output_of_hierarchical_softmax_is_the_mean_of_its_path_turned_towards_the_song():
    model, weights = tiny_model(hierarchical=True)
    outputs = []
    for song in range(5):
        code, point = (model.wv.get_vecattr(str(song), name) for name in ("code", "point"))
        outputs.append(np.mean([model.syn1[node] * (-1 if bit else 1) for bit, node in zip(code, point, strict=True)], axis=0))
    np.testing.assert_allclose(weights.with_context(0.5), unit(model.wv.vectors) + 0.5 * unit(np.array(outputs)), atol=1e-6)


@pytest.mark.parametrize("hierarchical", [True, False])
def test_with_no_weight_inputs_stay_as_they_are_and_are_a_copy(hierarchical):
    model, weights = tiny_model(hierarchical)
    found = weights.with_context(0)
    assert found.tolist() == model.wv.vectors.tolist()
    model.wv.vectors[:] = 0
    assert found.any()
