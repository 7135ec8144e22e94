"""The picture: names do not overlap, groups have their colours, and odd text is drawn as it is."""

from __future__ import annotations

import io
import subprocess
import sys
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from song2vec.core.errors import ArgumentError
from song2vec.maps.picture import draw
from song2vec.maps.points import FreeSpace, labels, points
from song2vec.maps.theme import DARK, LIGHT


def some_songs(count: int = 300) -> pl.DataFrame:
    random = np.random.default_rng(0)
    artist = random.integers(0, count // 5, count)
    return pl.DataFrame(
        {
            "song": [f"s{row}" for row in range(count)],
            "artist": [f"The Artist Number {code}" for code in artist],
            "title": [f"Title {row}" for row in range(count)],
            "plays": random.integers(1, 500, count),
            "x": random.normal(artist % 7, 0.4),
            "y": random.normal(artist % 3, 0.4),
            "group": [f"group {code % 14}" for code in artist],
        }
    )


def names_on(figure: Figure) -> list[Text]:
    return [child for child in figure.axes[0].get_children() if isinstance(child, Text) and child.get_text()]


def legend_of(figure: Figure) -> list[str]:
    return [child.get_text() for child in figure.axes[1].get_children() if isinstance(child, Text) and child.get_text()]


def dots_of(axes: Axes) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(axes.collections[-1].get_offsets())


def test_names_are_many_apart_and_on_the_map() -> None:
    figure = draw(some_songs(), title="Map")
    figure.canvas.draw()
    texts = names_on(figure)
    assert len(texts) > 15
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    sheet = figure.axes[0].get_window_extent()
    assert all(sheet.x0 <= box.x0 and box.x1 <= sheet.x1 and sheet.y0 <= box.y0 and box.y1 <= sheet.y1 for box in boxes)


def test_every_song_is_a_dot_and_the_largest_groups_have_colours() -> None:
    songs = some_songs()
    figure = draw(songs, title="Map", legend="tag")
    assert len(dots_of(figure.axes[0])) == songs.height
    shown = legend_of(figure)
    assert shown[0] == "TAG"
    assert sum(text.startswith("group") for text in shown) == 10
    assert "other" in shown
    colours = {to_hex(colour) for colour in figure.axes[0].collections[-1].get_facecolors()}  # type: ignore[attr-defined]
    assert colours == {*LIGHT.hues, LIGHT.other}


def test_best_known_songs_are_drawn_larger() -> None:
    figure = draw(some_songs(), title="Map")
    sizes = figure.axes[0].collections[-1].get_sizes()  # type: ignore[attr-defined]
    assert sizes[-1] == pytest.approx(5 * sizes[0])  # drawn last, the best known are on top


def test_dark_is_light_on_dark() -> None:
    figure = draw(some_songs(20), title="Map", dark=True)
    assert to_hex(figure.get_facecolor()) == DARK.ground
    assert LIGHT.ground != DARK.ground


def test_the_same_table_gives_the_same_picture() -> None:
    def png() -> bytes:
        file = io.BytesIO()
        draw(some_songs(50), title="Map").savefig(file, format="png")
        return file.getvalue()

    assert png() == png()


@pytest.mark.parametrize("name", ["A$AP $x$ & Ke$ha", r"$\frac{1}{0}$", "_^{}\\", "two\nlines\tand a tab", "\u202eright to left", "日本語"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_odd_names_are_drawn_as_they_are(name: str) -> None:
    songs = some_songs(12).with_columns(artist=pl.lit(name), group=pl.lit(name))
    figure = draw(songs, title=name, subtitle=name, legend=name)
    figure.canvas.draw()
    figure.savefig(io.BytesIO(), format="svg")
    shown = [text.get_text() for text in names_on(figure)]
    assert len(shown) == 1
    assert shown[0].isprintable()
    assert "$" not in name or "$" in shown[0]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("columns", [["song", "x", "y"], ["song", "x", "y", "group"], ["song", "x", "y", "artist", "plays"]])
def test_few_songs_and_few_columns_are_enough(count: int, columns: list[str]) -> None:
    figure = draw(some_songs(20)[:count].select(columns), title="Map")
    figure.canvas.draw()
    assert names_on(figure)
    assert len(figure.axes) == (2 if "group" in columns else 1)


def test_songs_in_one_place_are_drawn() -> None:
    figure = draw(some_songs(150).with_columns(x=pl.lit(2.0), y=pl.lit(3.0)), title="Map")
    figure.canvas.draw()
    assert names_on(figure)


def test_a_table_without_coordinates_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no column x, y"):
        draw(pl.DataFrame({"song": ["a"]}), title="Map")


def test_no_window_system_and_no_global_state_is_touched() -> None:
    code = (
        "import sys, polars as pl; from song2vec.maps.picture import draw; import io\n"
        "draw(pl.DataFrame({'song': ['a'], 'x': [0.0], 'y': [0.0]}), title='').savefig(io.BytesIO())\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_name_lies_where_its_songs_are_densest() -> None:
    places = [(0.0, 0.0), (0.1, 0.0), (0.2, 0.1), (10.0, 10.0), (10.0, 0.0)]
    songs = pl.DataFrame({"song": range(5), "artist": ["A", "A", "A", "A", "B"], "x": [x for x, _ in places], "y": [y for _, y in places]})
    first, second = labels(points(songs), 10)
    assert (first.text, first.x, first.y) == ("A", 0.1, 0.0)
    assert (second.text, second.x, second.y) == ("B", 10.0, 0.0)
    assert (first.plays, second.plays) == (4.0, 1.0)  # songs count where plays are not known


def test_free_space_moves_what_overlaps_aside_and_refuses_what_does_not_fit() -> None:
    free = FreeSpace(100, 100, gap=1)
    assert free.take(50, 50, 20, 10) == (50, 50)
    moved = free.take(50, 50, 20, 10)
    assert moved is not None
    assert abs(moved[1] - 50) >= 11
    assert free.take(50, 50, 300, 10) is None
    assert len(free) == 2
    assert free.is_near(65, 50, 6)
    assert not free.is_near(65, 50, 4)
