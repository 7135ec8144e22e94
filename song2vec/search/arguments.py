"""Arguments of a search as the index takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError


def as_songs(name: str, songs: Any) -> list[SongId]:
    """One song or several -> several."""
    if isinstance(songs, str | bytes | int | np.integer):
        return [songs]  # type: ignore[list-item]  # the catalogue refuses what is not an id of its kind
    if not isinstance(songs, Iterable):
        raise ArgumentError(f"{name}={songs!r}: a song id or a list of them is allowed")
    return list(songs)


def as_vectors(name: str, values: Any, size: int, dimensions: int) -> Array:
    """Vectors as float64, (size,) or (queries, size); raises ArgumentError for another shape or a number that is not finite."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name} does not hold numbers ({error})") from error
    if array.ndim != dimensions or array.shape[-1] != size:
        allowed = (f"({size},)", f"(queries, {size})")[dimensions - 1]
        raise ArgumentError(f"{name} has shape {array.shape}; {allowed} is allowed")
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name} holds a number that is not finite")
    return array
