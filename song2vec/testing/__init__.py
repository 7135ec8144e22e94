"""Contracts as batteries of checks: run them over a model, an index, a learner, a reader or a rater of your own.

    from song2vec.testing import check_model

    def test_my_model():
        check_model(MyModel(size=8), learns="group")

A check raises AssertionError with a sentence that says what must hold and what was found instead. pytest is not needed.
"""

from song2vec.testing.indexes import check_index
from song2vec.testing.learners import check_learner
from song2vec.testing.models import check_model
from song2vec.testing.planted import listen
from song2vec.testing.raters import check_rater
from song2vec.testing.readers import check_reader

__all__ = ["check_index", "check_learner", "check_model", "check_rater", "check_reader", "listen"]
