"""Vectors as other programs write them: word2vec text and binary, TensorBoard Projector, NumPy, Parquet."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue, SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError, FormatError
from song2vec.core.storage import write_atomically

_ENDINGS = {
    ".txt": "word2vec-text",
    ".vec": "word2vec-text",
    ".bin": "word2vec-binary",
    "": "projector",
    ".npz": "numpy",
    ".parquet": "parquet",
}
# ids are cut at a space by every word2vec reader; only what would break is escaped, so plain ids stay as they are
_UNSAFE = re.compile(r"[\s%]")
_ESCAPED = re.compile(r"(?:%[0-9A-F]{2})+")


def export(matrix: Array, catalogue: Catalogue, path: Path, format: str = "auto") -> Path:
    """Write (m, size) float32 vectors and their catalogue; see ``SongVectors.export``."""
    return _FORMATS[_format(path, format)][0](matrix, catalogue, path)


def read(path: Path, format: str = "auto") -> tuple[Array, Catalogue]:
    """Read vectors and their catalogue; see ``SongVectors.read``."""
    if not path.exists():
        raise FormatError(path, "no such file or folder")
    name = _format(path, format)
    try:
        matrix, catalogue = _FORMATS[name][1](path)
    except (FormatError, MemoryError):
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # zipfile and zlib raise their own kinds, polars may panic
        problem = next(iter(str(error).splitlines()), type(error).__name__)
        raise FormatError(path, f"{_EXPECTED.get(name, 'cannot be read')} ({problem})") from error
    return _checked(path, matrix, catalogue, name), catalogue


def _format(path: Path, format: str) -> str:
    name = _ENDINGS.get(path.suffix.lower(), "") if format == "auto" else format
    if name not in _FORMATS:
        what = f"format={format!r}" if format != "auto" else f"{path}: ending {path.suffix!r}"
        raise ArgumentError(f"{what}: {', '.join(_FORMATS)} are allowed (by ending: {', '.join(e or 'none' for e in _ENDINGS)})")
    return name


def _write_text(matrix: Array, catalogue: Catalogue, path: Path) -> Path:
    frame = pl.DataFrame(matrix, schema=[f"v{i}" for i in range(matrix.shape[1])])
    frame.insert_column(0, pl.Series("id", _written_ids(catalogue)))
    return _write_word2vec(matrix, path, lambda file: frame.write_csv(file, separator=" ", include_header=False, quote_style="never"))


def _read_text(path: Path) -> tuple[Array, Catalogue]:
    with path.open("rb") as file:
        count, size = _header(path, file.readline())
        ids: list[str] = []
        matrix = np.empty((count, size), np.float32)
        for row in range(count):
            fields = file.readline().rstrip(b" \r\n").split(b" ")
            if len(fields) != size + 1:
                raise FormatError(path, f"has {len(fields) - 1} numbers; the header promises {size}", line=row + 2)
            try:
                with np.errstate(over="ignore"):  # what does not fit is refused by line below
                    matrix[row] = fields[1:]
                ids.append(fields[0].decode())
            except ValueError as error:
                raise FormatError(path, f"not an id followed by {size} numbers ({error})", line=row + 2) from error
        if file.read().strip():
            raise FormatError(path, f"goes on after the {count} songs its header promises", line=count + 2)
    return matrix, _catalogue(path, ids)


def _write_binary(matrix: Array, catalogue: Catalogue, path: Path) -> Path:
    rows = zip(_written_ids(catalogue), matrix.astype("<f4", copy=False), strict=True)
    return _write_word2vec(matrix, path, lambda file: file.writelines(song.encode() + b" " + vector.tobytes() for song, vector in rows))


def _read_binary(path: Path) -> tuple[Array, Catalogue]:
    data = path.read_bytes()
    begin = data.find(b"\n") + 1
    count, size = _header(path, data[:begin])
    ids: list[str] = []
    matrix = np.empty((count, size), np.float32)
    for row in range(count):
        space = data.find(b" ", begin)
        end = space + 1 + 4 * size
        if space < 0 or end > len(data):
            raise FormatError(path, f"ends within song {row + 1} of the {count} its header promises")
        try:
            ids.append(data[begin:space].lstrip(b"\n").decode())  # word2vec.c ends each vector with a newline
        except UnicodeDecodeError as error:
            raise FormatError(path, f"the id of song {row + 1} is not UTF-8") from error
        matrix[row] = np.frombuffer(data, "<f4", size, space + 1)
        begin = end
    if data[begin:].strip():
        raise FormatError(path, f"goes on after the {count} songs its header promises")
    return matrix, _catalogue(path, ids)


def _write_projector(matrix: Array, catalogue: Catalogue, path: Path) -> Path:
    """``vectors.tsv`` and ``metadata.tsv`` (with a header line), as projector.tensorflow.org loads them."""
    path.mkdir(parents=True, exist_ok=True)
    texts = catalogue.table().with_columns(pl.col(pl.String).str.replace_all(r"[\t\r\n]", " "))
    if texts["song"].n_unique() < len(catalogue):
        raise ArgumentError("format='projector': ids that differ only in tabs and line ends cannot be told apart in it")
    vectors = pl.DataFrame(matrix)
    write_atomically(path / "vectors.tsv", lambda p: vectors.write_csv(p, separator="\t", include_header=False))
    write_atomically(path / "metadata.tsv", lambda p: texts.write_csv(p, separator="\t", quote_style="never"))
    return path


def _read_projector(path: Path) -> tuple[Array, Catalogue]:
    matrix = pl.read_csv(path / "vectors.tsv", separator="\t", has_header=False, infer_schema_length=None).to_numpy()
    table = pl.read_csv(path / "metadata.tsv", separator="\t", quote_char=None, infer_schema=False)
    if matrix.dtype.kind not in "fi" or "song" not in table.columns:
        raise FormatError(path, "vectors.tsv must hold numbers only, metadata.tsv a column 'song'")
    return matrix, _catalogue_of_table(path, table.with_columns(_whole_numbers(table["song"])))


def _write_numpy(matrix: Array, catalogue: Catalogue, path: Path) -> Path:
    """``vectors`` (m, size) float32 and ``ids`` (m,) int64 or fixed-width text: nothing in it needs unpickling."""
    ids = np.array(catalogue.ids.to_list(), np.int64 if catalogue.holds_integers else np.str_)
    if ids.tolist() != catalogue.ids.to_list():
        raise ArgumentError("format='numpy': ids that end in a NUL character cannot be kept in it")

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a name, savez would put .npz after any other ending
            np.savez(file, vectors=matrix, ids=ids)

    return write_atomically(path, write)


def _read_numpy(path: Path) -> tuple[Array, Catalogue]:
    with np.load(path, allow_pickle=False) as arrays:
        matrix, ids = arrays["vectors"], arrays["ids"]
    if ids.ndim != 1:
        raise FormatError(path, f"'ids' has shape {ids.shape}; (songs,) is expected")
    return matrix, _catalogue(path, ids.tolist(), guess=False)


def _write_parquet(matrix: Array, catalogue: Catalogue, path: Path) -> Path:
    vector = pl.Series("vector", matrix, pl.Array(pl.Float32, matrix.shape[1]))
    return write_atomically(path, catalogue.table().with_columns(vector).write_parquet)


def _read_parquet(path: Path) -> tuple[Array, Catalogue]:
    table = pl.read_parquet(path)
    matrix = table["vector"].to_numpy() if table.height == 0 else np.array(table["vector"].to_list(), np.float32)
    if "song" not in table.columns:
        raise FormatError(path, f"columns are {', '.join(table.columns)}; 'song' and 'vector' are needed")
    return matrix, _catalogue_of_table(path, table)


def _write_word2vec(matrix: Array, path: Path, fill: Callable[[IO[bytes]], None]) -> Path:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            file.write(f"{len(matrix)} {matrix.shape[1]}\n".encode())
            fill(file)

    return write_atomically(path, write)


def _header(path: Path, line: bytes) -> tuple[int, int]:
    try:
        count, size = map(int, line.split())
    except ValueError:
        raise FormatError(path, f"begins with {line[:40]!r}; the number of songs and the size are expected", line=1) from None
    if count < 0 or size < 1 or count * size * 2 > path.stat().st_size:  # two bytes are the least a number takes
        raise FormatError(path, f"promises {count} songs of size {size}, more than its {path.stat().st_size} bytes can hold", line=1)
    return count, size


def _written_ids(catalogue: Catalogue) -> list[str]:
    """Ids as text, white space and % as in URLs (``%20``)."""
    return [_UNSAFE.sub(lambda found: quote(found[0], safe=""), str(song)) for song in catalogue.ids.to_list()]


def _read_id(song: str) -> str:
    """The inverse of :func:`_written_ids` for one id."""

    def decode(found: re.Match[str]) -> str:
        text = unquote(found[0])
        return text if all(_UNSAFE.match(character) for character in text) else found[0]

    return _ESCAPED.sub(decode, song)


def _whole_numbers(ids: pl.Series) -> pl.Series:
    """Ids that are all whole numbers as int64; any others as they are."""
    if not ids.str.contains(r"^(0|-?[1-9][0-9]{0,18})$").all():
        return ids
    numbers = ids.cast(pl.Int64, strict=False)
    return ids if numbers.null_count() else numbers


def _catalogue(path: Path, ids: Sequence[SongId], *, guess: bool = True) -> Catalogue:
    series = _whole_numbers(pl.Series("song", [_read_id(str(song)) for song in ids], pl.String)) if guess else pl.Series("song", ids)
    return _catalogue_of_table(path, pl.DataFrame([series]))


def _catalogue_of_table(path: Path, table: pl.DataFrame) -> Catalogue:
    artist, title, plays = (table.get_column(name, default=None) for name in ("artist", "title", "plays"))
    try:
        return Catalogue(table["song"], None if plays is None else plays.cast(pl.Int64).fill_null(0).to_numpy(), artist, title)
    except (ArgumentError, pl.exceptions.PolarsError) as error:
        raise FormatError(path, str(error)) from error


def _checked(path: Path, matrix: Array, catalogue: Catalogue, format: str) -> Array:
    """Vectors read, as (songs, size) float32."""
    if matrix.dtype.kind not in "iuf" or matrix.ndim != 2:
        raise FormatError(path, f"vectors are {matrix.dtype} of shape {matrix.shape}; numbers of shape (songs, size) are expected")
    if len(matrix) != len(catalogue):
        raise FormatError(path, f"holds {len(matrix)} vectors for {len(catalogue)} songs")
    with np.errstate(over="ignore"):
        vectors = matrix.astype(np.float32, copy=False)
    for row in np.flatnonzero(~np.isfinite(vectors).all(axis=1))[:1].tolist():
        line = row + 2 if format == "word2vec-text" else None
        raise FormatError(path, f"the vector of {catalogue.label(row)!r} has a number that is missing or not finite", line=line)
    return vectors


_FORMATS: dict[str, tuple[Callable[[Array, Catalogue, Path], Path], Callable[[Path], tuple[Array, Catalogue]]]] = {
    "word2vec-text": (_write_text, _read_text),
    "word2vec-binary": (_write_binary, _read_binary),
    "projector": (_write_projector, _read_projector),
    "numpy": (_write_numpy, _read_numpy),
    "parquet": (_write_parquet, _read_parquet),
}
_EXPECTED = {
    "projector": "not a folder of vectors.tsv and metadata.tsv",
    "numpy": "not an .npz of arrays 'vectors' and 'ids'",
    "parquet": "not a Parquet file of songs with a list column 'vector'",
}
