"""Next-song models: one a file behind one contract."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from song2vec.next_song.base import NextSongModel, load_parts, restore_model
from song2vec.next_song.markov import MarkovChain
from song2vec.next_song.popularity import Popularity
from song2vec.settings import make

__all__ = ["MODELS", "MarkovChain", "NextSongModel", "Popularity", "load_model", "make_model"]

MODELS: dict[str, type[NextSongModel]] = {model.name: model for model in (Popularity, MarkovChain)}


def make_model(name: str, settings: Mapping[str, Any] | None = None) -> NextSongModel:
    """A model by its name in ``MODELS``. Raises ArgumentError for an unknown name or setting."""
    return make("model", MODELS, name, settings or {})


def load_model(path: str | os.PathLike[str]) -> NextSongModel:
    """Load a next-song model that its ``save`` wrote. Raises SavedFolderError when it is corrupt or of another kind."""
    return restore_model(load_parts(path), MODELS, path)
