"""What a candidate network is told beside the songs: when the session began, and how old an example is."""

from __future__ import annotations

import numpy as np

from song2vec.arrays import Array

HOURS, WEEKDAYS, AGES = 24, 7, 3
_DAY = 86_400


def clock(start: Array | None, sessions: int) -> Array:
    """(sessions, 31) float32: 1 for the hour of the day and 1 for the weekday (UTC, Monday first); zeros without times.

    Args:
        start: (sessions,) epoch seconds, or None.
    """
    told = np.zeros((sessions, HOURS + WEEKDAYS), np.float32)
    if start is not None:
        rows, day = np.arange(sessions), np.asarray(start) // _DAY
        told[rows, np.asarray(start) % _DAY // 3600] = 1
        told[rows, HOURS + (day + 3) % 7] = 1  # the first day of the epoch was a Thursday
    return told


def ages(start: Array | None, sessions: int) -> Array:
    """(sessions, 3) float32: how long before the last session each began, as a share a of all the time, as a, a^2 and a^0.5.

    Zeros are the end of the training log: what is asked for when the network serves, and all there is without times.
    """
    if start is None or not len(start) or start.max() == start.min():
        return np.zeros((sessions, AGES), np.float32)
    share = (start.max() - start) / (start.max() - start.min())
    return np.stack([share, share**2, np.sqrt(share)], 1).astype(np.float32)
