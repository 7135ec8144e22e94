"""What an engine says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from song2vec.core.settings import Configured, settings_of
from song2vec.vectors import Given, Learner


@dataclass(frozen=True)
class Info:
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
    next_song: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"{self.songs:,} songs, {self.plays:,} plays, vectors of {self.size}, {self.index} index (recall@10 {self.recall:.3f})"
        return f"{text}, {self.next_song['name']} for what comes next" if self.next_song else text


def learner_settings(learner: Learner) -> dict[str, Any]:
    """What a learner is and was made with; one of the caller's own making need not say so itself. Empty for vectors as given."""
    if isinstance(learner, Given):
        return {}
    settings = learner.settings if isinstance(learner, Configured) else settings_of(learner)
    return {"name": type(learner).__name__, **settings}
