"""Arrays and strings in safetensors files: read without trusting them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from song2vec.core.arrays import pack_ids, ranges, read_safetensors, unpack_ids
from song2vec.core.errors import SavedFolderError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(TEXT))
def test_strings_come_back_as_they_were(strings):
    packed = pack_ids(pl.Series(strings, dtype=pl.String))
    assert unpack_ids("song", packed).to_list() == strings
    assert packed["bytes"].dtype == np.uint8
    assert packed["offsets"].dtype == np.int64
    assert len(packed["offsets"]) == len(strings) + 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_safetensors_file_is_refused_or_read_but_never_crashes(tmp_path, data):
    path = tmp_path / "file.safetensors"
    save_file({"a": np.arange(4, dtype=np.int32), "b": np.ones((2, 3))}, path)
    whole = path.read_bytes()
    begin = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:begin] + data.draw(st.binary(max_size=8)) + whole[begin + data.draw(st.integers(0, 8)) :])
    for memory_map in (False, True):
        try:
            arrays = read_safetensors(path, memory_map=memory_map)
        except SavedFolderError:
            continue
        assert all(isinstance(array, np.ndarray) for array in arrays.values())


@pytest.mark.parametrize("content", [b"", b"\0" * 7, b"\xff" * 8, b"\xff" * 100, b"\2\0\0\0\0\0\0\0[]", b"\1\0\0\0\0\0\0\0{"])
def test_a_file_that_is_no_safetensors_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(SavedFolderError, match="file: "):
        read_safetensors(tmp_path / "file")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4))))
def test_ranges_end_to_end(pairs):
    begin, counts = (np.array(column, np.int64) for column in (zip(*pairs, strict=True) if pairs else ((), ())))
    owner, numbers = ranges(begin, counts)
    assert list(zip(owner.tolist(), numbers.tolist(), strict=True)) == [
        (which, first + step) for which, (first, count) in enumerate(pairs) for step in range(count)
    ]
