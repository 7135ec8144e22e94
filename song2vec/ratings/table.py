"""Ratings over time: what listeners think of songs, or how often they play them, period by period.

Ann plays song 7 three times and song 2 once in the first month, and song 7 once in the second::

    listener [0 0 0]    song [7 2 7]    period [0 0 1]    value [1.39 0.69 0.69]      log(1 + plays)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from song2vec.arrays import Array
from song2vec.catalogue import Catalogue
from song2vec.errors import ArgumentError
from song2vec.sessions import Sessions

DAY = 86_400


@dataclass(frozen=True, eq=False)
class Ratings:
    """A value for each listener, song and period that has one.

    Attributes:
        listener: (n,) int32, rows of ``listeners``.
        song: (n,) int32, rows of ``catalogue``.
        period: (n,) int32, from 0, in the order of time.
        value: (n,) float32.
        listeners: the listeners' ids.
        catalogue: the songs.

    Raises ArgumentError for arrays of different lengths, rows that are not there, periods below 0 and values that are not finite.
    """

    listener: Array
    song: Array
    period: Array
    value: Array
    listeners: pl.Series
    catalogue: Catalogue

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("listener", "song", "period", "value")}
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
        """Those of earlier periods."""
        return self.select(self.period < period)

    def during(self, period: int) -> Ratings:
        """Those of one period."""
        return self.select(self.period == period)

    def select(self, which: Array) -> Ratings:
        """Some of them, by a mask or by numbers."""
        kept = {name: getattr(self, name)[which] for name in ("listener", "song", "period", "value")}
        return replace(self, **kept)


def count_plays(sessions: Sessions, days: float = 30) -> Ratings:
    """log(1 + plays) of each listener, song and period of so many days, the first beginning with the first session.

    A session counts for the period it begins in. What nobody played is not in the table.

    Raises ArgumentError for sessions without times, and for ``days`` that are not above 0.
    """
    if sessions.start is None:
        raise ArgumentError("sessions: have no times; those cut from a log with times are needed")
    if not days > 0:
        raise ArgumentError(f"days={days!r}: a number above 0 is allowed")
    lengths, start = sessions.lengths, np.asarray(sessions.start)
    period = ((start - start.min(initial=start[0] if len(start) else 0)) // (days * DAY)).astype(np.int32)
    plays = pl.DataFrame(
        {
            "listener": np.repeat(np.asarray(sessions.listener), lengths),
            "song": np.asarray(sessions.songs),
            "period": np.repeat(period, lengths),
        }
    )
    counted = plays.group_by("period", "listener", "song").len().sort("period", "listener", "song")
    listener, song, when = (counted[name].to_numpy() for name in ("listener", "song", "period"))
    value = np.log1p(counted["len"].to_numpy()).astype(np.float32)
    return Ratings(listener, song, when, value, sessions.listeners, sessions.catalogue)
