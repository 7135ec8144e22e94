"""A small log with names: listeners who play folk or metal, never both in one session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from song2vec import Engine, Sessions, Word2Vec, cut_sessions

FOLK = {
    "Fleet Foxes": ("Mykonos", "Blue Ridge Mountains", "White Winter Hymnal"),
    "Feist": ("Mushaboom", "Gatekeeper", "I Feel It All"),
    "Nick Drake": ("Pink Moon", "River Man", "Northern Sky"),
    "Björk": ("Jóga", "Hyperballad", "Bachelorette"),
}
METAL = {
    "Metallica": ("Enter Sandman", "One", "Battery"),
    "Slayer": ("Raining Blood", "Angel of Death", "Seasons in the Abyss"),
    "Motörhead": ("Ace of Spades", "Overkill", "Bomber"),
    "Iron Maiden": ("The Trooper", "Fear of the Dark", "Powerslave"),
}
# enough to learn the two apart in no time; nothing is left to defaults
SETTINGS: dict[str, Any] = {
    "loss": "negative-sampling",
    "size": 8,
    "epochs": 8,
    "learning_rate": 0.1,
    "subsample": 0,
    "workers": 1,
    "progress": False,
}


def names_of(genre: dict[str, tuple[str, ...]]) -> list[str]:
    """``Artist - Title`` of each song: the ids of the log."""
    return [f"{artist} - {title}" for artist, titles in genre.items() for title in titles]


def plays(listeners: int = 12, sessions: int = 10, length: int = 8) -> pl.DataFrame:
    """A listens table without song ids: each session holds ``length`` different songs of one genre, four minutes apart."""
    random = np.random.default_rng(0)
    rows: list[tuple[str, datetime, str, str]] = []
    for session in range(listeners * sessions):
        genre = (FOLK, METAL)[session % 2]
        songs = [(artist, title) for artist, titles in genre.items() for title in titles]
        begin = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=session)
        for place, song in enumerate(random.permutation(len(songs))[:length]):
            rows.append((f"listener {session % listeners}", begin + timedelta(minutes=4 * place), *songs[song]))
    return pl.DataFrame(rows, schema=["listener", "time", "artist", "title"], orient="row")


def sessions() -> Sessions:
    """The log in sessions."""
    return cut_sessions(plays())


def learner(**settings: Any) -> Word2Vec:
    """A learner that learns the two genres apart."""
    return Word2Vec(**{**SETTINGS, **settings})


def engine(*, index: Any = "annoy", next_song: Any = None, seed: int = 0, **settings: Any) -> Engine:
    """An engine that knows the two genres apart."""
    return Engine.train(sessions(), vectors=learner(seed=seed, **settings), index=index, next_song=next_song, seed=seed)
