"""Logs that only a model which knows the time, or the context, can predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from song2vec.evaluation import compare
from song2vec.models import NextSongModel
from song2vec.nn.checkpoint import Checkpoint
from song2vec.sessions import Sessions
from song2vec.testing.planted import SONGS, K, with_names

MORNING, EVENING = 8, 20
HITS = 5  # songs of an hour


@cache
def by_hour(predictability: float, *, sessions: int = 240, seed: int = 0) -> tuple[Sessions, Sessions]:
    """(train, test): with this probability the next song is one of five of the morning, or five of the evening; else any of all."""
    random = np.random.default_rng(seed)
    evening = random.random(sessions) < 0.5
    lists = []
    for late in evening:
        drawn, hits = random.integers(0, SONGS, 8), random.integers(0, HITS, 8) + HITS * late
        lists.append(np.where(random.random(8) < predictability, hits, drawn).tolist())
    train, test = with_names(Sessions.from_lists([*lists, list(range(SONGS))]), 3 * sessions // 4)
    hours = np.where(evening, EVENING, MORNING) * 3600 + np.arange(sessions) * 86_400
    return at(train, hours[: len(train)]), at(test, hours[len(train) :])


@cache
def by_context(predictability: float, *, sessions: int = 240, seed: int = 0) -> tuple[Sessions, Sessions]:
    """As :func:`by_hour`, but it depends on a country, and on one word of a query, and not on times."""
    train, test = by_hour(predictability, sessions=sessions, seed=seed)
    random = np.random.default_rng(seed)

    def with_context(part: Sessions) -> Sessions:
        late = part.start // 3600 % 24 == EVENING
        country = np.where(late, "SE", "FI")
        queries = [f"{random.choice(['some', 'Any'])} {'sad' if one else 'Happy'}-songs {random.integers(10**6)}" for one in late]
        return replace(part, start=None, context=pl.DataFrame({"country": country, "search": queries}))

    return with_context(train), with_context(test)


def at(sessions: Sessions, start: Any) -> Sessions:
    """The sessions with other times; they hold their own array, so that a log can share its songs."""
    sessions.start[:] = start
    return sessions


def beats(better: NextSongModel, worse: NextSongModel, test: Sessions) -> bool:
    """Whether the 95 % interval of the difference in recall lies above 0."""
    found = compare({"better": better, "worse": worse}, test, k=K, baseline="worse", timed=0, progress=False)
    return bool(found.differences["recall_low"][0] > 0)


def whole_and_resumed(
    make: Callable[[], Any], log: tuple[Sessions, Sessions], folder: Path, monkeypatch: pytest.MonkeyPatch, *, saves: int
) -> tuple[Any, Any]:
    """A model trained at once, and one that was killed at so many saves of its checkpoint and went on from there."""
    train, validation = log
    whole, done, save = make().fit(train, validation=validation), [], Checkpoint.save

    def save_and_die(self: Checkpoint, *args: Any) -> None:
        save(self, *args)
        done.append(None)
        if len(done) == saves:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        make().fit(train, validation=validation, checkpoint=folder, checkpoint_minutes=0)
    return whole, make().fit(train, validation=validation, checkpoint=folder, checkpoint_minutes=0)
