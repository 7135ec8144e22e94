"""Arrays in safetensors files, memory-mapped if wanted, and strings as arrays."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from safetensors import SafetensorError

from song2vec.core.errors import SavedFolderError

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?"}
_DTYPES |= {"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1"}

Array = np.ndarray[Any, np.dtype[Any]]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]  # what public calls return: vectors, scores, cosines
IntArray = np.ndarray[Any, np.dtype[np.int64]]  # and rows, positions, counts


def read_safetensors(path: Path, *, memory_map: bool = False) -> dict[str, Array]:
    """Arrays of a safetensors file, by name; with ``memory_map`` as read-only views of the file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            (header_size,) = struct.unpack("<Q", file.read(8))
            if header_size > size - 8:
                raise SavedFolderError(f"{path}: truncated header")
            header = json.loads(file.read(header_size))
        header.pop("__metadata__", None)
        blob: Array = np.memmap(path, np.uint8, "r") if memory_map else np.fromfile(path, np.uint8)
        arrays = {}
        for name, spec in header.items():
            begin, end = spec["data_offsets"]
            raw = blob[8 + header_size + begin : 8 + header_size + end]
            arrays[name] = raw.view(_DTYPES[spec["dtype"]]).reshape(spec["shape"])
        return arrays
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise SavedFolderError(f"{path}: not a readable safetensors file ({error})") from error


def pack_ids(ids: pl.Series) -> dict[str, Array]:
    """Ids as arrays: integers as they are, under ``values``; of strings the UTF-8 ``bytes`` end to end (uint8), and the ``offsets`` where
    each begins (int64, one more than strings)."""
    if ids.dtype.is_integer():
        return {"values": ids.to_numpy()}
    encoded = [text.encode() for text in ids.to_list()]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return {"bytes": np.frombuffer(b"".join(encoded), np.uint8), "offsets": offsets}


def unpack_ids(name: str, arrays: Mapping[str, Array]) -> pl.Series:
    """The inverse of :func:`pack_ids`, as a series of this name."""
    if "values" in arrays:
        return pl.Series(name, arrays["values"])
    blob, offsets = arrays["bytes"].tobytes(), arrays["offsets"].tolist()
    return pl.Series(name, [blob[begin:end].decode() for begin, end in pairwise(offsets)], pl.String)


def ranges(begin: Array, counts: Array) -> tuple[Array, Array]:
    """Ranges of ``counts`` whole numbers from ``begin``, end to end: the number of each range, and the numbers."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.repeat(begin - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()))
