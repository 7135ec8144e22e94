"""Saved folders: all or nothing, checksummed, never over foreign files, never outside the folder."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import SafetensorError

from song2vec.core import folders
from song2vec.core.arrays import pack_ids, unpack_ids
from song2vec.core.errors import SavedFolderError
from song2vec.core.folders import FORMAT_VERSION, MANIFEST, Part, is_empty, load_folder, save_folder
from tests.damage import read_manifest, sealed, write_manifest

KIND = "test thing"
DTYPES = ["?", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"]
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3)))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(st.none() | st.booleans() | NUMBERS | TEXT, st.lists, max_leaves=5)


def parts_of(number):
    """Different data, in files of different names, for each number."""
    return {
        "numbers": Part({"number": number}, {"a": np.full(1000, number), "b": np.arange(3.0)}),
        "words": Part({"words": 2}, pack_ids(pl.Series(["Björk", f"{number}"]))),
        "foreign": Part(write_file=lambda path: path.write_bytes(b"foreign" + bytes([number]))),
        "told": Part({"only": ["this", number]}),
    }


def check(folder, number, **arguments):
    """The folder is the save of this number, whole."""
    parts = load_folder(folder, KIND, **arguments)
    assert list(parts) == ["numbers", "words", "foreign", "told"]
    assert parts["numbers"].meta == {"number": number}
    assert parts["numbers"].arrays["a"].tolist() == [number] * 1000
    assert parts["numbers"].arrays["b"].tolist() == [0, 1, 2]
    assert unpack_ids("words", parts["words"].arrays).to_list() == ["Björk", f"{number}"]
    assert parts["foreign"].file.read_bytes() == b"foreign" + bytes([number])
    assert parts["told"].meta == {"only": ["this", number]}
    assert parts["told"].arrays == {}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def data_files(folder):
    return sorted(path for path in folder.iterdir() if path.name != MANIFEST)


@pytest.fixture
def folder(tmp_path):
    return save_folder(tmp_path / "saved", KIND, parts_of(1))


def change_manifest(folder, change):
    manifest = read_manifest(folder)
    change(manifest)
    write_manifest(folder, manifest)


# Round trips


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays=st.dictionaries(TEXT, ARRAYS, max_size=4), meta=st.dictionaries(TEXT, JSON, max_size=3), memory_map=st.booleans())
def test_arrays_and_metadata_come_back_as_they_were(tmp_path, arrays, meta, memory_map):
    save_folder(tmp_path / "saved", KIND, {"part": Part(meta, arrays)})
    loaded = load_folder(tmp_path / "saved", KIND, memory_map=memory_map)["part"]
    assert loaded.meta == meta
    assert loaded.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert loaded.arrays[name].dtype == array.dtype
        assert loaded.arrays[name].shape == array.shape
        assert loaded.arrays[name].tobytes() == array.tobytes()


def test_strided_and_big_endian_arrays_come_back_by_value(tmp_path):
    arrays = {"big": np.arange(5, dtype=">i4"), "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "strided": np.arange(10)[::-3]}
    save_folder(tmp_path / "saved", KIND, {"part": Part(arrays=arrays)})
    loaded = load_folder(tmp_path / "saved", KIND)["part"].arrays
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)


@pytest.mark.parametrize("memory_map", [True, False])
def test_all_parts_come_back(folder, memory_map):
    check(folder, 1, memory_map=memory_map)


def test_the_same_content_gives_the_same_bytes(folder, tmp_path):
    assert contents(save_folder(tmp_path / "again", KIND, parts_of(1))) == contents(folder)


def test_missing_parents_are_made_and_the_folder_is_named_in_return(tmp_path):
    path = tmp_path / "not" / "yet" / "there"
    assert save_folder(str(path), KIND, parts_of(2)) == path
    check(str(path), 2)


def test_memory_mapped_arrays_are_read_only_views_of_the_file(folder):
    array = load_folder(folder, KIND, memory_map=True)["numbers"].arrays["a"]
    assert isinstance(array, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 9
    assert not isinstance(load_folder(folder, KIND)["numbers"].arrays["a"], np.memmap)


# Overwriting


def test_an_older_save_is_replaced_and_its_files_removed(folder):
    before = contents(folder)
    save_folder(folder, KIND, parts_of(2))
    check(folder, 2)
    assert len(contents(folder)) == len(before)
    assert not {path.name for path in data_files(folder)} & before.keys()


def test_files_that_stay_the_same_survive_an_overwrite(folder):
    save_folder(folder, KIND, parts_of(1))
    check(folder, 1)
    save_folder(folder, KIND, {"numbers": parts_of(1)["numbers"]})
    assert len(data_files(folder)) == 1
    assert load_folder(folder, KIND)["numbers"].meta == {"number": 1}


def test_what_is_memory_mapped_outlives_an_overwrite(folder):
    mapped = load_folder(folder, KIND, memory_map=True)["numbers"].arrays["a"]
    save_folder(folder, KIND, parts_of(2))
    save_folder(folder, KIND, parts_of(3))
    assert mapped.tolist() == [1] * 1000


def test_files_beside_the_save_are_left_alone(folder):
    (folder / "notes.txt").write_text("mine")
    save_folder(folder, KIND, parts_of(2))
    check(folder, 2)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_reader_sees_an_old_or_a_new_save_whole_while_it_is_overwritten(folder):
    def overwrite():
        for number in range(2, 40):
            save_folder(folder, KIND, {name: part for name, part in parts_of(number).items() if name != "foreign"})

    save_folder(folder, KIND, {name: part for name, part in parts_of(1).items() if name != "foreign"})
    writer = threading.Thread(target=overwrite)
    writer.start()
    seen = []
    while writer.is_alive() or not seen:
        parts = load_folder(folder, KIND, memory_map=len(seen) % 2 == 0)
        number = parts["numbers"].meta["number"]
        assert parts["numbers"].arrays["a"].tolist() == [number] * 1000
        assert unpack_ids("words", parts["words"].arrays)[1] == f"{number}"
        seen.append(number)
    writer.join()
    assert seen == sorted(seen)
    assert load_folder(folder, KIND)["numbers"].meta["number"] == 39


def test_a_save_that_overtakes_a_load_is_loaded_instead(folder, monkeypatch):
    read = folders._read_manifest

    def overtaken(path):
        manifest = read(path)
        monkeypatch.setattr(folders, "_read_manifest", read)
        save_folder(folder, KIND, parts_of(2))
        return manifest

    monkeypatch.setattr(folders, "_read_manifest", overtaken)
    check(folder, 2)


# Crashes


class CrashError(Exception):
    pass


def crash(path):
    path.write_bytes(b"half a fi")
    raise CrashError


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("kind_of_crash", [CrashError, KeyboardInterrupt])
def test_a_crash_in_the_middle_leaves_the_old_save_whole_and_nothing_else(folder, place, kind_of_crash):
    def fail(path):
        path.write_bytes(b"half a fi")
        raise kind_of_crash

    before = contents(folder)
    parts = list(parts_of(2).items())
    parts.insert(place, ("failing", Part(write_file=fail)))
    with pytest.raises(kind_of_crash):
        save_folder(folder, KIND, dict(parts))
    assert contents(folder) == before
    check(folder, 1)
    save_folder(folder, KIND, parts_of(2))
    check(folder, 2)


def test_a_crash_after_a_file_the_old_save_has_too_keeps_that_file(folder):
    with pytest.raises(CrashError):
        save_folder(folder, KIND, parts_of(1) | {"failing": Part(write_file=crash)})
    check(folder, 1)


def test_a_crash_in_a_first_save_leaves_nothing(tmp_path):
    with pytest.raises(CrashError):
        save_folder(tmp_path / "new", KIND, parts_of(1) | {"failing": Part(write_file=crash)})
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_is_no_json_leaves_the_old_save_whole(folder):
    before = contents(folder)
    with pytest.raises(TypeError):
        save_folder(folder, KIND, parts_of(2) | {"odd": Part({"a set": {1}})})
    assert contents(folder) == before


@pytest.mark.parametrize("steps", range(6))
def test_a_crash_at_any_fsync_leaves_a_whole_save(folder, monkeypatch, steps):
    fsync, left = folders._fsync, [steps]

    def failing(path):
        if left[0] == 0:
            raise OSError("disk full")
        left[0] -= 1
        fsync(path)

    monkeypatch.setattr(folders, "_fsync", failing)
    if steps < 5:  # three data files, the manifest, and the folder after its rename
        with pytest.raises(OSError, match="disk full"):
            save_folder(folder, KIND, parts_of(2))
        check(folder, 2 if steps == 4 else 1)
    else:
        save_folder(folder, KIND, parts_of(2))
        check(folder, 2)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_write_atomically_leaves_the_old_file_or_the_new_one(tmp_path):
    target = tmp_path / "picture.png"
    assert folders.write_atomically(target, lambda path: path.write_text(path.suffix)) == target
    assert target.read_text() == ".png"  # writers choose a format by it
    with pytest.raises(CrashError):
        folders.write_atomically(target, crash)
    assert contents(tmp_path) == {"picture.png": b".png"}


# Foreign folders


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"thesis.doc": "years of work"}, "not empty and not a saved test thing"),
        ({MANIFEST: "{}"}, "not empty and not a saved test thing"),
        ({MANIFEST: '{"name": "a web app", "icons": []}'}, "not empty"),
        ({MANIFEST: {"song2vec": 2, "kind": "engine", "parts": {}}}, "holds a saved 'engine'"),
        ({MANIFEST: '{"song2vec": 99, "kind": "test thing", "parts": {}}'}, "not empty"),
        ({MANIFEST: {"song2vec": 2, "kind": "test thing", "parts": ["x"]}}, "cannot be understood"),
        ({MANIFEST: {"song2vec": 2, "kind": "test thing", "parts": {"x": {"file": "y"}}}}, "cannot be understood"),
    ],
)
def test_a_folder_that_is_not_a_save_of_this_kind_is_refused_untouched(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text if isinstance(text, str) else sealed(text))
    before = contents(tmp_path)
    with pytest.raises(SavedFolderError) as raised:
        save_folder(tmp_path, KIND, parts_of(1))
    assert message in str(raised.value)
    assert str(tmp_path) in str(raised.value)
    assert contents(tmp_path) == before


def test_a_file_is_not_written_over(tmp_path):
    (tmp_path / "song.mp3").write_bytes(b"music")
    with pytest.raises(SavedFolderError, match=r"song.mp3: is a file; a saved test thing is a folder"):
        save_folder(tmp_path / "song.mp3", KIND, parts_of(1))
    with pytest.raises(SavedFolderError, match="is a file"):
        load_folder(tmp_path / "song.mp3", KIND)
    assert (tmp_path / "song.mp3").read_bytes() == b"music"


def test_an_empty_folder_is_written_into(tmp_path):
    check(save_folder(tmp_path, KIND, parts_of(1)), 1)


@pytest.mark.parametrize("outside", ["../victim", "{tmp}/victim", "..", "", ".", "sub/victim", MANIFEST])
def test_a_manifest_cannot_reach_outside_its_folder(folder, tmp_path, outside):
    victim, name = tmp_path / "victim", outside.replace("{tmp}", str(tmp_path))
    (folder / "sub").mkdir()
    for path in (victim, folder / "sub" / "victim"):
        path.write_bytes(b"foreign\1")
    change_manifest(folder, lambda manifest: manifest["parts"]["foreign"]["file"].update(name=name))
    for use in (load_folder, lambda *arguments: save_folder(*arguments, parts_of(2))):  # a save would remove the older files
        with pytest.raises(SavedFolderError) as raised:
            use(folder, KIND)
        assert "names a file outside the folder" in str(raised.value)
        assert repr(name) in str(raised.value)
    assert victim.read_bytes() == (folder / "sub" / "victim").read_bytes() == b"foreign\1"


# Several processes, and saves that were killed


def test_who_loads_beside_two_processes_that_save_sees_one_save_whole(tmp_path):
    folder = save_folder(tmp_path / "saved", KIND, parts_of(1))
    savers = []
    for first in (1, 2):
        savers.append(os.fork())
        if not savers[-1]:
            for turn in range(60):
                save_folder(folder, KIND, parts_of(first + turn % 2))
            os._exit(0)
    loads, ended = 0, set()
    while len(ended) < 2 or not loads:
        parts = load_folder(folder, KIND, memory_map=loads % 2 == 0)
        assert parts["numbers"].arrays["a"].tolist() == [parts["numbers"].meta["number"]] * 1000
        loads += 1
        ended |= {saver for saver in savers if saver not in ended and os.waitpid(saver, os.WNOHANG)[0]}
    check(folder, load_folder(folder, KIND)["numbers"].meta["number"])
    assert len(contents(folder)) == 4  # three data files and the manifest


def killed_save(folder, step, turn):
    """Save in a process of its own, which is killed when it comes to the function ``step`` for the time after ``turn``."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    go_on, left = getattr(folders, step), [turn]

    def dies(*arguments):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return go_on(*arguments)

    setattr(folders, step, dies)
    save_folder(folder, KIND, parts_of(2))
    os._exit(0)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("step", "turns"), [("_fsync", range(5)), ("_sha256", range(3)), ("_replace_manifest", range(1))])
def test_a_save_that_is_killed_leaves_old_or_new_and_the_next_one_cleans_up(tmp_path, first, step, turns):
    for turn in turns:
        folder = tmp_path / f"saved {turn}"
        if not first:
            save_folder(folder, KIND, parts_of(1))
        for _ in range(2):  # what is left must not grow
            assert killed_save(folder, step, turn) == -signal.SIGKILL
        committed = step == "_fsync" and turn == 4  # the folder, after the rename
        if committed or not first:
            check(folder, 2 if committed else 1)
        else:
            assert is_empty(folder)
            with pytest.raises(SavedFolderError, match=r"has no manifest\.json"):
                load_folder(folder, KIND)
        save_folder(folder, KIND, parts_of(3))
        check(folder, 3)
        assert len(contents(folder)) == 4


def test_files_that_only_look_like_a_save_s_are_left_alone(tmp_path):
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "photo-0123456789ab.bin").write_text("mine")
    assert not is_empty(folder)
    with pytest.raises(SavedFolderError, match="left alone"):
        save_folder(folder, KIND, parts_of(1))
    saved = save_folder(tmp_path / "other", KIND, parts_of(1))
    (saved / "photo-0123456789ab.bin").write_text("mine")
    save_folder(saved, KIND, parts_of(2))
    assert (saved / "photo-0123456789ab.bin").read_text() == "mine"


# Damage


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_of_the_manifest_is_found_or_changes_nothing(folder, data):
    path = folder / MANIFEST
    whole = path.read_bytes()
    position, damage = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    path.write_bytes(whole[:position] + bytes([whole[position] ^ damage]) + whole[position + 1 :])
    with contextlib.suppress(SavedFolderError):
        check(folder, 1)
    path.write_bytes(whole)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SavedFolderError, match="nowhere: no such folder"):
        load_folder(tmp_path / "nowhere", KIND)
    with pytest.raises(SavedFolderError, match=r"has no manifest\.json"):
        load_folder(tmp_path, KIND)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_in_any_data_file_is_found(folder, data):
    path = data.draw(st.sampled_from(data_files(folder)))
    whole = path.read_bytes()
    position, damage = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    path.write_bytes(whole[:position] + bytes([whole[position] ^ damage]) + whole[position + 1 :])
    with pytest.raises(SavedFolderError, match=f"{path.name}: does not match its checksum: corrupt"):
        load_folder(folder, KIND)
    path.write_bytes(whole)


def test_a_file_of_another_size_is_found(folder):
    for path in data_files(folder):
        whole = path.read_bytes()
        for changed in (b"", whole[:-1], whole + b"\0"):
            path.write_bytes(changed)
            with pytest.raises(SavedFolderError) as raised:
                load_folder(folder, KIND)
            assert str(raised.value) == f"{path}: has {len(changed)} bytes, {len(whole)} were saved: truncated or changed"
        path.write_bytes(whole)


def test_a_missing_data_file_is_named(folder):
    for path in data_files(folder):
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(SavedFolderError, match=f"{path.name}: is missing"):
            load_folder(folder, KIND)
        path.write_bytes(whole)


@pytest.mark.parametrize("key", ["song2vec", "kind", "parts"])
def test_a_manifest_without_a_key_is_refused(folder, key):
    change_manifest(folder, lambda manifest: manifest.pop(key))
    with pytest.raises(SavedFolderError, match="was not written by song2vec"):
        load_folder(folder, KIND)


@pytest.mark.parametrize("entry", ["name", "bytes", "sha256"])
@pytest.mark.parametrize(("part", "file"), [("numbers", "arrays"), ("foreign", "file")])
def test_an_entry_without_a_key_is_refused(folder, part, file, entry):
    change_manifest(folder, lambda manifest: manifest["parts"][part][file].pop(entry))
    with pytest.raises(SavedFolderError) as raised:
        load_folder(folder, KIND)
    assert str(raised.value) == f"{folder / MANIFEST}: cannot be understood (KeyError: '{entry}')"


def test_a_part_without_metadata_is_refused(folder):
    change_manifest(folder, lambda manifest: manifest["parts"]["told"].pop("meta"))
    with pytest.raises(SavedFolderError, match="cannot be understood"):
        load_folder(folder, KIND)


@pytest.mark.parametrize("parts", [None, [], "parts", 3, {"x": None}, {"x": []}, {"x": {"meta": {}, "file": 3}}])
def test_parts_of_another_shape_are_refused(folder, parts):
    change_manifest(folder, lambda manifest: manifest.update(parts=parts))
    with pytest.raises(SavedFolderError, match="cannot be understood"):
        load_folder(folder, KIND)


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 0, "1", None])
def test_another_format_version_is_named(folder, version):
    change_manifest(folder, lambda manifest: manifest.update(song2vec=version))
    with pytest.raises(SavedFolderError) as raised:
        load_folder(folder, KIND)
    assert str(raised.value) == f"{folder}: format version {version!r}; this song2vec reads version {FORMAT_VERSION}"


def test_another_kind_is_named(folder):
    with pytest.raises(SavedFolderError, match="holds a saved 'test thing', where 'engine' is asked for"):
        load_folder(folder, "engine")
    with pytest.raises(SavedFolderError, match="holds a saved 'test thing'; a 'engine' will not be written over it"):
        save_folder(folder, "engine", {})
    check(folder, 1)


@pytest.mark.parametrize("manifest", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"song2vec kind parts"', b"[" * 100_000, b"PK\3\4"])
def test_a_manifest_that_is_no_manifest_is_refused(folder, manifest):
    (folder / MANIFEST).write_bytes(manifest)
    with pytest.raises(SavedFolderError, match=MANIFEST):
        load_folder(folder, KIND)


def test_python_objects_are_not_saved(tmp_path):
    with pytest.raises(SafetensorError, match="object"):
        save_folder(tmp_path / "saved", KIND, {"part": Part(arrays={"objects": np.array([{"a": 1}], object)})})
    assert not (tmp_path / "saved").exists()
