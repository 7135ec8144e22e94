"""Listening logs in every format people have -> one listens table."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from typing import Any

from song2vec.core.checks import check_choice, named_options
from song2vec.core.errors import ArgumentError, FormatError
from song2vec.core.registry import Registry
from song2vec.listens import tables
from song2vec.listens.reader import Reader
from song2vec.listens.schema import Listens, ReadReport, standardise
from song2vec.listens.sources import Source, collect

READERS: Registry[Reader] = Registry(
    "reader",
    {  # in the order they are asked, which matters only where two could claim a file: the more particular comes first
        "spotify-extended": "listens.spotify_extended:SpotifyExtended",
        "spotify-account": "listens.spotify_account:SpotifyAccount",
        "listenbrainz": "listens.listenbrainz:ListenBrainz",
        "youtube-music": "listens.youtube_music:YouTubeMusic",
        "apple-music": "listens.apple_music:AppleMusic",
        "scrobbler-log": "listens.scrobbler_log:ScrobblerLog",
        "lastfm-csv": "listens.lastfm_csv:LastfmCSV",
        "lastfm-1k": "listens.lastfm_1k:Lastfm1K",
        "mpd": "listens.mpd:MillionPlaylistDataset",
        "aotm-2011": "listens.aotm_2011:AOTM2011",
        "jspf": "listens.jspf:JSPF",
        "xspf": "listens.xspf:XSPF",
        "m3u": "listens.m3u:M3U",
        "idomaar": "listens.idomaar:Idomaar",
        "recbole": "listens.recbole:RecBole",
        "gru4rec-tsv": "listens.gru4rec_tsv:GRU4RecTSV",
        "lme": "listens.lme:LME",
        "session-lines": "listens.session_lines:SessionLines",
        "table": "listens.tables:Table",
    },
)

_ANY_TABLE = tables.Table.name

__all__ = ["READERS", "Listens", "ReadReport", "Reader", "classic_rock", "read_listens"]


@named_options
def read_listens(log: str | os.PathLike[str] | Any, format: str = "auto", columns: tables.Columns | None = None) -> Listens:
    """Read a listening log of any known format into one listens table.

    Args:
        log: a file, a folder, a zip or tar archive, or a polars, pandas or Arrow frame.
        format: a name listed by ``song2vec formats``; "auto" recognises it. Packages add theirs as a :class:`Reader`, by an entry
            point of the group ``song2vec.readers`` or by ``READERS.register``.
        columns: for tables, which column is which: ``{"listener": "uid", "song": "track", "time": ["date", "clock"]}``
            (several columns are joined by a space). Columns under their usual names are found without it. What else is known
            of a play, for models that take it, is asked for as context: ``{"context:country": "cc", "context:query": "search"}``.

    Returns:
        Listens: ``.table`` (polars: listener, song, time in UTC, ...) and ``.report`` (rows read, kept, dropped and why).

    Raises:
        FormatError: the file is not what it claims to be, or its format is not known; names file, line and field.
        NothingLeftError: no row is usable.
        ArgumentError: an unknown ``format``, or ``columns`` that names what is not there.
    """
    check_choice("format", format, ("auto", *READERS))
    if not isinstance(log, str | os.PathLike):
        return standardise(tables.from_frame(log, columns), format="frame", files=["frame"])
    sources = collect(log)
    if columns is not None:
        if format not in ("auto", _ANY_TABLE):
            raise ArgumentError(f"columns= is for tables; format={format!r} knows its own")
        name, chosen, rows = _ANY_TABLE, sources, tables.read_tables(sources, columns)
    else:
        name, chosen = _recognise(sources, os.fspath(log)) if format == "auto" else (format, sources)
        reader = READERS.make(name)
        if format != "auto" and len(sources) > 1:
            chosen = [source for source in sources if reader.recognise(source)] or sources
        rows = reader.read(chosen)
    used = {source.where for source in chosen}
    ignored = [source.where for source in sources if source.where not in used]
    return standardise(rows, format=name, files=[source.where for source in chosen], ignored=ignored)


@named_options
def classic_rock() -> Listens:
    """A week of 25 US classic-rock radio stations, June 2014: 37,342 plays of 2,229 songs; each station is a listener.

    Collected by FiveThirtyEight, CC BY 4.0; see ``song2vec/data/ATTRIBUTION.md``.
    """
    with as_file(files("song2vec") / "data" / "classic_rock.csv.zst") as path:
        return read_listens(path)


def _recognise(sources: list[Source], log: str) -> tuple[str, list[Source]]:
    """The name of the one format these sources are in, and those of them that are in it."""
    readers = sorted((READERS.make(name) for name in READERS), key=lambda reader: reader.name == _ANY_TABLE)  # which comes last
    claimed: dict[str, list[Source]] = {}
    for source in sources:
        name = next((reader.name for reader in readers if source.head and reader.recognise(source)), None)
        if name is not None:
            claimed.setdefault(name, []).append(source)
    if not claimed:
        if all(not source.head for source in sources):
            raise FormatError(log, "is empty")
        message = "in no format that song2vec knows ('song2vec formats' lists them); if it is a table, name its columns with columns="
        message += " (on the command line: --column song=NAME)"
        raise FormatError(log, message)
    if len(claimed) > 1:  # exports hold tables of other things beside the log
        claimed.pop(_ANY_TABLE, None)
    if len(claimed) > 1:
        kinds = "; ".join(f"{name}: {found[0].where}" for name, found in claimed.items())
        raise FormatError(log, f"holds several formats ({kinds}); read them one by one, or choose with format=")
    ((name, chosen),) = claimed.items()
    return name, chosen
