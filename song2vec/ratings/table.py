"""Ratings over time: what listeners think of songs, or how often they play them, period by period.

Ann plays song 7 three times and song 2 once in the first month, and song 7 once in the second::

    listener [0 0 0]    song [7 2 7]    period [0 0 1]    value [1.39 0.69 0.69]      log(1 + plays)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array, pack_ids, unpack_ids
from song2vec.core.checks import check_float, check_int, check_type, named_options
from song2vec.core.errors import ArgumentError
from song2vec.core.random import generator
from song2vec.core.storage import Part, Saved, prefixed, within
from song2vec.nn.checkpoint import digest_of
from song2vec.sessions import Sessions, check_sessions

DAY = 86_400
_LAST = 2**31 - 1  # period
_TYPES: dict[str, type[np.generic]] = {"listener": np.int32, "song": np.int32, "period": np.int32, "value": np.float32}


@dataclass(frozen=True, eq=False)
class Ratings(Saved):
    """A value for each listener, song and period that has one.

    Attributes:
        listener: (n,) int32, rows of ``listeners``.
        song: (n,) int32, rows of ``catalogue``.
        period: (n,) int32, from 0, in the order of time.
        value: (n,) float32.
        listeners: the listeners' ids.
        catalogue: the songs.

    Lists will do for arrays and ids. Raises ArgumentError for what are no numbers or ids, different lengths, rows that are not
    there, periods below 0 and values that are not finite.
    """

    listener: Array
    song: Array
    period: Array
    value: Array
    listeners: pl.Series
    catalogue: Catalogue

    kind = "ratings"

    def __post_init__(self) -> None:
        check_type("catalogue", self.catalogue, Catalogue, "a Catalogue is allowed")
        for name, dtype in _TYPES.items():
            object.__setattr__(self, name, _numbers(name, getattr(self, name), dtype))
        object.__setattr__(self, "listeners", _ids(self.listeners))
        lengths = {name: len(getattr(self, name)) for name in _TYPES}
        if len(set(lengths.values())) > 1:
            raise ArgumentError(f"ratings: lengths {lengths}; all the same are needed")
        for name, most in (("listener", len(self.listeners)), ("song", len(self.catalogue)), ("period", None)):
            rows = getattr(self, name)
            if len(rows) and (rows.min() < 0 or (most is not None and rows.max() >= most)):
                allowed = "from 0" if most is None else f"0 to {most - 1}"
                raise ArgumentError(f"{name}: from {rows.min()} to {rows.max()}; {allowed} is allowed")
        if not np.isfinite(self.value).all():
            raise ArgumentError("value: holds what is not finite; numbers are allowed")

    def __len__(self) -> int:
        return len(self.value)

    def before(self, period: int) -> Ratings:
        """Those of earlier periods. Raises ArgumentError for what is no period."""
        return self.select(self.period < check_period(period))

    def during(self, period: int) -> Ratings:
        """Those of one period. Raises ArgumentError for what is no period."""
        return self.select(self.period == check_period(period))

    def keys(self) -> Array:
        """(n,) int64: the same number for the same listener, song and period, over the same listeners and songs."""
        found: Array = (self.period.astype(np.int64) * len(self.listeners) + self.listener) * len(self.catalogue) + self.song
        return found

    @property
    def fingerprint(self) -> str:
        """16 hex digits over all of them, their listeners and songs."""
        ids = pack_ids(self.listeners).values(), pack_ids(self.catalogue.ids).values()
        return digest_of(self.listener, self.song, self.period, self.value, *ids[0], *ids[1])

    def to_parts(self) -> dict[str, Part]:
        """Ratings, listeners and songs."""
        arrays = {name: getattr(self, name) for name in _TYPES} | {f"listeners.{key}": ids for key, ids in pack_ids(self.listeners).items()}
        return {"ratings": Part({}, arrays)} | prefixed("catalogue", self.catalogue.to_parts())

    @classmethod
    def from_parts(cls, parts: Mapping[str, Part]) -> Self:
        """The inverse of :meth:`to_parts`."""
        arrays = dict(parts["ratings"].arrays)
        columns = {name: arrays.pop(name) for name in _TYPES}
        listeners = unpack_ids("listener", {key.removeprefix("listeners."): ids for key, ids in arrays.items()})
        return cls(**columns, listeners=listeners, catalogue=Catalogue.from_parts(within("catalogue", parts)))

    def after(self, earlier: Ratings) -> Ratings:
        """Others over the same listeners and songs, and these behind them."""
        both: dict[str, Any] = {name: np.append(getattr(earlier, name), getattr(self, name)) for name in _TYPES}
        return replace(self, **both)

    def select(self, which: Array) -> Ratings:
        """Some of them, by a mask or by numbers. Raises ArgumentError for a mask of another length."""
        if np.asarray(which).dtype == bool and len(which) != len(self):
            raise ArgumentError(f"which: is a mask of {len(which):,} for {len(self):,} ratings; one each is allowed")
        kept: dict[str, Any] = {name: getattr(self, name)[which] for name in _TYPES}
        return replace(self, **kept)


@named_options
def count_plays(sessions: Sessions, days: float = 30, *, unplayed: float = 0, seed: int = 0) -> Ratings:
    """log(1 + plays) of each listener, song and period.

    Args:
        days: in a period; the first begins with the first session, and a session counts for the period it begins in.
        unplayed: how many songs are drawn, uniformly, for each that a listener played in a period. Those that the listener did not
            play then are in the table with the value 0; all others that were not played are not in it.
        seed: of what is drawn.

    Raises ArgumentError for sessions without times, ``days`` that are not above 0, and ``unplayed`` below 0.
    """
    check_sessions(sessions)
    if sessions.start is None:
        raise ArgumentError("sessions: have no times; those cut from a log with times are needed")
    check_float("days", days, 0, above=True)
    check_float("unplayed", unplayed, 0)
    lengths, start = sessions.lengths, np.asarray(sessions.start)
    passed = (start - start.min(initial=start[0] if len(start) else 0)) // (days * DAY)
    if passed.max(initial=0) > _LAST:
        raise ArgumentError(f"days={days!r}: makes {passed.max():.0f} periods of these sessions; up to {_LAST} are allowed")
    listener, period = np.repeat(np.asarray(sessions.listener), lengths), np.repeat(passed.astype(np.int32), lengths)
    plays = pl.DataFrame({"listener": listener, "song": np.asarray(sessions.songs), "period": period})
    keys = ("period", "listener", "song")
    counted = plays.group_by(keys).agg(value=(1 + pl.len()).log().cast(pl.Float32))
    if unplayed:
        random, pairs = generator(seed, "unplayed"), counted.sort(keys).select("period", "listener")
        drawn = pairs[np.repeat(np.arange(pairs.height), random.poisson(unplayed, pairs.height))]
        drawn = drawn.with_columns(song=random.integers(0, len(sessions.catalogue), drawn.height).astype(np.int32)).unique()
        counted = pl.concat([counted, drawn.join(counted, on=keys, how="anti").with_columns(value=pl.lit(0, pl.Float32))])
    columns: dict[str, Any] = {name: column.to_numpy() for name, column in counted.sort(keys).to_dict().items()}
    return Ratings(**columns, listeners=sessions.listeners, catalogue=sessions.catalogue)


def check_period(period: object) -> int:
    """A period as an int. Raises ArgumentError unless it is a whole number from 0 that fits into 32 bits."""
    return check_int("period", period, 0, _LAST)


def _numbers(name: str, values: Any, dtype: type[np.generic]) -> Array:
    """Values as an array of this type. Raises ArgumentError where they do not fit."""
    try:
        given = np.asarray(values)
        if given.ndim != 1 or (len(given) and not np.can_cast(given.dtype, dtype, "same_kind")):
            raise ArgumentError(f"{name}: is {given.ndim}-dimensional {given.dtype}; a row of {np.dtype(dtype).name} numbers is allowed")
    except (ValueError, OverflowError) as error:
        raise ArgumentError(f"{name}: holds what are no numbers ({error})") from error
    if given.dtype == dtype:  # as those selected are
        return given
    most = float(np.finfo(np.float32).max) if dtype is np.float32 else _LAST
    if len(given) and np.isfinite(given).all() and np.abs(given).max() > most:
        raise ArgumentError(f"{name}: holds {np.abs(given).max()}; up to {most} is allowed")
    found: Array = given.astype(dtype)
    return found


def _ids(listeners: Any) -> pl.Series:
    """The listeners' ids. Raises ArgumentError unless they are a list, unique, all strings or all integers."""
    if isinstance(listeners, str):
        raise ArgumentError(f"listeners={listeners!r}: a list of ids is allowed, as [{listeners!r}]")
    if isinstance(listeners, pl.Series):
        return listeners
    try:
        return Catalogue(listeners).ids.alias("listener")
    except ArgumentError as error:
        raise ArgumentError(str(error).replace("song ids", "listeners")) from error
