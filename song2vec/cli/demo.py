"""The main job on the embedded log, as ``make demo`` and ``song2vec demo`` run it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from song2vec.engine import Engine
from song2vec.listens import Listens
from song2vec.sessions import cut_sessions

SONGS = ("Metallica - Enter Sandman", "Fleetwood Mac - Landslide", "The Beatles - Hey Jude")
LISTENER = ("Led Zeppelin - Stairway to Heaven", "Pink Floyd - Wish You Were Here", "The Who - Baba O'Riley")


def run_demo(listens: Listens, folder: Path) -> Iterator[tuple[str, pl.DataFrame | None]]:
    """Read, cut, train, search, recommend and draw; yields a line for each step, with a table where there is one."""
    yield str(listens.report), None
    # the stations' pages were read about once an hour: shorter gaps than 90 minutes are no silence
    sessions = cut_sessions(listens, gap_minutes=90, min_song_plays=10)
    yield repr(sessions), None
    # and the order within an hour is not known, so context is a wide window
    engine = Engine.train(sessions, window=20, epochs=10, workers=1)
    yield f"{engine.save(folder / 'classic_rock.s2v')}: {engine.info()}", None
    for song in SONGS:
        yield f"\nSongs like {song}", engine.similar(song, 5, max_per_artist=2)
    suggested = engine.recommend(LISTENER, 5, max_per_artist=1)
    yield f"\nFor a listener of {', '.join(LISTENER)}", suggested.drop("because_cosine")
    drawn = engine.map()
    for name in ("map.png", "map.html"):
        yield f"{drawn.save(folder / name)}: {drawn!r}", None
