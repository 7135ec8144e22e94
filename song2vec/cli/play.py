"""Commands that make playlists."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from song2vec import Engine
from song2vec.cli.app import app
from song2vec.cli.console import out, show
from song2vec.cli.options import AsJson, EngineFolder, Seed, writable
from song2vec.playlists import Playlist

Method = StrEnum("Method", ["greedy", "sample", "beam"])
Length = Annotated[int, typer.Option("--length", "-n", help="How many songs.")]
SaveAs = Annotated[Path | None, typer.Option("--out", "-o", help="Save as .m3u, .m3u8, .xspf, .jspf, .csv, .json or .parquet.")]
ArtistGap = Annotated[int, typer.Option(help="Songs by others between two of an artist.")]
PerArtist = Annotated[int | None, typer.Option(help="At most so many songs of an artist.")]
Exclude = Annotated[list[str] | None, typer.Option(help="A song not to play; may be repeated.")]


@app.command()
def playlist(
    engine: EngineFolder,
    seed: Annotated[list[str], typer.Argument(help="Songs to go on from, by id or name.")],
    length: Length = 25,
    method: Annotated[Method, typer.Option(help="The best song each time, drawn, or the best whole.")] = Method.greedy,
    temperature: Annotated[float, typer.Option(help="With sample: low is near greedy, high is adventurous.")] = 0.5,
    artist_gap: ArtistGap = 0,
    max_per_artist: PerArtist = None,
    diversity: Annotated[float, typer.Option(help="Pull away from songs that are there already; 0.5 is much.")] = 0,
    popularity: Annotated[float, typer.Option(help="Pull to hits, or below 0 away from them.")] = 0,
    exclude: Exclude = None,
    random_seed: Seed = 0,
    save_as: SaveAs = None,
    as_json: AsJson = False,
) -> None:
    """A playlist that goes on from some songs."""
    rules = {"artist_gap": artist_gap, "max_per_artist": max_per_artist, "exclude": exclude or ()}
    pulls = {"diversity": diversity, "popularity": popularity}
    loaded = Engine.load(engine)
    drawn = {"method": method.value, "temperature": temperature, "random_seed": random_seed}
    _give(loaded.playlist(seed, length, **rules, **pulls, **drawn), "Playlist", save_as, as_json)


@app.command()
def bridge(
    engine: EngineFolder,
    a: Annotated[str, typer.Argument(help="The song to start from, by id or name.")],
    b: Annotated[str, typer.Argument(help="The song to arrive at.")],
    length: Length = 10,
    artist_gap: ArtistGap = 0,
    max_per_artist: PerArtist = None,
    exclude: Exclude = None,
    save_as: SaveAs = None,
    as_json: AsJson = False,
) -> None:
    """A playlist that moves from one song to another."""
    rules = {"artist_gap": artist_gap, "max_per_artist": max_per_artist, "exclude": exclude or ()}
    _give(Engine.load(engine).bridge(a, b, length, **rules), f"From {a} to {b}", save_as, as_json)


def _give(made: Playlist, title: str, save_as: Path | None, as_json: bool) -> None:
    """Show a playlist, or save it."""
    if save_as is None:
        show(made.table.drop("because", "because_cosine"), title, as_json)
    else:
        out.print(f"{made.save(writable(save_as), title=title)}: {len(made)} songs")
