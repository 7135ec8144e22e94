"""Models beside each other as a picture: bars with intervals, and quality against scoring time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from song2vec.core.errors import ArgumentError
from song2vec.maps.points import one_line, shortened
from song2vec.maps.theme import DARK, LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3  # panels side by side
_LONGEST = 28  # characters of a label
_DPI = 160


def draw(table: pl.DataFrame, titles: Mapping[str, str], *, subtitle: str = "", dark: bool = False) -> Figure:
    """Draw one row a model of ``table``: a panel of bars for each metric, and the first metric against ``p50_ms``.

    Args:
        table: ``model``, the metrics, their intervals under ``..._low`` and ``..._high`` where they have any, ``p50_ms``.
        titles: metric -> its heading, in the order of the panels; those without a figure in the table are left out.
        dark: light on dark.

    Returns a Matplotlib figure that belongs to no window and no global state; ``figure.savefig(path)`` writes it.
    Raises ArgumentError when the table has no model or no figure.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    theme = DARK if dark else LIGHT
    shown = {name: heading for name, heading in titles.items() if name in table.columns and table[name].drop_nulls().len()}
    if "model" not in table.columns or not shown:
        raise ArgumentError(
            f"table: {table.height} rows of {', '.join(table.columns)}; a column model and one of {', '.join(titles)} are needed"
        )
    timed = "p50_ms" in table.columns and table["p50_ms"].null_count() == 0
    panels = len(shown) + timed
    rows = -(-panels // _COLUMNS)
    figure = Figure(figsize=(12, 1.2 + rows * (1.4 + 0.24 * table.height)), dpi=_DPI, facecolor=theme.ground, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("Which song comes next?", color=theme.ink, fontsize=15, weight="bold", parse_math=False)
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for number, (name, heading) in enumerate(shown.items()):
        _bars(grid[number], table, name, heading, theme, labelled=number % _COLUMNS == 0)
    if timed:
        _against_time(grid[len(shown)], table, *next(iter(shown.items())), theme)
    for axes in grid[panels:]:
        axes.set_axis_off()
    figure.supxlabel(shortened(one_line(subtitle), 160), color=theme.quiet, fontsize=8.5, parse_math=False)
    return figure


def _bars(axes: Axes, table: pl.DataFrame, name: str, heading: str, theme: Theme, *, labelled: bool) -> None:
    """The first model on top; a model without a figure has no bar."""
    _plain(axes, heading, theme)
    places = range(table.height)
    axes.barh(places, table[name].fill_null(0).to_list(), height=0.66, color=_colours(table, theme), zorder=2)
    if f"{name}_low" in table.columns:
        bounded = table.with_row_index("place").drop_nulls([f"{name}_low", f"{name}_high"])
        axes.hlines(bounded["place"].to_list(), bounded[f"{name}_low"].to_list(), bounded[f"{name}_high"].to_list(), color=theme.ink,
                    linewidth=1.6, zorder=3)  # fmt: skip
    axes.set_yticks(places, _labels(table) if labelled else [""] * table.height, parse_math=False)
    axes.set_ylim(table.height - 0.4, -0.6)
    axes.grid(axis="x", color=theme.land[2], zorder=0)


def _against_time(axes: Axes, table: pl.DataFrame, name: str, heading: str, theme: Theme) -> None:
    """Upper left is best: right and quick."""
    from matplotlib.ticker import LogLocator, NullLocator

    _plain(axes, f"{heading} against ms a query", theme)
    known = table.drop_nulls(name)
    axes.scatter(known["p50_ms"].to_list(), known[name].to_list(), s=46, c=_colours(known, theme), zorder=3)
    for label, x, y in zip(_labels(known), known["p50_ms"], known[name], strict=True):
        axes.annotate(label, (x, y), (5, 4), textcoords="offset points", color=theme.ink, fontsize=7.5, parse_math=False)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    times = known["p50_ms"].to_numpy()
    axes.set_xlim(times.min() / 2, times.max() * 4)  # labels stand to the right
    axes.margins(y=0.2)
    axes.set_ylim(bottom=0)
    axes.grid(color=theme.land[2], zorder=0)


def _plain(axes: Axes, heading: str, theme: Theme) -> None:
    axes.set_title(heading, loc="left", color=theme.ink, fontsize=10, parse_math=False)
    axes.set_facecolor(theme.ground)
    axes.tick_params(colors=theme.quiet, labelsize=8, length=0)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _labels(table: pl.DataFrame) -> list[str]:
    return [shortened(one_line(label), _LONGEST) for label in table["model"].to_list()]


def _colours(table: pl.DataFrame, theme: Theme) -> list[str]:
    return [theme.hues[number % len(theme.hues)] for number in range(table.height)]
