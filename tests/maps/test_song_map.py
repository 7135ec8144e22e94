"""Maps: neighbours stay neighbours, the same seed gives the same map, and few songs are no special case for the caller."""

from __future__ import annotations

import importlib.util
import json
import logging
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError, MissingExtraError, NothingLeftError, UnknownSongError
from song2vec.maps import SongMap, layout, song_map
from song2vec.maps.layout import idle_cores
from song2vec.vectors.song_vectors import SongVectors

CLUSTERS, EACH = 6, 25
SONGS = CLUSTERS * EACH
CLUSTER_OF = np.arange(SONGS) % CLUSTERS
needs_opentsne = pytest.mark.skipif(importlib.util.find_spec("openTSNE") is None, reason="openTSNE, the extra maps, is not installed")
METHODS = ["sklearn", pytest.param("opentsne", marks=needs_opentsne)]


def planted(songs: int = SONGS, *, artists: bool = True) -> SongVectors:
    """Songs in six clusters, ``cluster = row % 6``; artists keep to a cluster and come in two sizes there."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((CLUSTERS, 16))
    rows = np.arange(songs)
    matrix = centres[rows % CLUSTERS] + 0.35 * random.standard_normal((songs, 16))
    names = [f"Artist {row % CLUSTERS}{'a' if row // CLUSTERS % 3 else 'b'}" for row in rows]
    titles = [f"Title {row}" for row in rows]
    catalogue = Catalogue([f"s{row}" for row in rows], 100 - rows % 100, names if artists else None, titles if artists else None)
    return SongVectors(matrix, catalogue)


def coordinates(found: SongMap) -> Array:
    return found.table.select("x", "y").to_numpy()


@pytest.fixture(scope="module")
def by_sklearn() -> SongMap:
    return song_map(planted(), method="sklearn", colour_by="cluster")


@pytest.fixture(scope="module")
def by_opentsne() -> SongMap:
    return song_map(planted(), method="opentsne", colour_by="cluster")


@pytest.fixture(params=METHODS)
def planted_map(request: pytest.FixtureRequest) -> SongMap:
    found: SongMap = request.getfixturevalue(f"by_{request.param}")
    assert found.method == request.param
    return found


def test_a_map_is_a_table_in_the_order_of_the_catalogue(by_sklearn: SongMap) -> None:
    assert by_sklearn.table.columns == ["song", "artist", "title", "plays", "x", "y", "group"]
    assert by_sklearn.table["song"].to_list() == [f"s{row}" for row in range(SONGS)]
    assert by_sklearn.table.schema["x"] == pl.Float64
    assert by_sklearn.perplexity == pytest.approx(SONGS**0.5)
    assert repr(by_sklearn) == "SongMap(150 songs, sklearn, coloured by cluster)"


def test_songs_of_a_cluster_lie_together(planted_map: SongMap) -> None:
    points = coordinates(planted_map)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    nearest = np.argsort(distances, axis=1)[:, 1:11]
    assert (CLUSTER_OF[nearest] == CLUSTER_OF[:, None]).mean() > 0.95
    assert np.ptp(points[:, 0]) > 1  # and are not all in one place


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_bytes(method: layout.Method) -> None:
    unit = planted(60).unit
    one, again, other = (layout.lay_out(unit, method=method, workers=1, seed=seed).points for seed in (0, 0, 1))
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()


def test_global_generators_stay_untouched() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    song_map(planted(30))
    assert (np.random.get_state()[1] == before).all()


@pytest.mark.parametrize("songs", [1, 2, 3, 5, 9, 10, 11, 13])
@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_few_songs_make_a_map_too(songs: int, method: layout.Method, tmp_path: Path) -> None:
    found = song_map(planted(songs), method=method)
    assert len(found) == songs
    assert np.isfinite(coordinates(found)).all()
    assert (found.method == "pca") == (songs < 10)
    assert (found.perplexity is None) == (songs < 10)
    assert len(found.place(planted(songs + 4))) == songs + 4
    assert found.save(tmp_path / "map.html").exists()
    assert found.save(tmp_path / "map.png").exists()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("matrix", [np.zeros((12, 4)), np.ones((12, 4)), np.eye(12), np.arange(12.0)[:, None]])
def test_vectors_that_are_zero_equal_or_of_one_number_make_a_map(matrix: Array, method: layout.Method) -> None:
    assert np.isfinite(coordinates(song_map(SongVectors(matrix, list(range(12))), method=method))).all()


@needs_opentsne
def test_auto_takes_scikit_learn_for_few_songs_and_opentsne_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "SWITCH", 20)
    assert song_map(planted(20)).method == "sklearn"
    assert song_map(planted(21)).method == "opentsne"


def test_without_opentsne_auto_warns_and_falls_back(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(layout.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(layout, "SWITCH", 20)
    with caplog.at_level(logging.WARNING, "song2vec"):
        assert song_map(planted(20)).method == "sklearn"
        assert not caplog.messages
        assert song_map(planted(21)).method == "sklearn"
    assert "song2vec[maps]" in caplog.text
    with pytest.raises(MissingExtraError, match=r"song2vec\[maps\]"):
        song_map(planted(12), method="opentsne")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "umap"}, "method='umap'"),
        ({"perplexity": 0.5}, "perplexity=0.5"),
        ({"perplexity": "high"}, "perplexity='high'"),
        ({"perplexity": float("nan")}, "perplexity=nan"),
        ({"perplexity": 40}, "at most 9.7"),
        ({"colour_by": "genre"}, "colour_by='genre'"),
        ({"colour_by": {"s0": None, "other": "pop"}}, "colour_by: none of its 2 songs"),
        ({"seed": -1}, "seed=-1"),
        ({"max_songs": 0}, "max_songs=0"),
        ({"workers": 0}, "workers=0"),
        ({"songs": "s1"}, "songs='s1'"),
    ],
)
def test_arguments_that_are_not_allowed_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        song_map(planted(30), **options)  # type: ignore[arg-type]


def test_songs_and_max_songs_choose_what_is_on_the_map() -> None:
    vectors = planted(40)
    assert song_map(vectors, songs=["s7", "s3", "s7"]).table["song"].to_list() == ["s3", "s7"]
    assert song_map(vectors, max_songs=3).table["song"].to_list() == ["s0", "s1", "s2"]  # the most played
    assert len(song_map(vectors, max_songs=400)) == 40
    with pytest.raises(UnknownSongError, match="'nowhere'"):
        song_map(vectors, songs=["nowhere"])
    with pytest.raises(NothingLeftError, match="songs"):
        song_map(vectors, songs=[])


def test_clusters_are_named_by_the_artists_they_hold(by_sklearn: SongMap) -> None:
    names = by_sklearn.table["group"].unique().to_list()
    assert len(names) == 6
    for name, artists in by_sklearn.table.group_by("group").agg(pl.col("artist").unique()).iter_rows():
        assert set(name.removesuffix(", …").split(", ")) <= set(artists)


def test_clusters_with_the_same_artists_keep_their_own_names() -> None:
    found = song_map(SongVectors(planted(60).matrix, Catalogue(list(range(60)), None, ["One"] * 60)), colour_by="cluster")
    assert found.table["group"].n_unique() > 1
    assert {"One", "One (2)", "One (3)"} <= set(found.table["group"])


def test_without_artists_clusters_are_named_by_songs() -> None:
    found = song_map(planted(30, artists=False))
    assert found.table.columns == ["song", "plays", "x", "y", "group"]
    assert found.coloured_by == "cluster"
    assert found.table["group"].null_count() == 0
    with pytest.raises(ArgumentError, match="colour_by='artist'"):
        song_map(planted(30, artists=False), colour_by="artist")


def test_auto_colours_by_artist_where_few_artists_have_most_plays() -> None:
    vectors = planted(30)
    few = Catalogue(vectors.catalogue.ids, vectors.catalogue.plays, ["Famous", None, *["Rare"] * 28])
    many = Catalogue(vectors.catalogue.ids, vectors.catalogue.plays, [f"Artist {row}" for row in range(30)])
    found = song_map(SongVectors(vectors.matrix, few))
    assert found.coloured_by == "artist"
    assert found.table["group"].to_list() == ["Famous", None, *["Rare"] * 28]
    assert song_map(SongVectors(vectors.matrix, many)).coloured_by == "cluster"


def test_tags_from_outside_colour_the_map() -> None:
    found = song_map(planted(12), colour_by={"s0": "pop", "s3": None, "not in the map": "rock"})
    assert found.coloured_by == "tag"
    assert found.table["group"].to_list() == ["pop", *[None] * 11]


def test_new_songs_land_in_their_cluster_and_old_ones_stay(planted_map: SongMap) -> None:
    random = np.random.default_rng(1)
    vectors = planted()
    fresh = vectors.matrix[:30] + 0.1 * random.standard_normal((30, 16), np.float32)
    everything = SongVectors(np.vstack([vectors.matrix, fresh]), Catalogue([*vectors.catalogue.ids, *(f"new{row}" for row in range(30))]))
    placed = planted_map.place(everything)
    assert placed.table[:SONGS].equals(planted_map.table)
    assert placed.table["song"][SONGS:].to_list() == [f"new{row}" for row in range(30)]
    points = coordinates(placed)
    nearest = np.linalg.norm(points[SONGS:, None] - points[None, :SONGS], axis=2).argmin(axis=1)
    assert (CLUSTER_OF[nearest] == np.arange(30) % CLUSTERS).mean() > 0.95
    assert placed.table["group"][SONGS:].to_list() == planted_map.table["group"][:30].to_list()
    assert placed.place(everything).table.equals(placed.table)  # all are there already
    assert planted_map.place(everything).table.equals(placed.table)


def test_a_new_song_joins_its_artist_in_a_map_by_artist() -> None:
    found = song_map(planted(12), colour_by="artist").place(planted(14))
    assert found.table["group"].equals(found.table["artist"].alias("group"))


def test_vectors_of_another_training_are_not_placed(by_sklearn: SongMap) -> None:
    with pytest.raises(ArgumentError, match="size 4"):
        by_sklearn.place(SongVectors(np.ones((1, 4)), ["x"]))
    with pytest.raises(ArgumentError, match="Int64"):
        by_sklearn.place(SongVectors(np.ones((1, 16)), [1]))


@pytest.mark.parametrize(
    ("name", "begins"),
    [("map.png", b"\x89PNG"), ("map.svg", b"<?xml"), ("map.pdf", b"%PDF"), ("map.html", b"<!DOCTYPE html>"), ("MAP.PNG", b"\x89PNG")],
)
def test_pictures_and_pages_are_what_they_end_in(by_sklearn: SongMap, tmp_path: Path, name: str, begins: bytes) -> None:
    assert by_sklearn.save(tmp_path / name, title="Here").read_bytes().startswith(begins)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_tables_come_back_as_they_were(by_sklearn: SongMap, tmp_path: Path) -> None:
    assert pl.read_parquet(by_sklearn.save(tmp_path / "map.parquet")).equals(by_sklearn.table)
    assert pl.read_csv(by_sklearn.save(tmp_path / "map.csv"))["x"].to_list() == pytest.approx(by_sklearn.table["x"].to_list())


@pytest.mark.parametrize("name", ["map.jpg", "map", "map.html.bak"])
def test_another_ending_is_refused_by_naming_the_allowed(by_sklearn: SongMap, tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match=r"\.png, \.svg, \.pdf, \.html, \.csv, \.parquet"):
        by_sklearn.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_save_that_fails_leaves_the_old_file(by_sklearn: SongMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = by_sklearn.save(tmp_path / "map.html").read_bytes()

    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("no")

    monkeypatch.setattr("song2vec.maps.page.render", fail)
    with pytest.raises(RuntimeError):
        by_sklearn.save(tmp_path / "map.html")
    assert (tmp_path / "map.html").read_bytes() == old
    assert len(list(tmp_path.iterdir())) == 1


def test_the_page_holds_every_song(by_sklearn: SongMap, tmp_path: Path) -> None:
    class Data(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += data if self.get_starttag_text() == '<script id="data" type="application/json">' else ""

    parser = Data()
    parser.feed(by_sklearn.save(tmp_path / "map.html").read_text("utf-8"))
    data = json.loads(parser.text.strip())
    assert data["name"] == by_sklearn.table["title"].to_list()
    assert data["legend"] == "cluster"


def test_idle_cores_are_one_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    assert idle_cores() >= 1
    monkeypatch.setattr("song2vec.maps.layout._idle_seconds", lambda: 7.0)  # the clock of idle time stands still: all is busy
    assert idle_cores() == 1
    monkeypatch.setattr("song2vec.maps.layout._idle_seconds", lambda: None)
    assert idle_cores() >= 1
