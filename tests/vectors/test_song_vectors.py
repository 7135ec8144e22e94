"""Song vectors: made, looked up, compared, combined and saved."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, SavedFolderError, UnknownSongError
from song2vec.core.storage import prefixed, save_folder
from song2vec.vectors import SongVectors
from song2vec.vectors.song_vectors import unit_rows
from tests.damage import read_manifest, write_manifest

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
MATRICES = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=FLOATS)


def example():
    """Two axes, one halfway between them, one opposite, one zero."""
    return SongVectors([[2, 0], [0, 0.5], [3, 3], [-1, 0], [0, 0]], [*"xyhoz"])


# Making


def test_a_matrix_becomes_contiguous_float32():
    for matrix in (np.asfortranarray(np.ones((2, 3))), np.ones((2, 3), np.int64), [[1, 1, 1], [1, 1, 1]], np.ones((4, 3))[::2]):
        vectors = SongVectors(matrix, ["x", "y"])
        assert vectors.matrix.dtype == np.float32
        assert vectors.matrix.flags.c_contiguous
        assert (len(vectors), vectors.size) == (2, 3)
    assert repr(vectors) == "SongVectors(2 songs, size 3)"


def test_a_catalogue_is_taken_as_it_is():
    catalogue = Catalogue([7, 8], artists=["Low", None])
    assert SongVectors(np.eye(2), catalogue).catalogue is catalogue


@pytest.mark.parametrize("shape", [(3, 2), (1, 2), (2,), (2, 2, 2), ()])
def test_another_shape_is_refused(shape):
    with pytest.raises(ArgumentError) as raised:
        SongVectors(np.ones(shape), ["x", "y"])
    assert f"matrix has shape {shape if shape else (1,)} for 2 songs; (songs, size) is allowed" == str(raised.value)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused_by_song(number):
    matrix = np.zeros((3, 2))
    matrix[1, 1] = number
    with pytest.raises(ArgumentError, match="the vector of 'Low - Words' has a number that is not finite"):
        SongVectors(matrix, Catalogue([*"xyz"], artists=[None, "Low", None], titles=[None, "Words", None]))


def test_ids_that_are_no_ids_are_refused():
    with pytest.raises(ArgumentError, match="unique"):
        SongVectors(np.ones((2, 2)), ["x", "x"])


# Looking up


def test_a_song_has_its_vector():
    assert example()["h"].tolist() == [3, 3]
    assert SongVectors(np.eye(2), [5, 0])[0].tolist() == [0, 1]  # an id, not a row
    for unknown in ("w", 0):
        with pytest.raises(UnknownSongError, match=repr(unknown)):
            example()[unknown]


def test_a_subset_keeps_vectors_with_their_songs():
    part = example().subset(np.array([3, 0]))
    assert part.catalogue.ids.to_list() == ["o", "x"]
    assert part.matrix.tolist() == [[-1, 0], [2, 0]]


# Comparing


def test_similarity_is_the_cosine():
    vectors = example()
    assert vectors.similarity("x", "x") == 1
    assert vectors.similarity("x", "y") == 0
    assert vectors.similarity("x", "o") == -1
    assert vectors.similarity("x", "h") == vectors.similarity("h", "x") == pytest.approx(math.sqrt(0.5))
    assert vectors.similarity("x", "z") == vectors.similarity("z", "z") == 0
    with pytest.raises(UnknownSongError):
        vectors.similarity("x", "w")


@given(MATRICES)
def test_every_vector_has_length_one_or_is_zero(matrix):
    unit = unit_rows(matrix)
    assert unit.dtype == np.float32
    lengths = np.linalg.norm(unit.astype(np.float64), axis=1)
    zero = ~matrix.any(axis=1)
    np.testing.assert_allclose(lengths[~zero], 1, atol=1e-6)
    assert not unit[zero].any()


@given(hnp.arrays(np.float32, (2, 3), elements=st.integers(-4, 4).map(float)), st.integers(-120, 120), st.integers(-120, 120))
def test_lengths_do_not_matter_however_tiny_or_huge(matrix, one, other):
    scaled = SongVectors(matrix * np.float32(2) ** np.array([[one], [other]], np.float32), ["x", "y"])
    np.testing.assert_array_equal(scaled.unit, SongVectors(matrix, ["x", "y"]).unit)


def test_squares_that_overflow_or_vanish_do_no_harm():
    for scale in (3e38, 1e-38, 1e-45):
        vectors = SongVectors(np.array([[1, 0], [1, 1], [0, -1]]) * np.float32(scale), [*"abc"])
        assert vectors.similarity("a", "b") == pytest.approx(math.sqrt(0.5), abs=1e-6)
        assert vectors.similarity("a", "c") == 0
        assert vectors.combine(["a"], ["c"]).tolist() == [1, 1]
    wide = unit_rows(np.array([[1e300, 1e300], [1e-300, 0]]))
    np.testing.assert_allclose(wide, [[math.sqrt(0.5)] * 2, [1, 0]], rtol=1e-6)


# Combining


def test_like_some_unlike_others_is_a_difference_of_means_of_unit_vectors():
    vectors = example()
    assert vectors.combine(["x"]).tolist() == [1, 0]
    assert vectors.combine(["x", "y"]).tolist() == [0.5, 0.5]
    assert vectors.combine(["x", "y"], ["o"]).tolist() == [1.5, 0.5]
    assert vectors.combine(["x"], ["y", "o"]).tolist() == [1.5, -0.5]
    assert vectors.combine(["x", "x", "y"]).tolist() == pytest.approx([2 / 3, 1 / 3])
    assert vectors.combine(song for song in "xy").dtype == np.float32
    assert vectors.combine(["x", "o"]).tolist() == [0, 0]


def test_unknown_songs_raise_or_are_left_out_but_never_become_zero():
    vectors = example()
    for like, unlike in ((["x", "w"], []), (["x"], ["w"]), ([], []), ([], ["x"])):
        with pytest.raises(UnknownSongError):
            vectors.combine(like, unlike)
    assert vectors.combine(["x", "w"], unknown="skip").tolist() == [1, 0]
    assert vectors.combine(["x"], ["w"], unknown="skip").tolist() == [1, 0]
    with pytest.raises(UnknownSongError, match="none of these songs"):
        vectors.combine(["v", "w"], unknown="skip")
    with pytest.raises(ArgumentError, match="unknown='drop'"):
        vectors.combine(["x"], unknown="drop")


# Saving


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(matrix=MATRICES, integers=st.booleans(), memory_map=st.booleans())
def test_saves_and_loads_to_the_last_bit(tmp_path, matrix, integers, memory_map):
    ids = [3 * row - 2 if integers else f"song {row}" for row in range(len(matrix))]
    vectors = SongVectors(matrix, Catalogue(ids, range(len(matrix)), titles=["T" if row else None for row in range(len(matrix))]))
    loaded = SongVectors.load(vectors.save(tmp_path / "saved"), memory_map=memory_map)
    assert loaded.matrix.tobytes() == vectors.matrix.tobytes()
    assert loaded.matrix.shape == vectors.matrix.shape
    assert loaded.catalogue.table().equals(vectors.catalogue.table())
    assert loaded.unit.tobytes() == vectors.unit.tobytes()


def test_a_memory_mapped_matrix_stays_on_disk(tmp_path):
    folder = example().save(tmp_path / "saved")
    loaded = SongVectors.load(folder, memory_map=True)
    base = loaded.matrix
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert loaded["h"].tolist() == [3, 3]
    SongVectors(np.zeros((1, 2)), ["x"]).save(folder)
    assert loaded["h"].tolist() == [3, 3]


@pytest.mark.parametrize("memory_map", [True, False])
def test_half_precision_takes_half_the_room_and_moves_cosines_next_to_nothing(tmp_path, memory_map):
    vectors = SongVectors(np.random.default_rng(0).standard_normal((500, 64)) * 3, list(range(500)))
    folders = [vectors.save(tmp_path / dtype, dtype=dtype) for dtype in ("float32", "float16")]
    whole, half = (sum(path.stat().st_size for path in folder.iterdir()) for folder in folders)
    assert half < whole - 500 * 64 * 2 + 1000
    loaded = SongVectors.load(folders[1], memory_map=memory_map)
    assert loaded.matrix.dtype == np.float32
    cosines = [each.unit @ each.unit.T for each in (vectors, loaded)]
    assert 0 < np.abs(cosines[0] - cosines[1]).max() < 1e-3
    nearest = [np.argsort(-each, axis=1)[:, 1:11] for each in cosines]
    assert np.mean([len({*a} & {*b}) for a, b in zip(*nearest, strict=True)]) > 9.9


def test_numbers_half_precision_cannot_hold_and_other_types_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="up to 65504, a vector has 70000"):
        SongVectors(np.array([[7e4, 0]]), ["x"]).save(tmp_path / "saved", dtype="float16")
    with pytest.raises(ArgumentError, match="dtype='float8': 'float32' or 'float16' is allowed"):
        example().save(tmp_path / "saved", dtype="float8")
    assert not (tmp_path / "saved").exists()


def test_the_same_vectors_are_the_same_bytes(tmp_path):
    files = [{path.name: path.read_bytes() for path in example().save(tmp_path / name).iterdir()} for name in "ab"]
    assert files[0] == files[1]


def test_another_kind_of_folder_is_refused(tmp_path):
    save_folder(tmp_path / "saved", "sessions", {})
    with pytest.raises(SavedFolderError, match="holds a saved 'sessions', where 'song vectors' is asked for"):
        SongVectors.load(tmp_path / "saved")


@pytest.mark.parametrize("part", ["catalogue.songs", "vectors"])
def test_a_folder_without_one_of_its_parts_is_refused(part, tmp_path):
    folder = example().save(tmp_path / "saved")
    manifest = read_manifest(folder)
    del manifest["parts"][part]
    write_manifest(folder, manifest)
    with pytest.raises(SavedFolderError) as raised:
        SongVectors.load(folder)
    assert str(raised.value) == f"{folder}: cannot be understood (KeyError: '{part.removesuffix('.songs')}')"


def test_parts_that_do_not_belong_together_are_refused(tmp_path):
    parts = example().to_parts() | prefixed("catalogue", Catalogue(["x"]).to_parts())
    with pytest.raises(SavedFolderError, match=r"shape \(5, 2\) for 1 songs"):
        SongVectors.load(save_folder(tmp_path / "saved", "song vectors", parts))
