"""What a model answered, and the figures that it comes to, each with an interval by resampling whole test sessions.

Queries of one session are alike, so a session is drawn with all its queries or not at all (the cluster bootstrap). Every
figure is a ratio of two sums over queries, say hits over queries; a resample draws as many sessions as there are, with
replacement, adds both sums up again and divides. The interval is from the 2.5th to the 97.5th percentile of what comes
out (Efron and Tibshirani 1993). Figures of several models are resampled by the same draws, which makes their differences paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.core.checks import check_int
from song2vec.core.random import generator
from song2vec.evaluation import metrics

LEVEL = 0.95
_BLOCK = 2**21  # drawn weights held at once


@dataclass(frozen=True, eq=False)
class Ratio:
    """A metric as parts of its queries: the figure is the sum of ``top`` over the sum of ``bottom``, both (n,) float64."""

    top: Array
    bottom: Array

    @classmethod
    def mean(cls, values: Array) -> Ratio:
        """The mean of (n,) values; queries that are NaN have no part in it."""
        known = ~np.isnan(values)
        return cls(np.where(known, values, 0.0), known.astype(np.float64))

    @property
    def value(self) -> float:
        """The figure; NaN where the sum of ``bottom`` is 0."""
        whole = self.bottom.sum()
        return float(self.top.sum() / whole) if whole else float("nan")


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high``; NaN both where the figure is."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def resampled(session: Array, ratios: Sequence[Ratio], resamples: int = 1000, seed: int = 0) -> Array:
    """(resamples, ratios) float64: every figure in every resample of the sessions, one draw of sessions a resample for all.

    Args:
        session: (n,) whole numbers, equal for queries of the same session.
        resamples: draws; 1000 place the ends of a 95 % interval to about a tenth of its width.

    All are NaN for a single session, which tells nothing of others. Raises ArgumentError for a bad number of resamples or seed.
    """
    check_int("resamples", resamples)
    numbers = np.unique(session, return_inverse=True)[1]
    sums = np.stack([np.bincount(numbers, part) for ratio in ratios for part in (ratio.top, ratio.bottom)], axis=1)
    random, count = generator(seed, "bootstrap"), len(sums)
    if count < 2:
        return np.full((resamples, len(ratios)), np.nan)
    rows = max(1, _BLOCK // count)
    drawn = np.empty((resamples, sums.shape[1]))
    for begin in range(0, resamples, rows):
        block = drawn[begin : begin + rows]
        block[:] = np.stack([np.bincount(random.integers(0, count, count), minlength=count) for _ in block]) @ sums
    top, bottom = drawn[:, ::2], drawn[:, 1::2]
    figures: Array = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return figures


def interval(figures: Array) -> Interval:
    """The 95 % percentile interval of (resamples,) figures; NaN (hits on repeats where none was drawn) is passed over."""
    known = figures[~np.isnan(figures)]
    if not len(known):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


@dataclass(frozen=True)
class Dropped:
    """What of a test could not be asked: plays of songs that a model does not know, and the queries that went with them."""

    plays: int
    queries: int


@dataclass(frozen=True)
class Speed:
    """How long scoring took, ranking not counted.

    Attributes:
        seconds: all queries, in blocks.
        queries: how many those were.
        milliseconds: of queries scored one by one, each from its whole history; rising. Empty where none was timed.
    """

    seconds: float
    queries: int
    milliseconds: tuple[float, ...]

    @property
    def queries_per_second(self) -> float:
        """In blocks."""
        return self.queries / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds within which this share of single queries is scored; NaN where none was timed."""
        return float(np.percentile(self.milliseconds, percent)) if self.milliseconds else float("nan")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model answered to n queries.

    Attributes:
        model: its name.
        k: how long the lists of best songs are.
        catalogue: the m songs that were ranked.
        ranks: (n,) int32, songs scored as high as the right one or higher; 1 is best, m worst. k + 1 stands for all beyond k in an
            evaluation without lists.
        top: (n, k) int32, rows of the best songs, equal scores by row; (n, m) where there are fewer songs. None without lists.
        targets: (n,) int32, rows of the right ones.
        repeat: (n,) bool, was the right song played before in its session.
        session: (n,) int64, the number of the test session.
        dropped: plays of songs that the model does not know, and the queries that went with them.
        speed: how long scoring took.
        unit: (m, size) unit vectors that tell how varied the lists are, zero for songs without; None where none were given.
    """

    model: str
    k: int
    catalogue: Catalogue
    ranks: Array
    top: Array | None
    targets: Array
    repeat: Array
    session: Array
    dropped: Dropped
    speed: Speed
    unit: Array | None = None

    def __len__(self) -> int:
        return len(self.ranks)

    def __repr__(self) -> str:
        figures = f"recall@{self.k} {self.ratios['recall'].value:.4f}, MRR@{self.k} {self.ratios['mrr'].value:.4f}"
        return f"Evaluation({self.model}: {figures}, {len(self):,} queries of {self.sessions:,} sessions)"

    @property
    def sessions(self) -> int:
        """How many test sessions the queries are of."""
        return len(np.unique(self.session))

    @cached_property
    def ratios(self) -> dict[str, Ratio]:
        """The metrics that are sums over queries, by name."""
        hits, new = metrics.hit(self.ranks, self.k), ~self.repeat
        found = {
            "recall": Ratio.mean(hits),
            "mrr": Ratio.mean(metrics.reciprocal_rank(self.ranks, self.k)),
            "ndcg": Ratio.mean(metrics.ndcg(self.ranks, self.k)),
            "new_recall": Ratio(hits * new, new.astype(np.float64)),
            "repeat_recall": Ratio(hits * self.repeat, self.repeat.astype(np.float64)),
            "repeat_share": Ratio.mean(self.repeat.astype(np.float64)),
        }
        if self.top is None:
            return found
        plays, artists = self.catalogue.plays, self.catalogue.artist_codes
        if plays.any():
            found["popularity_lift"] = Ratio(plays[self.top].mean(axis=1), plays[self.targets].astype(np.float64))
            found["novelty"] = Ratio.mean(metrics.novelty(self.top, plays))
        if self.unit is not None:
            found["diversity"] = Ratio.mean(metrics.diversity(self.top, self.unit))
        if artists is not None:
            found["artist_diversity"] = Ratio.mean(metrics.artist_diversity(self.top, artists))
        return found

    def metrics(self) -> dict[str, float]:
        """Every figure by name; NaN where there is nothing to tell, as hits on repeats when nothing was repeated.

        recall, mrr and ndcg at k; new_recall and repeat_recall over the queries whose answer was not, or was, played before in its
        session, and repeat_share of the latter; popularity_lift (mean plays of what was recommended over those of what came next, 1 is
        as popular) and novelty by the plays of the catalogue, which a split counts in training only; diversity where vectors and
        artist_diversity where artists are known; gini of what was recommended, and coverage, the share of the catalogue in it, which
        grows with the number of queries. Without lists the figures of ranks alone.
        """
        figures = {name: ratio.value for name, ratio in self.ratios.items()}
        if self.top is None:
            return figures
        often = np.bincount(self.top.ravel(), minlength=len(self.catalogue))
        return figures | {"coverage": float((often > 0).mean()), "gini": metrics.gini(often)}

    def intervals(self, resamples: int = 1000, seed: int = 0) -> dict[str, Interval]:
        """95 % intervals by resampling test sessions, of every metric that is a sum over queries.

        Coverage and Gini have none: a resample holds fewer different sessions than the test, so it always shows fewer
        songs, and its figures would lie beside the one that they are to bound.
        """
        drawn = resampled(self.session, list(self.ratios.values()), resamples, seed)
        return {name: interval(figures) for name, figures in zip(self.ratios, drawn.T, strict=True)}
