"""How much a listener takes to a song, month by month: ratings over time, and the models that predict them."""

from __future__ import annotations

import os

from song2vec.core.registry import Registry
from song2vec.ratings.base import RatingModel, loaded
from song2vec.ratings.factors import BiasedMF, TimeSVDpp
from song2vec.ratings.table import Ratings, count_plays

__all__ = ["RATERS", "RRN", "BiasedMF", "RatingModel", "Ratings", "TimeSVDpp", "count_plays", "load_rater"]

RATERS: Registry[RatingModel] = Registry(
    "rater", {"biased-mf": "ratings.factors:BiasedMF", "time-svd++": "ratings.factors:TimeSVDpp", "rrn": "ratings.rrn.model:RRN"}
)


def __getattr__(name: str) -> type[RatingModel]:
    """Models that load torch, by the names of their classes."""
    return RATERS.class_named(name)


def load_rater(path: str | os.PathLike[str]) -> RatingModel:
    """A model of ratings as its ``save`` wrote it. Raises SavedFolderError when it is corrupt or of another kind."""
    return loaded(path, RATERS.make)
