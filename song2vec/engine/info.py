"""What an engine says of itself, and what it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from typing import Any

from song2vec.core.checks import check_choice, check_type
from song2vec.models import MODELS, NextSongModel, make_model


@dataclass(frozen=True)
class EngineInfo:
    """What an engine is made of.

    Attributes:
        songs, plays, size: of the catalogue and its vectors (size in numbers a vector).
        learner: which learner made the vectors, with its settings; empty for vectors from elsewhere.
        index: kind of the index; ``recall`` its recall@10 against exact search on a sample.
        next_song: which model says what comes next, with its settings; empty when there is none.
    """

    songs: int
    plays: int
    size: int
    learner: dict[str, Any]
    index: str
    recall: float
    next_song: dict[str, Any]

    def __str__(self) -> str:
        text = f"{self.songs:,} songs, {self.plays:,} plays, vectors of {self.size}, {self.index} index (recall@10 {self.recall:.3f})"
        return f"{text}, {self.next_song['name']} for what comes next" if self.next_song else text


def next_song_model(given: str | NextSongModel | None, seed: int) -> NextSongModel | None:
    """A model by its name, with this seed if it takes one, or one of the caller's own making as it is."""
    if isinstance(given, str):
        check_choice("next_song", given, MODELS)
        return make_model(given, {"seed": seed} if "seed" in signature(MODELS[given]).parameters else {})
    if given is not None:
        check_type("next_song", given, NextSongModel, f"None, {', '.join(map(repr, MODELS))} or a model such as MarkovChain() is allowed")
    return given
