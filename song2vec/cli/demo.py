"""The main job on the embedded log, as ``make demo`` and ``song2vec demo`` run it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from song2vec import Engine, classic_rock, cut_sessions
from song2vec.cli.app import app, out, show

SONGS = ("Metallica - Enter Sandman", "Fleetwood Mac - Landslide", "The Beatles - Hey Jude")
LISTENER = ("Led Zeppelin - Stairway to Heaven", "Pink Floyd - Wish You Were Here", "The Who - Baba O'Riley")


@app.command()
def demo(
    out_folder: Annotated[Path, typer.Option("--out", "-o", help="Where the engine and the maps go.")] = Path("demo"),
) -> None:
    """The main job on a real log that comes with the package: a week of classic-rock radio."""
    listens = classic_rock()
    out.print(str(listens.report), style="bold")
    # the stations' pages were read about once an hour: shorter gaps than 90 minutes are no silence
    sessions = cut_sessions(listens, gap_minutes=90, min_song_plays=10)
    out.print(repr(sessions), style="bold")
    # and the order within an hour is not known, so context is a wide window
    engine = Engine.train(sessions, window=20, epochs=10, workers=1)
    out.print(f"{engine.save(out_folder / 'classic_rock.s2v')}: {engine.info()}", style="bold")
    for song in SONGS:
        out.print(f"\nSongs like {song}", style="bold")
        show(engine.similar(song, 5, max_per_artist=2), "")
    out.print(f"\nFor a listener of {', '.join(LISTENER)}", style="bold")
    show(engine.recommend(LISTENER, 5, max_per_artist=1).drop("because_cosine"), "")
    drawn = engine.map()
    for name in ("map.png", "map.html"):
        out.print(f"{drawn.save(out_folder / name)}: {drawn!r}", style="bold")
