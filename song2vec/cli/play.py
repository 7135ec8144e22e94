"""Commands that make playlists."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from song2vec import Engine
from song2vec.cli.app import app
from song2vec.cli.ask import with_labels
from song2vec.cli.console import err, show
from song2vec.cli.options import AsJson, EngineFolder, writable
from song2vec.core.errors import ArgumentError
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
    songs: Annotated[list[str], typer.Argument(help="Songs to go on from, by id or name.")],
    length: Length = 25,
    method: Annotated[Method, typer.Option(help="The best song each time, drawn, or the best whole.")] = Method.greedy,
    temperature: Annotated[float | None, typer.Option(help="With sample: low is near greedy, high is adventurous; 0.5 by default.")] = None,
    artist_gap: ArtistGap = 0,
    max_per_artist: PerArtist = None,
    repeat_gap: Annotated[int | None, typer.Option(help="A song may come again after so many others; else never.")] = None,
    diversity: Annotated[float, typer.Option(help="Pull away from songs that are there already; 0.5 is much.")] = 0,
    popularity: Annotated[float, typer.Option(help="Pull to hits, or below 0 away from them.")] = 0,
    exclude: Exclude = None,
    shorter: Annotated[bool, typer.Option("--shorter", help="Take fewer songs where the rules leave no more.")] = False,
    seed: Annotated[int | None, typer.Option(help="With sample: of the drawing; 0 by default.")] = None,
    save_as: SaveAs = None,
    as_json: AsJson = False,
) -> None:
    """A playlist that goes on from some songs.

    A song's score is 0 for the best that may come next, -0.7 for the second, -2.3 for the tenth, and what the pulls add.
    """
    drawn: dict[str, Any] = {name: value for name, value in (("temperature", temperature), ("seed", seed)) if value is not None}
    for name, value in drawn.items():
        if method is not Method.sample:
            raise ArgumentError(f"--{name.replace('_', '-')} {value}: goes with --method sample")
    rules = {"artist_gap": artist_gap, "max_per_artist": max_per_artist, "repeat_gap": repeat_gap, "exclude": exclude or ()}
    pulls = {"diversity": diversity, "popularity": popularity}
    loaded = Engine.load(engine)
    made = loaded.playlist(songs, length, method=method.value, shorter=shorter, **rules, **pulls, **drawn)
    _give(loaded, made, "Playlist", save_as, as_json)


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
    loaded = Engine.load(engine)
    _give(loaded, loaded.bridge(a, b, length, **rules), f"From {a} to {b}", save_as, as_json)


def _give(engine: Engine, made: Playlist, title: str, save_as: Path | None, as_json: bool) -> None:
    """Save a playlist where it is wanted in a file, and show it where it is not, or wanted as JSON."""
    if save_as is not None:
        made.save(writable(save_as), title=title)
        err.print(f"{save_as}: {len(made)} songs")
    if as_json:
        show(made.table, title, as_json)
    elif save_as is None:
        show(with_labels(engine, made.table).drop("because_cosine"), title, as_json)
