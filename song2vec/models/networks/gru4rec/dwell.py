"""Songs that were listened to for long count for more in training (Bogina and Kuflik 2017).

A play of dwell d becomes floor(d / slice) + 1 plays in its place; the last play of a session, and one whose dwell is not known, stays
one. With slices of 60 seconds::

    songs  7   3    5        ->  7 7 3 3 3 5
    dwell  65. 130. (last)

Only training sessions are sliced: targets that are copies of the song before are easy, and a score that counts them is no gain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl

from song2vec.core.errors import ArgumentError
from song2vec.sessions import Sessions

DwellUnit = Literal["seconds", "ratio"]
MOST = 20  # copies of a play: a player that was left running tells nothing


def sliced_by_dwell(sessions: Sessions, size: float, unit: DwellUnit = "seconds") -> Sessions:
    """Sessions with each play repeated by how long it lasted, at most 20 times.

    Args:
        size: of a slice.
        unit: "seconds", or "ratio" of the song's usual dwell: the median of its plays, which stands for its length.

    Raises ArgumentError for sessions without dwell.
    """
    if sessions.dwell is None:
        raise ArgumentError("sessions: have no dwell, neither times nor played seconds; dwell_slice needs it")
    dwell = sessions.dwell.astype(np.float64)
    if unit == "ratio":
        lasted = pl.when(pl.col("dwell").is_not_nan() & (pl.col("dwell") > 0)).then("dwell")
        plays = pl.DataFrame({"song": sessions.songs, "dwell": dwell})
        dwell = plays.select(pl.col("dwell") / lasted.median().over("song")).to_series().to_numpy()
    dwell = np.nan_to_num(np.maximum(dwell, 0), posinf=0)
    dwell[sessions.offsets[1:][sessions.lengths > 0] - 1] = 0
    copies = np.minimum(np.floor(dwell / size).astype(np.int64) + 1, MOST)
    return replace(sessions.keep(plays=copies), dwell=None)
