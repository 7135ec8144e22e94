"""Commands that make playlists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from song2vec import Engine
from song2vec.cli.app import app, err, show
from song2vec.cli.options import AsJson, EngineFolder, Seed, with_options, writable
from song2vec.cli.query import with_labels
from song2vec.core.errors import ArgumentError
from song2vec.playlists import Playlist
from song2vec.playlists.files import ENDINGS
from song2vec.playlists.making import Method, Sampling
from song2vec.playlists.rules import PlaylistRules
from song2vec.playlists.scoring import ScoreAdjustments

Length = Annotated[int, typer.Option("--length", "-n", help="How many songs.")]
SaveAs = Annotated[Path | None, typer.Option("--out", "-o", help=f"Save as {', '.join(ENDINGS)}.")]
Exclude = Annotated[list[str] | None, typer.Option(help="A song not to play; may be repeated.")]


@app.command()
@with_options("listener_weight")
def playlist(
    engine: EngineFolder,
    songs: Annotated[list[str], typer.Argument(help="Songs to go on from, by id or name.")],
    *,
    length: Length = 25,
    method: Annotated[Method, typer.Option(help="The best song each time, drawn, or the best whole.")] = "greedy",
    sampling: Sampling,
    rules: PlaylistRules,
    adjustments: ScoreAdjustments,
    exclude: Exclude = None,
    shorter: Annotated[bool, typer.Option("--shorter", help="Take fewer songs where the rules leave no more.")] = False,
    seed: Seed = 0,
    save_as: SaveAs = None,
    as_json: AsJson = False,
) -> None:
    """A playlist that goes on from some songs.

    A song's score is 0 for the best that may come next, -0.7 for the second, -2.3 for the tenth, and what the adjustments add.
    """
    drawn = {"seed": seed, **sampling.settings}
    for name, default in {"seed": 0, **Sampling().settings}.items():
        if method != "sample" and drawn[name] != default:
            raise ArgumentError(f"--{name.replace('_', '-')} {drawn[name]}: goes with --method sample")
    loaded = Engine.load(engine)
    options = {**drawn, **rules.settings, **adjustments.settings}
    made = loaded.playlist(songs, length, method=method, exclude=exclude or (), shorter=shorter, **options)
    _give(loaded, made, "Playlist", save_as, as_json)


@app.command()
@with_options("repeat_gap")
def bridge(
    engine: EngineFolder,
    a: Annotated[str, typer.Argument(help="The song to start from, by id or name.")],
    b: Annotated[str, typer.Argument(help="The song to arrive at.")],
    *,
    length: Length = 10,
    rules: PlaylistRules,
    exclude: Exclude = None,
    save_as: SaveAs = None,
    as_json: AsJson = False,
) -> None:
    """A playlist that moves from one song to another."""
    loaded = Engine.load(engine)
    made = loaded.bridge(a, b, length, artist_gap=rules.artist_gap, max_per_artist=rules.max_per_artist, exclude=exclude or ())
    _give(loaded, made, f"From {a} to {b}", save_as, as_json)


def _give(engine: Engine, made: Playlist, title: str, save_as: Path | None, as_json: bool) -> None:
    """Save a playlist where it is wanted in a file, and show it where it is not, or wanted as JSON."""
    if save_as is not None:
        made.save(writable(save_as), title=title)
        err.print(f"{save_as}: {len(made)} songs")
    if as_json:
        show(made.table, title, as_json)
    elif save_as is None:
        show(with_labels(engine, made.table).drop("because_cosine"), title, as_json)
