"""How much a listener takes to a song, month by month: ratings over time, and the models that predict them."""

from __future__ import annotations

from song2vec.ratings.base import RATERS, RatingModel
from song2vec.ratings.factors import BiasedMF, TimeSVDpp
from song2vec.ratings.table import Ratings, count_plays

__all__ = ["RATERS", "RRN", "BiasedMF", "RatingModel", "Ratings", "TimeSVDpp", "count_plays"]


def __getattr__(name: str) -> type[RatingModel]:
    """Models that load torch, by the names of their classes."""
    return RATERS.class_named(name)
