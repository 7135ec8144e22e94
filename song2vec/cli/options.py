"""What several commands take: an engine, or a log and how it is cut into sessions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from song2vec import Sessions, cut_sessions, read_listens
from song2vec.cli.console import err
from song2vec.core.errors import ArgumentError

EngineFolder = Annotated[Path, typer.Argument(metavar="ENGINE", help="A folder written by 'song2vec train'.")]
K = Annotated[int, typer.Option("--k", "-k", help="How many songs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Seed = Annotated[int, typer.Option(help="Of all randomness.")]
Log = Annotated[Path, typer.Argument(help="A listening log: file, folder, zip or tar archive.")]
Format = Annotated[str, typer.Option(help="The log's format; 'song2vec formats' lists them.")]
Column = Annotated[list[str] | None, typer.Option(help="Which column is which: song=track_id; may be repeated.")]
Gap = Annotated[float, typer.Option(help="Silence that ends a session.")]
SongPlays = Annotated[int, typer.Option(help="Drop songs played less often.")]
SessionLength = Annotated[int, typer.Option(help="Drop shorter sessions.")]


@dataclass(frozen=True)
class Cutting:
    """How logs are read and cut."""

    format: str
    column: list[str] | None
    gap_minutes: float
    min_song_plays: int
    min_session_length: int

    def sessions(self, log: Path) -> Sessions:
        """The sessions of a log; what was read and kept is said on stderr."""
        listens = read_listens(log, self.format, _columns(self.column))
        err.print(str(listens.report))
        sessions = cut_sessions(
            listens, gap_minutes=self.gap_minutes, min_song_plays=self.min_song_plays, min_session_length=self.min_session_length
        )
        err.print(f"{sessions!r}: {sessions.report}")
        return sessions


def writable(path: Path) -> Path:
    """A path whose folder is there: better known before the work than after it."""
    if not path.parent.is_dir():
        raise ArgumentError(f"{path.parent}: no such folder")
    return path


def _columns(given: list[str] | None) -> dict[str, list[str]] | None:
    """``["song=track_id", "time=date,clock"]`` -> ``{"song": ["track_id"], "time": ["date", "clock"]}``."""
    if not given:
        return None
    pairs = [text.partition("=") for text in given]
    wrong = next((text for text, (_, sign, value) in zip(given, pairs, strict=True) if not sign or not value), None)
    if wrong is not None:
        raise ArgumentError(f"--column {wrong!r}: NAME=COLUMN is allowed, as song=track_id")
    return {name: value.split(",") for name, _, value in pairs}
