"""Commands that show what is there: maps, facts, exports, formats, models, and the demonstration."""

from __future__ import annotations

import re
from inspect import getdoc
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.table import Table

from song2vec import Engine, classic_rock, cut_sessions
from song2vec.cli.app import AsJson, EngineFolder, Seed, app, out, show
from song2vec.core.errors import MissingExtraError
from song2vec.listens import READERS
from song2vec.maps.song_map import ENDINGS
from song2vec.models import MODELS, make_model

# what the demonstration asks for
SONGS = ("Metallica - Enter Sandman", "Fleetwood Mac - Landslide", "The Beatles - Hey Jude")
LISTENER = ("Led Zeppelin - Stairway to Heaven", "Pink Floyd - Wish You Were Here", "The Who - Baba O'Riley")


@app.command("map")
def map_(
    engine: EngineFolder,
    out_file: Annotated[Path, typer.Option("--out", "-o", help=f"A file: {', '.join(ENDINGS)}.")] = Path("map.html"),
    max_songs: Annotated[int | None, typer.Option(help="Only so many of the most played songs.")] = None,
    seed: Seed = 0,
) -> None:
    """Draw a t-SNE map of the music."""
    drawn = Engine.load(engine).map(max_songs=max_songs, seed=seed)
    drawn.save(out_file)
    out.print(f"{out_file}: {drawn!r}")


@app.command()
def info(engine: EngineFolder, as_json: AsJson = False) -> None:
    """What an engine is made of."""
    facts = Engine.load(engine).info()
    if as_json:
        out.print_json(data=vars(facts))
        return
    table = Table("fact", "value", show_header=False)
    for name, value in vars(facts).items():
        text = f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else value
        table.add_row(name, ", ".join(f"{key}={setting}" for key, setting in value.items()) if isinstance(value, dict) else str(text))
    out.print(table, soft_wrap=False)


@app.command()
def export(
    engine: EngineFolder,
    out_path: Annotated[Path, typer.Option("--out", "-o", help="A .txt or .bin (word2vec), .npz, .parquet, or projector folder.")],
    format: Annotated[str, typer.Option(help="word2vec-text, word2vec-binary, projector, numpy or parquet; else by the ending.")] = "auto",
) -> None:
    """Write an engine's vectors for other programs."""
    vectors = Engine.load(engine).vectors
    out.print(f"{vectors.export(out_path, format)}: {vectors!r}")


@app.command()
def formats(as_json: AsJson = False) -> None:
    """The log formats that are read."""
    rows = [{"format": reader.name, "what": reader.title, "looks like": reader.looks_like} for reader in READERS.values()]
    show(pl.DataFrame(rows), "Formats", as_json)


@app.command()
def models(as_json: AsJson = False) -> None:
    """The next-song models, and their settings as they come."""
    rows = []
    for name in MODELS:
        try:
            model = MODELS[name]
        except MissingExtraError as error:
            rows.append({"model": name, "what": str(error), "settings": ""})
            continue
        sentence = re.split(r"(?<=\.)\s+(?=[A-Z])|\n\n", getdoc(model) or "")[0]
        settings = ", ".join(f"{setting}={value!r}" for setting, value in make_model(name).settings.items())
        rows.append({"model": name, "what": " ".join(sentence.split()), "settings": settings})
    show(pl.DataFrame(rows), "Next-song models", as_json)


@app.command()
def demo(out_folder: Annotated[Path, typer.Option("--out", "-o", help="Where the engine and the maps go.")] = Path("demo")) -> None:
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
