"""A song map as a picture: PNG, SVG or PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from song2vec.maps.points import FreeSpace, Label, Points, labels, one_line, points, shortened
from song2vec.maps.theme import DARK, LIGHT, Theme, mixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_WIDTH, _HEIGHT, _DPI = 12.0, 7.5, 160  # inches, dots an inch
_MAP = (0.02, 0.025, 0.765, 0.865)  # left, bottom, width, height as shares of the figure
_LEGEND = (0.8, 0.025, 0.19, 0.865)
_CANDIDATES, _BEST_KNOWN, _LABELS = 600, 36, 50  # names that are tried, shown for being best known, and shown at most
_LONELY = 0.085  # of the map's width: after the best known, only names this far from all others, so that no region stays without
_LAND_FROM = 100  # songs: fewer make no land
_RASTER_FROM = 20_000  # songs: as vectors, SVG and PDF would take seconds to open
_FONTS = ("Inter", "Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "Noto Sans")
_FALLBACKS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "Yu Gothic", "Malgun Gothic", "Noto Sans Arabic")


def draw(table: pl.DataFrame, *, title: str, subtitle: str = "", legend: str = "", dark: bool = False) -> Figure:
    """Draw a table of columns x, y, song and, where known, artist, title, plays, group.

    Args:
        legend: the heading of the legend.
        dark: light on dark.

    Returns a Matplotlib figure that belongs to no window and no global state; ``figure.savefig(path)`` writes it.
    Raises ArgumentError when the table lacks a column or a coordinate is not finite.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    songs, theme = points(table), DARK if dark else LIGHT
    figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, facecolor=theme.ground)
    FigureCanvasAgg(figure)
    write = {"transform": figure.transFigure, "ha": "left", "va": "baseline"}
    figure.add_artist(_text(0.025, 0.943, shortened(one_line(title), 80), 19, theme.ink, weight="bold", **write))
    figure.add_artist(_text(0.0255, 0.908, shortened(one_line(subtitle), 140), 10.5, theme.quiet, **write))
    axes = figure.add_axes(_MAP if songs.groups else (_MAP[0], _MAP[1], 1 - 2 * _MAP[0], _MAP[3]))
    _set_limits(axes, songs)
    _land(axes, songs, theme)
    _dots(axes, songs, theme)
    _names(axes, songs, theme)
    if songs.groups:
        _legend(figure, songs, theme, legend)
    return figure


def _set_limits(axes: Axes, songs: Points) -> None:
    """The whole map, as large as fits, one unit as long across as up."""
    low, high = songs.xy.min(axis=0), songs.xy.max(axis=0)
    centre, span = (low + high) / 2, high - low
    box = axes.get_window_extent()
    shore = 0.07 * box.width
    scale = max(span[0] / (box.width - shore), span[1] / (box.height - shore)) or 1 / box.width
    axes.set_xlim(centre[0] - scale * box.width / 2, centre[0] + scale * box.width / 2)
    axes.set_ylim(centre[1] - scale * box.height / 2, centre[1] + scale * box.height / 2)
    axes.set_axis_off()


def _land(axes: Axes, songs: Points, theme: Theme) -> None:
    """Faint shores around places with many songs; a little beyond the map's limits, so that none is cut."""
    from scipy.ndimage import gaussian_filter

    if len(songs) < _LAND_FROM:
        return
    limits = np.array([axes.get_xlim(), axes.get_ylim()])
    limits += 0.05 * np.ptp(limits[0]) * np.array([-1, 1])
    across, up = 240, round(240 * np.ptp(limits[1]) / np.ptp(limits[0]))
    counts, x_edges, y_edges = np.histogram2d(songs.xy[:, 0], songs.xy[:, 1], bins=(across, up), range=limits.tolist())
    density = gaussian_filter(counts.T, min(5.0, 34 / len(songs) ** 0.25))
    levels = np.unique(np.quantile(density[density > density.max() * 0.02], [0.12, 0.45, 0.75]))
    middles = (x_edges[:-1] + x_edges[1:]) / 2, (y_edges[:-1] + y_edges[1:]) / 2
    shores = axes.contourf(*middles, density, levels=[*levels, np.inf], colors=theme.land[: len(levels)], zorder=0)
    shores.set_clip_on(False)


def _dots(axes: Axes, songs: Points, theme: Theme) -> None:
    """Little-known songs first, so that no group lies over another and the known ones are on top."""
    order = np.argsort(songs.plays, kind="stable")
    colours = np.array([*theme.hues[: len(songs.groups)], theme.other])[songs.codes]
    dot = min(275 / len(songs) ** 0.5, 40.0)  # square points, of the least played song
    axes.scatter(
        songs.xy[order, 0], songs.xy[order, 1], s=dot * songs.sizes[order], c=colours[order], alpha=0.78,
        linewidths=0.35 if len(songs) <= 5000 else 0, edgecolors=theme.ground, zorder=2, rasterized=len(songs) > _RASTER_FROM,
    )  # fmt: skip


def _names(axes: Axes, songs: Points, theme: Theme) -> None:
    """Best-known names first, each where a place is free; sizes are measured as the font draws them."""
    box = axes.get_window_extent()
    free = FreeSpace(box.width, box.height, gap=5.0)
    found = labels(songs, _CANDIDATES)
    for label in found:
        x, y = (float(value) for value in axes.transData.transform((label.x, label.y)) - (box.x0, box.y0))
        if len(free) >= _LABELS or (len(free) >= _BEST_KNOWN and free.is_near(x, y, _LONELY * box.width)):
            continue
        text = _label_text(label, found[0].plays, theme)
        axes.add_artist(text)
        extent = text.get_window_extent()
        place = free.take(x, y, extent.width, extent.height)
        if place is None:
            text.remove()
        else:
            left, low = axes.transData.inverted().transform((place[0] + box.x0, place[1] + box.y0))
            text.set_position((left, low))


def _label_text(label: Label, most: float, theme: Theme) -> Text:
    from matplotlib.patheffects import Normal, withStroke

    share = (label.plays / most) ** 0.5
    colour = theme.ink if label.group < 0 else mixed(theme.hues[label.group], theme.ink, 0.55)
    weight = "bold" if share > 0.6 else "normal"
    text = _text(label.x, label.y, label.text, 7.0 + 5.0 * share, colour, weight=weight, ha="center", va="center")
    text.set_path_effects([withStroke(linewidth=2.6, foreground=theme.ground, alpha=0.9), Normal()])
    text.set_zorder(4)
    return text


def _legend(figure: Figure, songs: Points, theme: Theme, heading: str) -> None:
    axes = figure.add_axes(_LEGEND)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    entries = [(name, theme.hues[code], int((songs.codes == code).sum())) for code, name in enumerate(songs.groups)]
    if (songs.codes < 0).any():
        entries.append(("other" if songs.others else "none", theme.other, int((songs.codes < 0).sum())))
    y = 0.5 + 0.024 * len(entries)
    axes.add_artist(_text(0.0, y + 0.012, shortened(one_line(heading), 30).upper(), 7.5, theme.quiet, weight="bold", va="bottom"))
    for number, (name, colour, count) in enumerate(entries):
        place = y - 0.048 * (number + 0.7)
        axes.scatter([0.02], [place], s=42, c=[colour], linewidths=0, clip_on=False)
        number_of_songs = _text(1.0, place, f"{count:,}", 8, theme.quiet, ha="right", va="center_baseline")
        text = _text(0.075, place, name, 9, theme.ink, va="center_baseline")
        axes.add_artist(number_of_songs)
        axes.add_artist(text)
        _fit(text, number_of_songs.get_window_extent().x0 - axes.transData.transform((0.1, 0))[0])


def _fit(text: Text, width: float) -> None:
    """Cut a text until it is at most so many pixels wide."""
    whole = text.get_text()
    most = len(whole)
    while most > 1 and text.get_window_extent().width > width:
        most -= 1
        text.set_text(shortened(whole, most))


def _text(x: float, y: float, text: str, size: float, colour: str, **style: object) -> Text:
    """Text that is never read as a formula: artists have dollar signs in their names."""
    from matplotlib.font_manager import get_font_names
    from matplotlib.text import Text

    # a plain font of this machine, and fonts for the scripts it lacks; only installed ones, as Matplotlib warns of every other
    installed = set(get_font_names())
    family = [name for name in _FONTS if name in installed][:1] + [name for name in _FALLBACKS if name in installed]
    return Text(x, y, text, color=colour, fontsize=size, family=family, parse_math=False, **style)  # type: ignore[arg-type]
