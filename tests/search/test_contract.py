"""The contract battery: every registered index, by being registered, checked against brute force."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, SavedFolderError, UnknownSongError
from song2vec.core.storage import Part, load_folder, save_folder, understood
from song2vec.search import INDEXES, ExactIndex, Filters, make_index
from song2vec.search.base import SongIndex
from song2vec.search.state import Searcher
from song2vec.testing.battery import run
from song2vec.testing.indexes import INDEX_CHECKS, index_case, some_vectors
from song2vec.vectors.song_vectors import SongVectors, unit_rows

every_index = pytest.mark.parametrize("name", INDEXES)


def build(name, vectors, **settings):
    """An index that is asked itself however few songs there are, where exact search would step in."""
    index = INDEXES[name](**settings).fit(vectors)
    index.exact_share, index.exact_below = 1.0, 0
    return index


def brute_force(vectors, query, k, filters=None, hidden=()):
    """Rows and cosines one song after the other; only the query is normalised by the code under test, to the same last bit."""
    filters, catalogue = filters or Filters(), vectors.catalogue
    query = unit_rows(np.asarray(query)[None])[0].astype(np.float64)
    cosines = np.clip((vectors.unit * query).sum(axis=1).astype(np.float32), -1, 1)
    ids, rows, per_artist = catalogue.songs(range(len(catalogue))), [], {}
    unwanted = {artist.strip().casefold() for artist in filters.not_by}
    for row in sorted(range(len(ids)), key=lambda row: (-cosines[row], row)):
        artist = None if catalogue.artists is None else catalogue.artists[row]
        if ids[row] in hidden or ids[row] in filters.exclude or (filters.only is not None and ids[row] not in filters.only):
            continue
        if artist is not None and artist.strip().casefold() in unwanted:
            continue
        if artist is not None and filters.max_per_artist is not None:
            per_artist[artist] = per_artist.get(artist, 0) + 1
            if per_artist[artist] > filters.max_per_artist:
                continue
        rows.append(row)
    return rows[:k], cosines[rows[:k]]


@cache
def case(name):
    return index_case(INDEXES.make(name))


@every_index
@pytest.mark.parametrize("check", INDEX_CHECKS, ids=lambda check: check.__name__)
def test_keeps_the_contract(name, check):
    run(case(name), [check])


@st.composite
def searches(draw):
    """A small catalogue with duplicates and zero vectors, and filters over it."""
    songs = draw(st.integers(1, 40), label="songs")
    grid = draw(st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=songs, max_size=songs))
    ids = [7 * row + 3 for row in range(songs)] if draw(st.booleans(), label="integers") else [f"s{row}" for row in range(songs)]
    names = st.sampled_from(["ABBA", "Abba", "Björk", "Can", None])
    artists = draw(st.none() | st.lists(names, min_size=songs, max_size=songs), label="artists")
    known = sorted({name for name in artists or [] if name})
    vectors = SongVectors(np.array(grid, np.float32), Catalogue(ids, artists=artists))
    some = st.lists(st.sampled_from(ids), max_size=songs)
    filters = Filters(
        exclude=draw(some),
        only=draw(st.none() | some),
        max_per_artist=None if artists is None else draw(st.none() | st.integers(1, 3)),  # refused where none is named
        not_by=draw(st.lists(st.sampled_from(known).map(str.upper), max_size=1)) if known else (),
    )
    return vectors, ids, draw(st.none() | st.just(filters)), draw(st.integers(1, 50), label="k")


@every_index
@pytest.mark.parametrize("asked_itself", [True, False])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(search=searches(), data=st.data())
def test_finds_what_brute_force_finds(name, asked_itself, search, data):
    vectors, ids, filters, k = search
    index = INDEXES[name]().fit(vectors)
    if asked_itself:
        index.exact_share, index.exact_below = 1.0, 0
    song = data.draw(st.sampled_from(ids))
    asked = [song, *data.draw(st.lists(st.sampled_from(ids), max_size=2))]
    vector = data.draw(st.tuples(*[st.floats(-1e3, 1e3)] * 3))
    for found, query, hidden in (
        (index.similar(song, k, filters), vectors[song], [song]),
        (index.similar(asked, k, filters), vectors[song] if len(asked) == 1 else vectors.combine(asked), asked),
        (index.search(vector, k, filters), vector, []),
    ):
        rows, cosines = brute_force(vectors, query, k, filters, hidden)
        assert len(found) == len(rows)
        assert found.cosines.dtype == np.float32
        assert found.rows.dtype == np.int64
        np.testing.assert_allclose(found.cosines, cosines, atol=1e-6)
        if index.answers_exactly_ or not asked_itself:  # an approximate index may choose otherwise among equals
            assert found.rows.tolist() == rows


@every_index
@pytest.mark.parametrize(
    "filters",
    [
        None,
        Filters(exclude=[f"s{row}" for row in range(0, 300, 2)]),
        Filters(only=[f"s{row}" for row in range(40)]),
        Filters(max_per_artist=1),
        Filters(not_by=["ARTIST 1", "artist 2"]),
        Filters(exclude=["s1"], only=[f"s{row}" for row in range(200)], max_per_artist=2, not_by=["Artist 3"]),
    ],
)
def test_exactly_k_when_k_exist_and_the_query_never_comes_back(name, filters):
    vectors = some_vectors()
    index = build(name, vectors)
    for song in ("s0", "s77", "s299"):
        for k in (1, 10, 60, 299, 300, 1000):
            found = index.similar(song, k, filters)
            rows, cosines = brute_force(vectors, vectors[song], k, filters, [song])
            assert len(found) == len(rows)
            assert vectors.catalogue.row(song) not in found.rows
            assert len(set(found.rows.tolist())) == len(found)
            assert (np.diff(found.cosines) <= 0).all()
            np.testing.assert_allclose(found.cosines, vectors.unit[found.rows] @ vectors.unit[vectors.catalogue.row(song)], atol=1e-6)
            np.testing.assert_allclose(found.cosines, cosines, atol=1e-6)


@every_index
def test_like_several_unlike_others(name):
    vectors = some_vectors()
    found = build(name, vectors).similar(["s1", "s2"], 20, unlike=["s3"])
    rows, cosines = brute_force(vectors, vectors.combine(["s1", "s2"], ["s3"]), 20, None, ["s1", "s2", "s3"])
    assert found.rows.tolist() == rows
    np.testing.assert_allclose(found.cosines, cosines, atol=1e-6)
    one, listed = build(name, vectors).similar("s1", 20, unlike="s3"), build(name, vectors).similar(["s1"], 20, unlike=["s3"])
    assert one.rows.tolist() == listed.rows.tolist()


@every_index
@pytest.mark.parametrize("filters", [None, Filters(max_per_artist=1, exclude=["s4", "s5"]), Filters(only=["s1", "s2", "s3"])])
def test_a_batch_answers_as_one_by_one(name, filters):
    vectors = some_vectors()
    index = build(name, vectors)
    songs = ["s1", "s250", "s3", "s1"]
    queries = np.vstack([vectors.matrix[:5] * 17, np.zeros((1, 8))])
    batches = (
        (index.similar_batch(songs, 15, filters), [index.similar(song, 15, filters) for song in songs]),
        (index.search_batch(queries, 15, filters), [index.search(query, 15, filters) for query in queries]),
    )
    for batch, singles in batches:
        assert batch.rows.shape == batch.cosines.shape == (len(singles), 15)
        for query, single in enumerate(singles):
            assert batch[query].rows.tolist() == single.rows.tolist()
            assert batch[query].cosines.tobytes() == single.cosines.tobytes()
            assert (batch.rows[query, len(single) :] == -1).all()
            assert np.isnan(batch.cosines[query, len(single) :]).all()
    assert index.similar_batch([], 5).rows.shape == (0, 5)
    assert index.similar_batch(["s1"], 1000).rows.shape == (1, 300)


@every_index
def test_equals_come_by_row(name):
    vectors = SongVectors(np.repeat(np.eye(3, dtype=np.float32), 50, axis=0), [f"s{row}" for row in range(150)])
    index = INDEXES[name]().fit(vectors)
    assert index.similar("s60", 12).rows.tolist() == [50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 62]
    assert index.similar_batch(["s60"], 12).rows.tolist() == [index.similar("s60", 12).rows.tolist()]


@every_index
def test_zero_vectors_are_at_right_angles_to_everything(name):
    matrix = some_vectors().matrix.copy()
    matrix[[4, 9]] = 0
    index = build(name, SongVectors(matrix, [f"s{row}" for row in range(300)]))
    for found in (index.similar("s4", 5), index.search(np.zeros(8), 5)):
        assert found.cosines.tolist() == [0] * 5
    assert index.similar("s4", 5).rows.tolist() == [0, 1, 2, 3, 5]
    nothing = build(name, SongVectors(np.zeros((20, 4)), list(range(20))))
    assert nothing.similar(3, 4).rows.tolist() == [0, 1, 2, 4]


@every_index
def test_length_of_a_query_vector_does_not_matter(name):
    vectors = some_vectors()
    index = build(name, vectors)
    expected = index.search(vectors["s5"], 10).rows.tolist()
    for scale in (1e-200, 1e-30, 1e30, 1e200):
        assert index.search(vectors["s5"].astype(np.float64) * scale, 10).rows.tolist() == expected


@every_index
def test_an_integer_is_an_id_never_a_position(name):
    ids = [5, 1000, 2, 7]
    index = build(name, SongVectors(np.random.default_rng(0).standard_normal((4, 3)), ids))
    assert 3 not in index.similar(7, 3).rows
    assert index.similar(np.int64(7), 3).rows.tolist() == index.similar(7, 3).rows.tolist()
    assert index.similar(np.array([7, 2]), 3).rows.tolist() == index.similar([7, 2], 3).rows.tolist()
    for wrong in (0, 3, "7", True, 2.0, None):
        with pytest.raises((UnknownSongError, ArgumentError)):
            index.similar(wrong)
    with pytest.raises(UnknownSongError, match="strings"):
        build(name, some_vectors()).similar(0)


@every_index
@pytest.mark.parametrize("k", [0, -1, 2.0, "3", None, True])
def test_k_is_an_integer_from_one_on(name, k):
    index = build(name, some_vectors(20))
    for search in (lambda: index.similar("s1", k), lambda: index.similar_batch(["s1"], k), lambda: index.search(np.ones(8), k)):
        with pytest.raises(ArgumentError, match=r"^k="):
            search()


@every_index
def test_unusable_arguments_are_refused_by_name(name):
    index = build(name, some_vectors(20))
    refused = (
        (lambda: index.similar("who"), UnknownSongError, "'who'"),
        (lambda: index.similar(["s1", "who"]), UnknownSongError, "'who'"),
        (lambda: index.similar("s1", unlike="who"), UnknownSongError, "'who'"),
        (lambda: index.similar([]), UnknownSongError, "none of these songs"),
        (lambda: index.similar("s1", filters={"exclude": []}), ArgumentError, "filters="),
        (lambda: index.search(np.ones(7)), ArgumentError, r"\(7,\).*\(8,\)"),
        (lambda: index.search(np.ones((2, 8))), ArgumentError, r"\(2, 8\)"),
        (lambda: index.search_batch(np.ones(8)), ArgumentError, r"\(queries, 8\)"),
        (lambda: index.search([np.nan] * 8), ArgumentError, "not finite"),
        (lambda: index.search(["x"] * 8), ArgumentError, "numbers"),
        (lambda: INDEXES[name]().similar("s1"), ArgumentError, r"call fit\(vectors\)"),
        (lambda: INDEXES[name](seed=-1).fit(some_vectors()), ArgumentError, "seed"),
        (lambda: INDEXES[name]().fit(SongVectors(np.empty((0, 8)), [])), ArgumentError, "at least one song"),
    )
    for call, error, message in refused:
        with pytest.raises(error, match=message):
            call()


@every_index
def test_global_generators_stay_untouched(name):
    before = np.random.get_state()[1].tolist()
    build(name, some_vectors())
    assert np.random.get_state()[1].tolist() == before


@every_index
def test_saves_and_loads(name, tmp_path):
    vectors = some_vectors()
    index = build(name, vectors, seed=3)
    folder = index.save(tmp_path / "index")
    loaded = [type(index).load(folder), SongIndex.load(folder), SongIndex.load(folder, memory_map=True)]
    for again in loaded:
        again.exact_share, again.exact_below = 1.0, 0
        assert type(again) is type(index)
        assert again.settings == index.settings
        assert again.recall_ == index.recall_
        assert again.answers_exactly_ == index.answers_exactly_
        for song in ("s1", "s9"):
            found, expected = again.similar(song, 15), index.similar(song, 15)
            assert found.rows.tolist() == expected.rows.tolist()
            assert found.cosines.tobytes() == expected.cosines.tobytes()
    twice = loaded[0].save(tmp_path / "again")
    assert {path.name: path.read_bytes() for path in twice.iterdir()} == {path.name: path.read_bytes() for path in folder.iterdir()}


@every_index
def test_saving_over_a_folder_in_use_is_safe(name, tmp_path):
    vectors, folder = some_vectors(), tmp_path / "index"
    build(name, vectors).save(folder)
    reader = INDEXES[name].load(folder)
    reader.exact_share, reader.exact_below = 1.0, 0
    before = reader.similar("s1", 20).rows.tolist()
    build(name, vectors, seed=9).save(folder)
    reader.save(tmp_path / "copy")
    assert reader.similar("s1", 20).rows.tolist() == before
    assert INDEXES[name].load(folder).seed == 9


@every_index
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused(name, data, tmp_path):
    vectors = some_vectors()
    folder = tmp_path / "index"
    if not folder.exists():
        build(name, vectors).save(folder)
    for path in folder.iterdir():
        if path.name == "manifest.json":
            continue
        whole = path.read_bytes()
        position = data.draw(st.integers(0, len(whole) - 1))
        damage = data.draw(st.integers(1, 255))
        for damaged in (whole[:position], whole[:position] + bytes([whole[position] ^ damage]) + whole[position + 1 :], whole + b"\0"):
            path.write_bytes(damaged)
            with pytest.raises(SavedFolderError, match=path.name):
                INDEXES[name].load(folder)
        path.write_bytes(whole)


@every_index
def test_damaged_parts_are_refused(name, tmp_path):
    vectors = some_vectors()
    folder = build(name, vectors).save(tmp_path / "index")
    parts = load_folder(folder, "song index")

    def refused(message, **changes):
        with pytest.raises(SavedFolderError, match=message), understood("parts"):
            SongIndex.from_parts({key: part for key, part in (parts | changes).items() if part is not None})

    for part in parts:
        refused(part.removesuffix(".songs"), **{part: None})
    main = parts["estimator"]
    for key in main.meta:
        refused(key, estimator=Part({other: value for other, value in main.meta.items() if other != key}, main.arrays))
    for wrong in ({"leaves": 3}, {"seed": "x"}, "seed", 3):
        refused("leaves|seed|int", estimator=Part(main.meta | {"settings": wrong}, main.arrays))
    refused("faiss", estimator=Part(main.meta | {"name": "faiss"}, main.arrays))
    for removed in ([300], [-1], [2, 1], [1.0]):
        refused("removed rows", estimator=Part(main.meta, {"removed": np.array(removed)}))
    others = (
        (some_vectors(299), "songs"),
        (some_vectors(size=9), "size"),
        (some_vectors(seed=1), "vectors"),
        (SongVectors(vectors.matrix, [f"t{row}" for row in range(300)]), "catalogue"),
        (vectors.subset(np.arange(300)[::-1]), "catalogue"),
    )
    for other, problem in others:
        refused(f"was built over other vectors \\({problem}", **other.to_parts())


@every_index
def test_foreign_folders_are_refused(name, tmp_path):
    vectors = some_vectors()
    folder = build(name, vectors).save(tmp_path / "index")
    for other in INDEXES.values():
        if other.name != name:
            with pytest.raises(SavedFolderError, match=f"holds a {INDEXES[name].__name__}, where {other.__name__} is asked for"):
                other.load(folder)
    with pytest.raises(SavedFolderError):
        INDEXES[name].load(vectors.save(tmp_path / "vectors"))
    with pytest.raises(SavedFolderError, match="estimator"):
        INDEXES[name].load(save_folder(tmp_path / "empty", "song index", {}))


def test_an_index_is_named_or_made():
    vectors = some_vectors()
    assert make_index("annoy", vectors, seed=4).settings["seed"] == 4
    assert make_index("auto", vectors).name == "exact"
    chosen = ExactIndex(seed=7)
    assert make_index(chosen, vectors) is chosen
    for wrong in ("faiss", None, ExactIndex, 3):
        with pytest.raises(ArgumentError, match="'auto', 'annoy', 'exact', 'hnsw'"):
            make_index(wrong, vectors)
    with pytest.raises(ArgumentError, match="did you mean 'annoy'"):
        make_index("anoy", vectors)


def test_a_class_of_ones_own_is_an_index_like_the_others(tmp_path):
    class Everything(Searcher):
        def __init__(self, unit):
            self.unit = unit

        def nearest(self, queries, n):
            return (np.argsort(-(self.unit @ query), kind="stable")[:n] for query in queries)

    @INDEXES.register
    class Slow(SongIndex):
        """Sorts."""

        name = "slow"

        def _build(self, unit):
            return Everything(unit)

    try:
        vectors = some_vectors()
        index = build("slow", vectors, seed=2)
        assert (index.recall_, index.answers_exactly_) == (1.0, False)
        assert index.similar("s3", 20).rows.tolist() == ExactIndex().fit(vectors).similar("s3", 20).rows.tolist()
        loaded = SongIndex.load(index.save(tmp_path / "index"))
        assert (type(loaded), loaded.seed) == (Slow, 2)
        assert SongIndex.auto(vectors).name == "exact"
    finally:
        del INDEXES._registered["slow"]
