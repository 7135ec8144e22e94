"""Evaluation: every model of the house under one protocol, in one table, with intervals."""

from song2vec.evaluation import metrics
from song2vec.evaluation.compare import compare
from song2vec.evaluation.comparison import Comparison
from song2vec.evaluation.protocol import evaluate
from song2vec.evaluation.results import Evaluation
from song2vec.evaluation.study import Tuned
from song2vec.evaluation.tuning import tune, tune_weight

__all__ = ["Comparison", "Evaluation", "Tuned", "compare", "evaluate", "metrics", "tune", "tune_weight"]
