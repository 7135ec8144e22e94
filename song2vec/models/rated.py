"""Models of ratings as next-song models: the songs that a listener will take to in this period, whatever the session holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from song2vec.core.arrays import Array
from song2vec.core.errors import ArgumentError
from song2vec.core.settings import Choice, Space, check_choice, check_real, make
from song2vec.core.storage import Part
from song2vec.models.old import OldStyle
from song2vec.ratings import RATERS, RatingModel, count_plays
from song2vec.ratings.table import DAY
from song2vec.sessions import Sessions


class RatedSongs(OldStyle):
    """Scores songs by what a model of ratings foretells of this listener in this period: log(1 + plays).

    It knows listeners and months, and nothing of the session. Whoever training lacks gets what is known of songs alone, and
    without times all is one period.

    Args:
        rater: a model of ratings by name: "biased-mf", "time-svd++", or "rrn" (which needs torch).
        days: in a period.
        unplayed: songs not played that are drawn for each that was, as ratings of 0: else nothing tells songs liked from others.
        settings_of_rater: the rater's own settings; None for its defaults.
        seed: of the songs drawn.
    """

    name = "ratings"
    space: ClassVar[Space] = {"rater": Choice(("biased-mf", "time-svd++"))}
    _rater: RatingModel
    _first: int

    def __init__(
        self,
        *,
        rater: str = "time-svd++",
        days: float = 30.0,
        unplayed: float = 1.0,
        settings_of_rater: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        self.rater = rater
        self.days = days
        self.unplayed = unplayed
        self.settings_of_rater = settings_of_rater
        self.seed = seed

    def _fit(self, sessions: Sessions) -> None:
        check_choice(self, "rater", tuple(RATERS))
        check_real(self, "days", 0, above=True)
        check_real(self, "unplayed", 0)
        if not isinstance(self.settings_of_rater, Mapping | None):
            raise ArgumentError(f"settings_of_rater={self.settings_of_rater!r}: settings by name, or None, are allowed")
        start = np.zeros(len(sessions), np.int64) if sessions.start is None else sessions.start
        self._first, timed = int(start.min()), replace(sessions, start=start)
        self._rater = self._made().fit(count_plays(timed, self.days, unplayed=self.unplayed, seed=self.seed))

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        session = np.searchsorted(sessions.offsets, plays, side="right") - 1
        period = np.zeros(len(plays), np.int64)
        if sessions.start is not None:
            period = np.maximum((sessions.start[session] - self._first) // (self.days * DAY), 0).astype(np.int64)
        pairs, which = np.unique(np.stack([sessions.listener[session], period]), axis=1, return_inverse=True)
        songs = len(self._fitted())
        scores = np.empty((pairs.shape[1], songs), np.float32)
        known = self._rater.listener_rows(sessions.listeners.gather(pairs[0]))
        for row, (listener, when) in enumerate(zip(known, pairs[1], strict=True)):
            scores[row] = self._rater.rate_all(int(listener), int(when))
        found: Array = scores[which]
        return found

    def _made(self) -> RatingModel:
        return make("rater", RATERS, self.rater, self.settings_of_rater or {})

    def _arrays(self) -> dict[str, Array]:
        parts = self._rater.to_parts()
        meta = np.frombuffer(json.dumps({"first": self._first, **{name: part.meta for name, part in parts.items()}}).encode(), np.uint8)
        return {"meta": meta} | {f"{part}/{name}": array for part, content in parts.items() for name, array in content.arrays.items()}

    def _restore_arrays(self, arrays: dict[str, Array]) -> None:
        meta = json.loads(arrays["meta"].tobytes())
        self._first = int(meta.pop("first"))
        parts = {name: Part(content) for name, content in meta.items()}
        for key, array in arrays.items():
            part, _, name = key.partition("/")
            if name:
                parts[part].arrays[name] = array
        self._rater = RatingModel.from_parts(parts)
