"""The application that commands join."""

from __future__ import annotations

from typing import Annotated

import typer

from song2vec import __version__
from song2vec.cli.console import out

app = typer.Typer(
    name="song2vec",
    help="Song similarity and next songs from listening logs: sessions are sentences, songs are words.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        out.print(f"song2vec {__version__}")
        raise typer.Exit
