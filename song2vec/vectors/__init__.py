"""Song vectors, and the learners that make them."""

from __future__ import annotations

from song2vec.vectors.documents import SIF, Doc2Vec
from song2vec.vectors.ensemble import Word2VecEnsemble
from song2vec.vectors.learner import LEARNERS, Learner, make_learner
from song2vec.vectors.prod2vec import MetaProd2Vec, Product2Vec
from song2vec.vectors.song_vectors import SongVectors
from song2vec.vectors.word2vec import Word2Vec

__all__ = [
    "LEARNERS",
    "SIF",
    "Doc2Vec",
    "Learner",
    "MetaProd2Vec",
    "Product2Vec",
    "SongVectors",
    "Word2Vec",
    "Word2VecEnsemble",
    "make_learner",
]
