"""A song map as one HTML page that loads nothing: data, style and script are all within it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib import resources
from typing import Any

import numpy as np
import polars as pl

from song2vec.maps.points import Points, labels, one_line, points
from song2vec.maps.theme import DARK, LIGHT, Theme, mixed

_SPAN = 60_000  # coordinates are whole numbers from 0: a screen pixel still has its own when zoomed in 30 times
_LABELS = 2000  # best-known artists that may be named
_PLACE = re.compile(r"{{(\w+)}}")


def render(table: pl.DataFrame, *, title: str, subtitle: str = "", legend: str = "") -> str:
    """The page of a table of columns x, y, song and, where known, artist, title, plays, group.

    Titles come from logs and may be hostile: they reach the page as escaped JSON and are shown as text, never read as
    markup; the page's own policy forbids any script but its own and any address.
    Raises ArgumentError when the table lacks a column or a coordinate is not finite.
    """
    parts = {
        "title": _escaped(one_line(title)),
        "subtitle": _escaped(one_line(subtitle)),
        "light": _variables(LIGHT),
        "dark": _variables(DARK),
        "data": _json(_data(points(table), one_line(legend), has_plays="plays" in table.columns)),
    }
    template = resources.files("song2vec.maps").joinpath("page.html").read_text(encoding="utf-8")
    # filled in one pass, so that a title like {{data}} stays a title
    page = _PLACE.sub(lambda found: parts.get(found[1], found[0]), template)
    for element, text in (("style", page), ("script", template)):  # by these, the page's policy knows its own
        content = text.partition(f"<{element}>")[2].partition(f"</{element}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        page = page.replace(f"{{{{{element}_hash}}}}", f"sha256-{digest}", 1)
    return page


def _data(songs: Points, legend: str, *, has_plays: bool) -> dict[str, Any]:
    low, span = songs.xy.min(axis=0), float(np.ptp(songs.xy, axis=0).max()) or 1.0
    scaled = (songs.xy - low) / span * _SPAN
    height = scaled[:, 1].max()
    artists = sorted({artist for artist in songs.artists if artist is not None})
    code_of: dict[str | None, int] = {artist: code for code, artist in enumerate(artists)} | {None: -1}
    named = labels(songs, _LABELS)
    return {
        "span": _SPAN,
        "legend": legend,
        "groups": songs.groups,
        "others": songs.others,
        "hues": LIGHT.hues,
        "artists": artists,
        "x": _whole(scaled[:, 0]),
        "y": _whole(height - scaled[:, 1]),  # screens count downwards
        "group": songs.codes.tolist(),
        "size": _whole((songs.sizes - 1) / 4 * 255),
        "plays": _whole(songs.plays) if has_plays else None,
        "artist": [code_of[artist] for artist in songs.artists],
        "name": songs.names,
        "labels": [
            [label.text, *_whole(((label.x - low[0]) / span * _SPAN, height - (label.y - low[1]) / span * _SPAN)),
             round((label.plays / named[0].plays) ** 0.5, 3), label.group]
            for label in named
        ],
    }  # fmt: skip


def _whole(values: Any) -> list[int]:
    return [int(value) for value in np.rint(values).astype(np.int64).tolist()]


def _json(data: dict[str, Any]) -> str:
    """JSON that no HTML parser can leave or misread, and in which no address stands as such."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.replace("/", "\\/")


def _escaped(text: str) -> str:
    return html.escape(text).replace("/", "&#47;").replace("{", "&#123;")


def _variables(theme: Theme) -> str:
    colours = {"ground": theme.ground, "ink": theme.ink, "quiet": theme.quiet, "other": theme.other, "focus": theme.hues[0]}
    colours |= {"line": mixed(theme.ground, theme.ink, 0.16)} | {f"land{step}": colour for step, colour in enumerate(theme.land, 1)}
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
