"""Raters as next-song models: the songs that a listener will take to in this period, whatever the session holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.config import SEED, Choice, Component, FloatRange, learned, setting
from song2vec.core.storage import Part, prefixed, within
from song2vec.models.base import NextSongModel
from song2vec.ratings import RATERS, RatingModel, count_plays
from song2vec.ratings.table import DAY
from song2vec.sessions import Sessions


class RatedSongs(NextSongModel):
    """Scores songs by what a rater predicts of this listener in this period: log(1 + plays).

    It knows listeners and months, and nothing of the session. Whoever training lacks gets what is known of songs alone. Without
    times all is one period; a session without a time is asked about in the last.
    """

    name = "ratings"
    rater: object = setting(
        Component(lambda: RATERS),
        default="time-svd++",
        tune=Choice(("biased-mf", "time-svd++")),
        help='by name ("biased-mf", "time-svd++", or "rrn", which needs torch), as {name, settings}, or made already',
    )
    days: float = setting(FloatRange(0, above=True), default=30.0, help="in a period")
    unplayed: float = setting(
        FloatRange(0), default=1.0, help="songs not played, drawn for each that was, as ratings of 0: else all songs look liked"
    )
    seed: int = setting(SEED, default=0, help="of the songs drawn")
    rater_: RatingModel = learned(RatingModel)
    first_: int = learned()  # when the first session began
    last_: int = learned()  # the last period of training

    def _fit(self, sessions: Sessions) -> None:
        start = np.zeros(len(sessions), np.int64) if sessions.start is None else sessions.start
        self.first_, timed = int(start.min()), replace(sessions, start=start)
        ratings = count_plays(timed, self.days, unplayed=self.unplayed, seed=self.seed)
        self.last_ = int(ratings.period.max())
        self.rater_ = self.component("rater").fit(ratings)

    def knows(self, listener: SongId | None) -> bool:
        self._fitted()
        return bool(self.rater_.listener_rows([listener])[0] >= 0)  # type: ignore[list-item]

    def _learned_parts(self) -> dict[str, Part]:
        return {name: part for name, part in super()._learned_parts().items() if not name.startswith("rater_.catalogue_.")}

    def _restore(self, parts: Mapping[str, Part]) -> None:
        super()._restore({**parts, **prefixed("rater_.catalogue_", within("catalogue_", parts))})  # both know the same songs

    def _scores(self, sessions: Sessions, plays: Array) -> Array:
        session = np.searchsorted(sessions.offsets, plays, side="right") - 1
        period = np.full(len(plays), self.last_)
        if sessions.start is not None:
            period = np.maximum((sessions.start[session] - self.first_) // (self.days * DAY), 0).astype(np.int64)
        pairs, which = np.unique(np.stack([sessions.listener[session], period]), axis=1, return_inverse=True)
        known = self.rater_.listener_rows(sessions.listeners.gather(pairs[0]))
        scores = np.empty((len(known), len(self.catalogue_)), np.float32)
        for row, (listener, when) in enumerate(zip(known, pairs[1], strict=True)):
            scores[row] = self.rater_.rate_all(int(listener), int(when))
        found: Array = scores[which]
        return found
