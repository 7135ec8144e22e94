"""Vectors written for other programs and read back: nothing lost, nothing unpickled, and what is broken is named."""

from __future__ import annotations

import io
import pickle
import re

import numpy as np
import polars as pl
import pytest
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from song2vec.catalogue import Catalogue
from song2vec.core.errors import ArgumentError, FormatError
from song2vec.vectors import SongVectors

ENDINGS = {"word2vec-text": ".txt", "word2vec-binary": ".bin", "projector": "", "numpy": ".npz", "parquet": ".parquet"}
every_format = pytest.mark.parametrize("format", ENDINGS)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

TRICKY = st.sampled_from(["%", "%20", "% 20", "%25", "a b", "\n", "caf%C3%A9", "\u2028", "12", "-3"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | TRICKY
INT64 = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def vectors(draw, ids=TEXT, names=False):
    """A few vectors of any finite numbers, of songs with string or integer ids."""
    songs = draw(st.sampled_from([ids, ids, INT64]).flatmap(lambda kind: st.lists(kind, unique=True, min_size=1, max_size=5)))
    matrix = draw(hnp.arrays(np.float32, (len(songs), draw(st.integers(1, 4))), elements=FLOATS))
    columns = {}
    if names:
        some = st.none() | st.lists(st.none() | TEXT, min_size=len(songs), max_size=len(songs))
        columns = {"plays": draw(st.lists(st.integers(0, 2**40), min_size=len(songs), max_size=len(songs)))}
        columns |= {"artists": draw(some), "titles": draw(some)}
    return SongVectors(matrix, Catalogue(songs, **columns))


def example():
    matrix = np.random.default_rng(0).standard_normal((4, 3))
    return SongVectors(matrix, Catalogue(["Björk - Jóga", "100% pure", "a\tb\nc", "plain"], [4, 3, 2, 1], ["Björk", None, "A", ""]))


def whole_numbers(ids):
    """What ids read from text become: integers if all of them can be."""
    if all(isinstance(song, int) for song in ids):
        return ids
    numbers = [int(song) for song in ids if re.fullmatch(r"0|-?[1-9][0-9]{0,18}", song) and -(2**63) <= int(song) < 2**63]
    return numbers if len(numbers) == len(ids) else ids


def same(read, written, ids=None):
    assert read.catalogue.ids.to_list() == (written.catalogue.ids.to_list() if ids is None else ids)
    assert read.matrix.dtype == np.float32
    assert read.matrix.shape == written.matrix.shape
    assert read.matrix.tobytes() == written.matrix.tobytes()


# Round trips


@pytest.mark.parametrize("format", ["word2vec-text", "word2vec-binary"])
@quick
@given(written=vectors())
def test_word2vec_files_come_back_to_the_last_bit(format, tmp_path, written):
    path = written.export(tmp_path / f"vectors{ENDINGS[format]}")
    same(SongVectors.read(path), written, whole_numbers(written.catalogue.ids.to_list()))


@quick
@given(written=vectors(TEXT.filter(lambda song: not song.endswith("\0"))))
def test_numpy_files_come_back_to_the_last_bit_and_strings_stay_strings(tmp_path, written):
    same(SongVectors.read(written.export(tmp_path / "vectors.npz")), written)


@quick
@given(written=vectors(names=True))
def test_parquet_files_come_back_with_names_and_plays(tmp_path, written):
    read = SongVectors.read(written.export(tmp_path / "vectors.parquet"))
    same(read, written)
    assert read.catalogue.table().equals(written.catalogue.table())


@quick
@given(written=vectors(TEXT.filter(bool), names=True))
def test_projector_folders_come_back_with_tabs_and_line_ends_as_spaces(tmp_path, written):
    def one_line(texts):
        return [re.sub(r"[\t\r\n]", " ", text) if isinstance(text, str) else text for text in texts]

    ids = one_line(written.catalogue.ids.to_list())
    assume(len(set(ids)) == len(ids))
    read = SongVectors.read(written.export(tmp_path / "vectors"))
    same(read, written, whole_numbers(ids))
    for column in ("artist", "title", "plays"):
        if column in written.catalogue.table().columns:
            assert read.catalogue.table()[column].to_list() == one_line(written.catalogue.table()[column].to_list())


@every_format
def test_no_songs_at_all_are_a_file_or_refused(format, tmp_path):
    path = SongVectors(np.empty((0, 2)), []).export(tmp_path / f"vectors{ENDINGS[format]}")
    if format == "projector":
        with pytest.raises(FormatError, match="empty"):
            SongVectors.read(path)
    else:
        assert SongVectors.read(path).matrix.shape == (0, 2)


@every_format
def test_the_format_may_be_named(format, tmp_path):
    written = SongVectors(np.arange(6).reshape(2, 3), ["x", "y"])
    path = tmp_path / "vectors.dat"
    assert written.export(str(path), format) == path
    same(SongVectors.read(str(path), format), written)


@pytest.mark.parametrize("name", ["vectors.TXT", "vectors.vec", "my.vectors.Bin", "a.NPZ", "a.PARQUET", "folder"])
def test_the_ending_says_which(name, tmp_path):
    written = SongVectors(np.arange(6).reshape(2, 3), ["x", "y"])
    same(SongVectors.read(written.export(tmp_path / name)), written)


@every_format
def test_an_older_file_is_replaced(format, tmp_path):
    path = tmp_path / f"vectors{ENDINGS[format]}"
    example().export(path)
    written = SongVectors(np.arange(6).reshape(2, 3), ["x", "y"])
    same(SongVectors.read(written.export(path)), written)
    assert not [left for left in tmp_path.rglob("*") if left.name.startswith(".")]


@pytest.mark.parametrize(("path", "format", "found"), [("a.csv", "auto", "ending '.csv'"), ("a.txt", "text", "format='text'")])
def test_an_unknown_format_is_refused_with_those_allowed(path, format, found, tmp_path):
    (tmp_path / path).write_text("1 1\nx 1\n")
    for use in (example().export, SongVectors.read):
        with pytest.raises(ArgumentError) as raised:
            use(tmp_path / path, format)
        assert found in str(raised.value)
        for allowed in (*ENDINGS, ".vec"):
            assert allowed in str(raised.value)


def test_ids_that_a_format_cannot_keep_are_refused_when_written(tmp_path):
    with pytest.raises(ArgumentError, match="tabs and line ends"):
        SongVectors(np.ones((2, 1)), ["a\tb", "a b"]).export(tmp_path / "folder")
    with pytest.raises(ArgumentError, match="NUL"):
        SongVectors(np.ones((2, 1)), ["a\0", "a"]).export(tmp_path / "vectors.npz")


# gensim and word2vec.c


@pytest.mark.parametrize("binary", [False, True])
@quick
@given(written=vectors(TEXT.filter(bool)))
def test_gensim_opens_ours(binary, tmp_path, written):
    path = written.export(tmp_path / ("vectors.bin" if binary else "vectors.txt"))
    theirs = KeyedVectors.load_word2vec_format(str(path), binary=binary)
    assert theirs.vectors.tobytes() == written.matrix.tobytes()
    assert len(theirs) == len(written)
    for row, song in enumerate(written.catalogue.ids.to_list()):
        if not re.search(r"[\s%]", str(song)):  # plain ids stay as they are
            assert theirs.key_to_index[str(song)] == row


def test_gensim_sees_white_space_escaped_as_in_urls(tmp_path):
    for binary in (False, True):
        path = example().export(tmp_path / ("vectors.bin" if binary else "vectors.txt"))
        theirs = KeyedVectors.load_word2vec_format(str(path), binary=binary)
        assert theirs.index_to_key == ["Björk%20-%20Jóga", "100%25%20pure", "a%09b%0Ac", "plain"]
        same(SongVectors.read(path), example())


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("ids", [["Jóga", "100%", "caf%C3%A9", "x/y,z"], ["4uLU6", "0000", "12", "7"], ["12", "-7", "0", "99"]])
def test_we_open_gensims(binary, ids, tmp_path):
    theirs = KeyedVectors(5)
    theirs.add_vectors(ids, np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32))
    path = tmp_path / ("vectors.bin" if binary else "vectors.txt")
    theirs.save_word2vec_format(str(path), binary=binary)
    ours = SongVectors.read(path)
    assert sorted(ours.catalogue.ids.to_list()) == sorted(whole_numbers(ids))
    for song, key in zip(whole_numbers(ids), ids, strict=True):
        assert ours[song].tobytes() == theirs[key].tobytes()


def test_we_open_what_word2vec_c_writes(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"2 2\n</s> 0.004003 -1e-05 \nx 1.000000 2.000000 \n")
    assert SongVectors.read(tmp_path / "a.txt")["</s>"].tolist() == np.array([0.004003, -1e-05], np.float32).tolist()
    numbers = np.arange(4, dtype="<f4").reshape(2, 2)
    (tmp_path / "a.bin").write_bytes(b"2 2\n</s> " + numbers[0].tobytes() + b"\nx " + numbers[1].tobytes() + b"\n")
    assert SongVectors.read(tmp_path / "a.bin")["x"].tolist() == [2, 3]


def test_windows_line_ends_do_not_matter(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"2 2\r\nx 1 2\r\ny 3 4\r\n")
    assert SongVectors.read(tmp_path / "a.txt")["y"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("ids", "integers"),
    [
        (["1", "-2", "0"], True),
        ([str(2**63 - 1), str(-(2**63))], True),
        (["1", "x"], False),
        (["01", "2"], False),
        (["-0", "2"], False),
        (["1.0", "2"], False),
        (["+1", "2"], False),
        ([str(2**63), "2"], False),
        (["1\u0663", "2"], False),
        (["\u00b2", "2"], False),
        (["1_000", "2"], False),
        (["", "2"], False),
    ],
)
@pytest.mark.parametrize("ending", [".txt", ".bin"])
def test_ids_become_integers_only_when_all_are_whole_numbers(ids, integers, ending, tmp_path):
    read = SongVectors.read(SongVectors(np.ones((len(ids), 1)), ids).export(tmp_path / f"vectors{ending}"))
    assert read.catalogue.holds_integers == integers
    assert [str(song) for song in read.catalogue.ids] == ids


# Broken files


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path, message, line=None):
    """Reading raises FormatError that names the file and says this; returns it."""
    with pytest.raises(FormatError) as raised:
        SongVectors.read(path)
    assert str(raised.value).startswith(str(path))
    assert message in str(raised.value)
    assert raised.value.line == line or line == "any"
    return raised.value


@every_format
def test_a_missing_file_is_named(format, tmp_path):
    refused(tmp_path / f"nowhere{ENDINGS[format]}", "no such file or folder")


@pytest.mark.parametrize("ending", [".txt", ".bin", ".npz", ".parquet"])
def test_a_folder_is_not_read_as_a_file(ending, tmp_path):
    (tmp_path / f"folder{ending}").mkdir()
    refused(tmp_path / f"folder{ending}", "")


@pytest.mark.parametrize("ending", [".txt", ".bin"])
@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"", "begins with b''"),
        (b"song 1 2\n", "begins with b'song 1 2"),
        (b"1\nx 1\n", "begins with b'1"),
        (b"1 2 3\nx 1 2\n", "begins with b'1 2 3"),
        (b"\x93NUMPY\n", "the number of songs and the size are expected"),
        (b"-1 2\n", "promises -1 songs of size 2"),
        (b"1 0\nx\n", "promises 1 songs of size 0"),
        (b"1000000000 1000000000\nx 1\n", "more than its 26 bytes can hold"),
    ],
)
def test_a_bad_header_is_on_line_one(ending, header, message, tmp_path):
    refused(write(tmp_path / f"a{ending}", header), message, line=1)


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ("x 1 2\ny 3\n", 3, "has 1 numbers; the header promises 2"),
        ("x 1 2\n", 3, "has 0 numbers; the header promises 2"),
        ("x 1 2 3\ny 3 4\n", 2, "has 3 numbers"),
        ("an id 1 2\ny 3 4\n", 2, "has 3 numbers"),
        ("x 1 2\n\ny 3 4\n", 3, "has 0 numbers"),
        ("x 1 two\ny 3 4\n", 2, "not an id followed by 2 numbers (could not convert string to float: b'two')"),
        ("x 1  2\ny 3 4\n", 2, "has 3 numbers"),
        ("x 1 2\ny nan 4\n", 3, "the vector of 'y' has a number that is missing or not finite"),
        ("x 1 2\ny 3 1e39\n", 3, "the vector of 'y'"),
        ("x 1 2\ny 3 4\nz 5 6\n", 4, "goes on after the 2 songs its header promises"),
        ("x 1 2\nx 3 4\n", None, "unique"),
    ],
)
def test_a_bad_line_of_a_text_file_is_named(lines, line, message, tmp_path):
    refused(write(tmp_path / "a.txt", "2 2\n" + lines), message, line)


def test_an_id_that_is_not_utf_8_is_named(tmp_path):
    refused(write(tmp_path / "a.txt", b"1 1\n\xff\xfe 1.0\n"), "not an id followed by 1 numbers", line=2)
    refused(write(tmp_path / "a.bin", b"1 1\n\xff\xfe " + bytes(4)), "the id of song 1 is not UTF-8")


def test_a_binary_file_of_another_length_is_named(tmp_path):
    whole = SongVectors(np.ones((3, 2)), ["x", "y", "z"]).export(tmp_path / "a.bin").read_bytes()
    for size in range(len(whole)):
        refused(write(tmp_path / "a.bin", whole[:size]), "", line="any")
    refused(write(tmp_path / "a.bin", whole[:-1]), "ends within song 3 of the 3 its header promises")
    refused(write(tmp_path / "a.bin", whole + b"w" + bytes(9)), "goes on after the 3 songs its header promises")
    nan = np.full(2, np.nan, "<f4").tobytes()
    refused(write(tmp_path / "a.bin", b"1 2\nx " + nan), "the vector of 'x' has a number that is missing or not finite")


def projector(folder, vectors, metadata):
    folder.mkdir()
    for name, content in (("vectors.tsv", vectors), ("metadata.tsv", metadata)):
        if content is not None:
            write(folder / name, content)
    return folder


@pytest.mark.parametrize(
    ("vectors", "metadata", "message"),
    [
        (None, "song\nx\n", "vectors.tsv"),
        ("1\t2\n", None, "metadata.tsv"),
        ("", "song\nx\n", "empty"),
        ("1\t2\n", "", "empty"),
        ("1\t2\n", "name\nx\n", "metadata.tsv a column 'song'"),
        ("1\ttwo\n", "song\nx\n", "vectors.tsv must hold numbers only"),
        ("1\t2\n3\n", "song\nx\ny\n", "the vector of 'y' has a number that is missing"),
        ("1\tinf\n", "song\nx\n", "the vector of 'x'"),
        ("1\t2\n3\t4\n", "song\nx\n", "holds 2 vectors for 1 songs"),
        ("1\t2\n", "song\nx\ny\n", "holds 1 vectors for 2 songs"),
        ("1\t2\n3\t4\n", "song\nx\nx\n", "unique"),
        ("1\t2\n", b"song\n\xff\n", "utf-8"),
        ("1\t2\n", "song\tplays\nx\tmany\n", "'plays'"),
    ],
)
def test_a_broken_projector_folder_is_refused(vectors, metadata, message, tmp_path):
    refused(projector(tmp_path / "folder", vectors, metadata), message)


def test_a_projector_folder_of_others_is_read(tmp_path):
    numbers = "1\t2\n" * 500 + "0.5\t-1e-3\n"  # whole numbers for long, then not
    names = "".join(f's{row}\t"{row}\n' for row in range(501))
    read = SongVectors.read(projector(tmp_path / "folder", numbers, "song\ttitle\n" + names))
    assert read["s500"].tolist() == np.array([0.5, -0.001], np.float32).tolist()
    assert read.catalogue.label(3) == '"3'


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"vectors": np.ones((1, 2))}, "ids is not a file"),
        ({"ids": np.array(["x"])}, "vectors is not a file"),
        ({"vectors": np.ones((2, 2)), "ids": np.array(["x"])}, "holds 2 vectors for 1 songs"),
        ({"vectors": np.ones((2, 2)), "ids": np.array(["x", "x"])}, "unique"),
        ({"vectors": np.ones(1), "ids": np.array(["x"])}, "shape (1,); numbers of shape (songs, size) are expected"),
        ({"vectors": np.ones(()), "ids": np.array(["x"])}, "shape ();"),
        ({"vectors": np.ones((1, 2)), "ids": np.array("x")}, "'ids' has shape ()"),
        ({"vectors": np.array([["a"]]), "ids": np.array(["x"])}, "vectors are <U1"),
        ({"vectors": np.array([[1j]]), "ids": np.array(["x"])}, "vectors are complex128"),
        ({"vectors": np.array([[np.nan]]), "ids": np.array(["x"])}, "the vector of 'x'"),
        ({"vectors": np.array([[1e300]]), "ids": np.array(["x"])}, "the vector of 'x'"),
        ({"vectors": np.ones((1, 2)), "ids": np.array([1.5])}, "Float64"),
        ({"vectors": np.ones((1, 2)), "ids": np.array([2**63], np.uint64)}, "64-bit"),
        ({"vectors": np.ones((1, 2)), "ids": np.array([b"x"])}, "Binary"),
    ],
)
def test_a_broken_numpy_file_is_refused(arrays, message, tmp_path):
    refused(npz(tmp_path / "a.npz", **arrays), message)


class Mine:
    """What a hostile file would do to the one who loads it."""

    def __reduce__(self):
        return exec, ("import pathlib; pathlib.Path('loaded').touch()",)


@pytest.mark.parametrize("where", ["ids", "vectors"])
def test_python_objects_in_a_numpy_file_are_refused_and_never_run(where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrays = {"vectors": np.ones((1, 2)), "ids": np.array(["x"])} | {where: np.array([Mine()], object)}
    refused(npz(tmp_path / "a.npz", **arrays), "allow_pickle=False")
    refused(write(tmp_path / "b.npz", pickle.dumps(Mine())), "pickle")
    assert not (tmp_path / "loaded").exists()


def test_other_files_called_npz_are_refused(tmp_path):
    array = io.BytesIO()
    np.save(array, np.ones((1, 2)))
    for content in (b"", b"PK\3\4garbage", array.getvalue(), b"1 1\nx 1\n"):
        refused(write(tmp_path / "a.npz", content), "not a")


def parquet(path, **columns):
    pl.DataFrame(columns).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"song": ["x"]}, '"vector" not found'),
        ({"name": ["x"], "vector": [[1.0]]}, "columns are name, vector; 'song' and 'vector' are needed"),
        ({"song": ["x"], "vector": [1.0]}, "shape (1,)"),
        ({"song": ["x", "y"], "vector": [[1.0], [1.0, 2.0]]}, "inhomogeneous"),
        ({"song": ["x", "y"], "vector": [[1.0], None]}, "list column 'vector'"),
        ({"song": ["x", "y"], "vector": [[1.0], [None]]}, "the vector of 'y' has a number that is missing"),
        ({"song": ["x"], "vector": [[float("inf")]]}, "the vector of 'x'"),
        ({"song": ["x"], "vector": [["one"]]}, "'one'"),
        ({"song": ["x"], "vector": [[{"a": 1}]]}, "list column 'vector'"),
        ({"song": ["x", "x"], "vector": [[1.0], [2.0]]}, "unique"),
        ({"song": ["x", None], "vector": [[1.0], [2.0]]}, "null"),
        ({"song": [1.5], "vector": [[1.0]]}, "Float64"),
        ({"song": ["x"], "vector": [[1.0]], "plays": ["many"]}, "'plays'"),
    ],
)
def test_a_broken_parquet_file_is_refused(columns, message, tmp_path):
    refused(parquet(tmp_path / "a.parquet", **columns), message)


def test_other_files_called_parquet_are_refused(tmp_path):
    for content in (b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"1 1\nx 1\n"):
        refused(write(tmp_path / "a.parquet", content), "not a Parquet file")


def test_a_parquet_file_of_others_is_read(tmp_path):
    read = SongVectors.read(parquet(tmp_path / "a.parquet", song=[5, 3], vector=[[1, 2], [3, 4]], plays=[None, 7], year=[1999, 2000]))
    assert read[3].tolist() == [3, 4]
    assert read.catalogue.plays.tolist() == [0, 7]


@pytest.mark.parametrize("format", ["word2vec-binary", "numpy", "parquet"])
def test_a_file_cut_off_anywhere_is_refused(format, tmp_path):
    path = example().export(tmp_path / f"a{ENDINGS[format]}")
    whole = path.read_bytes()
    for size in sorted({*range(0, len(whole), 1 + len(whole) // 150), len(whole) - 1}):
        refused(write(path, whole[:size]), "", line="any")


def test_a_text_file_cut_off_before_its_last_number_is_refused(tmp_path):
    path = example().export(tmp_path / "a.txt")
    whole = path.read_bytes()
    for size in range(whole.rindex(b" ")):
        error = refused(write(path, whole[:size]), "", line="any")
        newlines = whole[:size].count(b"\n")
        assert error.line in (1, newlines + 1, newlines + 2)  # the next line where one was cut off at its very end


@every_format
@settings(parent=quick, max_examples=80)
@given(data=st.data())
def test_damage_is_refused_or_leaves_usable_vectors(format, tmp_path, data):
    path = example().export(tmp_path / f"a{ENDINGS[format]}")
    file = path if path.is_file() else path / data.draw(st.sampled_from(["vectors.tsv", "metadata.tsv"]))
    whole = file.read_bytes()
    begin = data.draw(st.integers(0, len(whole)), label="begin")
    file.write_bytes(whole[:begin] + data.draw(st.binary(max_size=4)) + whole[begin + data.draw(st.integers(0, 6)) :])
    try:
        read = SongVectors.read(path)
    except FormatError:
        return
    assert np.isfinite(read.matrix).all()
    assert len(read) == len(read.catalogue)


def test_a_parquet_file_that_makes_its_reader_panic_is_refused(tmp_path, monkeypatch):
    def panic(path):
        raise pl.exceptions.PanicException("assertion failed")

    path = example().export(tmp_path / "a.parquet")
    monkeypatch.setattr(pl, "read_parquet", panic)
    refused(path, "assertion failed")
