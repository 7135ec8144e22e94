"""A synthetic listener whose predictability is a knob: what a model can learn of it, and what nobody can, is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import polars as pl

from song2vec.catalogue import Catalogue
from song2vec.evaluation import evaluate
from song2vec.models import NextSongModel
from song2vec.sessions import Sessions

SONGS = 60
GROUP = 5  # songs of an artist; hits of a time
TIMES = 4  # how often the hits change
K = 5  # songs that a hit is among
CHANCE = K / SONGS
Structure = Literal["follows", "group", "popular", "recent", "repeats"]
STRUCTURES: tuple[Structure, ...] = get_args(Structure)


def listen(
    structure: Structure, predictability: float, *, sessions: int = 400, length: int = 8, seed: int = 0
) -> tuple[Sessions, Sessions]:
    """(train, test) sessions over one catalogue; test are the last quarter.

    The next song is with probability ``predictability`` the one its structure asks for, else any song of all:

    - "follows": the one song that follows the previous song
    - "group": another song of the previous song's artist
    - "popular": one of five hits
    - "recent": one of five hits that change three times, the last time before the test sessions
    - "repeats": a song that this session has played already
    """
    random = np.random.default_rng(seed)
    successor = random.permutation(SONGS)

    def wanted(played: list[int], time: int) -> int:
        if structure == "follows":
            return int(successor[played[-1]])
        if structure == "group":
            first = played[-1] // GROUP * GROUP
            return first + (played[-1] - first + int(random.integers(1, GROUP))) % GROUP
        if structure == "popular":
            return int(random.integers(GROUP))
        if structure == "recent":
            return int(GROUP * time + random.integers(GROUP))
        return played[random.integers(len(played))]

    lists: list[list[int]] = []
    for session in range(sessions):
        played = [int(random.integers(SONGS))]
        while len(played) < length:
            time = TIMES * (session + sessions // 8) // sessions
            played.append(wanted(played, time) if random.random() < predictability else int(random.integers(SONGS)))
        lists.append(played)
    return with_names(Sessions.from_lists([*lists, list(range(SONGS))]), 3 * sessions // 4)


def with_names(everything: Sessions, train: int) -> tuple[Sessions, Sessions]:
    """The first so many sessions, an hour apart, and the others but the last, which only makes every song known."""
    ids = everything.catalogue.ids
    artists = [f"artist {song // GROUP}" for song in ids.to_list()]
    catalogue = Catalogue(ids, everything.catalogue.plays, artists, [f"title {song}" for song in ids.to_list()])
    named = replace(everything, catalogue=catalogue, start=3600 * np.arange(len(everything)))
    return named.keep(np.arange(train)), named.keep(np.arange(train, len(named) - 1))


def with_string_ids(sessions: Sessions) -> Sessions:
    """The same log with other ids."""
    ids = [f"song {song}" for song in sessions.catalogue.ids.to_list()]
    named = sessions.catalogue
    return replace(sessions, catalogue=Catalogue(pl.Series("song", ids), named.plays, named.artists, named.titles))


def recall(model: NextSongModel, test: Sessions, k: int = K) -> float:
    """The share of next songs that fewer than k others score as high as."""
    return evaluate(model, test, k=k, lists=False, timed=0).metrics()["recall"]
