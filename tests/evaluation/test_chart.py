"""The picture of a comparison: a bar a model, its interval, and quality against time."""

from __future__ import annotations

import io
import subprocess
import sys

import polars as pl
import pytest
from matplotlib.colors import to_hex

from song2vec.core.errors import ArgumentError
from song2vec.evaluation.chart import draw
from song2vec.maps.theme import DARK, LIGHT

TITLES = {"mrr": "MRR@20", "coverage": "coverage@20", "diversity": "diversity@20"}
TABLE = pl.DataFrame(
    {"model": ["popularity", "markov"], "mrr": [0.1, 0.3], "mrr_low": [0.09, 0.25], "mrr_high": [0.12, 0.33], "coverage": [0.01, None]}
)
TIMED = TABLE.with_columns(p50_ms=pl.Series([0.01, 2.5]))


def headings(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.axison]


def test_every_metric_there_is_has_a_panel():
    assert headings(draw(TABLE, TITLES)) == ["MRR@20", "coverage@20"]
    assert headings(draw(TIMED, TITLES)) == ["MRR@20", "coverage@20", "MRR@20 against ms a query"]


def test_bars_and_intervals_are_where_the_figures_are():
    axes = draw(TABLE, TITLES).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.1, 0.3]
    assert [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()] == [[0.09, 0.12], [0.25, 0.33]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["popularity", "markov"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top


def test_models_have_places_by_time_and_quality():
    axes = draw(TIMED, TITLES).axes[2]
    assert axes.collections[0].get_offsets().tolist() == [[0.01, 0.1], [2.5, 0.3]]
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.texts] == ["popularity", "markov"]


def test_dark_is_light_on_dark():
    assert to_hex(draw(TABLE, TITLES, dark=True).get_facecolor()) == DARK.ground
    assert to_hex(draw(TABLE, TITLES).get_facecolor()) == LIGHT.ground


@pytest.mark.parametrize("label", [r"$\frac{1}{0}$", "_^{}\\", "two\nlines", "x" * 200])
def test_odd_labels_are_drawn_as_they_are(label):
    figure = draw(TIMED.with_columns(model=pl.lit(label)), TITLES, subtitle=label)
    figure.savefig(io.BytesIO(), format="svg")
    shown = figure.axes[0].get_yticklabels()[0].get_text()
    assert len(shown) <= 28
    assert shown.isprintable()


@pytest.mark.parametrize("models", [1, 2, 25])
def test_few_and_many_models_are_drawn(models):
    table = pl.DataFrame({"model": [f"model {number}" for number in range(models)], "mrr": [0.5] * models, "p50_ms": [1.0] * models})
    figure = draw(table, TITLES)
    figure.canvas.draw()
    assert len(figure.axes[0].patches) == models


@pytest.mark.parametrize("table", [TABLE.drop("model"), TABLE.select("model"), TABLE.clear()])
def test_a_table_without_figures_is_refused(table):
    with pytest.raises(ArgumentError, match="table: "):
        draw(table, TITLES)


def test_no_window_system_and_no_global_state_is_touched():
    code = (
        "import sys, io, polars as pl; from song2vec.evaluation.chart import draw\n"
        "draw(pl.DataFrame({'model': ['a'], 'mrr': [0.5], 'p50_ms': [1.0]}), {'mrr': 'MRR'}).savefig(io.BytesIO())\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
