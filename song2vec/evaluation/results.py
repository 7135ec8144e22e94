"""What a model answered, and the figures and intervals that it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from song2vec.catalogue import Catalogue
from song2vec.core.arrays import Array
from song2vec.evaluation import lists, metrics
from song2vec.evaluation.intervals import Interval, Ratio, interval, resampled
from song2vec.evaluation.queries import Dropped


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
            found["popularity_lift"] = Ratio(lists.mean_plays(self.top, plays), plays[self.targets].astype(np.float64))
            found["novelty"] = Ratio.mean(lists.novelty(self.top, plays))
        if self.unit is not None:
            found["diversity"] = Ratio.mean(lists.diversity(self.top, self.unit))
        if artists is not None:
            found["artist_diversity"] = Ratio.mean(lists.artist_diversity(self.top, artists))
        return found

    def metrics(self) -> dict[str, float]:
        """Every figure by name; NaN where there is nothing to tell, as hits on repeats when nothing was repeated.

        recall, mrr and ndcg at k; new_recall and repeat_recall over the queries
        whose answer was not, or was, played before in its session, and repeat_share of the latter; popularity_lift and
        novelty by the plays of the catalogue, which a split counts in training only; diversity where vectors and
        artist_diversity where artists are known; coverage and gini of what was recommended. Without lists the figures of ranks alone.
        """
        figures = {name: ratio.value for name, ratio in self.ratios.items()}
        if self.top is None:
            return figures
        often = lists.counts(self.top, len(self.catalogue))
        return figures | {"coverage": float((often > 0).mean()), "gini": lists.gini(often)}

    def intervals(self, resamples: int = 1000, seed: int = 0) -> dict[str, Interval]:
        """95 % intervals by resampling test sessions, of every metric that is a sum over queries.

        Coverage and Gini have none: a resample holds fewer different sessions than the test, so it always shows fewer
        songs, and its figures would lie beside the one that they are to bound.
        """
        drawn = resampled(self.session, list(self.ratios.values()), resamples, seed)
        return {name: interval(figures) for name, figures in zip(self.ratios, drawn.T, strict=True)}
