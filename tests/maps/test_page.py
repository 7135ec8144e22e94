"""The page: hostile text stays text, nothing is loaded, and what it holds is what the table held."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.core.errors import ArgumentError
from song2vec.maps.page import render
from song2vec.maps.points import one_line

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!-- <script>",
    '"><img src=x onerror=alert(1)>',
    "http://evil.example/x.js",
    "//evil.example",
    "{{data}} {{script_hash}}",
    "\\u003c/script>",
    "' or 1=1; \\",
    "]]>",
    "&lt;b&gt;",
    "Sigur Rós – 日本語 🎵",
]


class Page(HTMLParser):
    """Tags with their attributes, and the text of every script and style."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside][-1] += data

    @property
    def data(self) -> Any:
        return json.loads(self.texts["script"][0])


def table(titles: list[str], **columns: object) -> pl.DataFrame:
    count = len(titles)
    frame = pl.DataFrame({"song": [f"id{row}" for row in range(count)], "title": titles}, schema_overrides={"title": pl.String})
    places = np.random.default_rng(0).normal(size=(2, count))
    return frame.with_columns(x=places[0], y=places[1], **{name: pl.Series(values) for name, values in columns.items()})  # type: ignore[call-overload]


def test_hostile_titles_artists_and_groups_come_back_as_text() -> None:
    text = render(table(HOSTILE, artist=HOSTILE, group=HOSTILE), title=HOSTILE[0], subtitle=HOSTILE[2], legend=HOSTILE[1])
    page = Page(text)
    assert page.data["name"] == HOSTILE
    assert [page.data["artists"][code] for code in page.data["artist"]] == HOSTILE
    assert set(page.data["groups"]) < set(HOSTILE)
    assert page.data["legend"] == HOSTILE[1]
    assert page.texts["h1"] == [HOSTILE[0]]
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in page.tags]


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5), st.text(st.characters(codec="utf-8"), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back(titles: list[str], headline: str) -> None:
    text = render(table(titles), title=headline)
    page = Page(text)
    assert page.data["name"] == [one_line(title) or f"id{row}" for row, title in enumerate(titles)]
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert page.texts["h1"][0] == one_line(headline)


def test_no_address_of_another_host_is_in_it() -> None:
    text = render(table(HOSTILE, artist=HOSTILE), title="https://evil.example", subtitle="http://evil.example")
    assert "http://" not in text.lower()
    assert "https://" not in text.lower()
    loading = ("src", "href", "action", "srcset")
    links = [attributes[name] for _, attributes in Page(text).tags for name in loading if name in attributes]
    assert links == ["data:,"]


def test_its_policy_allows_its_own_style_and_script_only() -> None:
    page = Page(render(table(["One"]), title="Map"))
    policy = next(attributes["content"] or "" for tag, attributes in page.tags if attributes.get("http-equiv") == "Content-Security-Policy")

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    assert policy == (
        f"default-src 'none'; img-src data:; style-src {digest(page.texts['style'][0])}; script-src {digest(page.texts['script'][1])}"
    )
    handlers = [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert not handlers


def test_its_script_never_writes_markup() -> None:
    script = Page(render(table(["One"]), title="Map")).texts["script"][1]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttpRequest", script)


def test_columns_are_compact_and_whole() -> None:
    songs = table(["One", "Two", "Three"], artist=["A", "A", None], plays=[3, 1, 0], group=["pop", None, "rock"])
    data = Page(render(songs, title="Map")).data
    assert data["artists"] == ["A"]
    assert data["artist"] == [0, 0, -1]
    assert data["plays"] == [3, 1, 0]
    assert [data["groups"][code] if code >= 0 else None for code in data["group"]] == ["pop", None, "rock"]
    assert (min(data["x"]), min(data["y"])) == (0, 0)
    assert max(data["x"] + data["y"]) == data["span"]
    assert all(isinstance(value, int) for value in data["x"] + data["y"] + data["size"])
    assert data["labels"][0][0] == "A"
    highest = int(np.argmax(songs["y"].to_numpy()))
    assert data["y"][highest] == 0  # screens count downwards


def test_a_song_without_title_is_named_by_its_id_and_plays_may_be_unknown() -> None:
    data = Page(render(pl.DataFrame({"song": [7], "x": [1.0], "y": [2.0]}), title="Map")).data
    assert data["name"] == ["7"]
    assert data["plays"] is None
    assert data["groups"] == []


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame({"x": [1.0], "y": [1.0]}), "no column song"),
        (pl.DataFrame({"song": ["a", "b"], "x": [1.0, None], "y": [1.0, 1.0]}), "1 of them with finite"),
        (pl.DataFrame({"song": [], "x": [], "y": []}), "0 songs"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_refused(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        render(frame, title="Map")
