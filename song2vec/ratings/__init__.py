"""How much a listener takes to a song, month by month: ratings over time, and the models that foretell them."""

from song2vec.ratings.factors import BiasedMF, TimeSVDpp
from song2vec.ratings.table import Ratings, count_plays

__all__ = ["BiasedMF", "Ratings", "TimeSVDpp", "count_plays"]
